import { repeatBytes } from './determinism.ts';

repeatBytes({ rows: 165_000, plain: 3, filtered: 4, ordered: 3 });
