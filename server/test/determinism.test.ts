import { repeatBytes } from './determinism.ts';

repeatBytes({ rows: 165_000, firstRows: 33_000, plain: 2, filtered: 2, ordered: 2 });
