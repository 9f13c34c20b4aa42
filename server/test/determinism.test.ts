import { repeatBytes } from './determinism.ts';

repeatBytes({ plain: 4, filtered: 10, ordered: 6 });
