import { repeatBytes } from './determinism.ts';

repeatBytes({ plain: 20, filtered: 20, ordered: 20 });
