import { repeatBytes } from './determinism.ts';

repeatBytes({ rows: 165_000, firstRows: 24_000, plain: 2, filtered: 2, ordered: 2 });
