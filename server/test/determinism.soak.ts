import { repeatBytes } from './determinism.ts';

repeatBytes({ rows: 300_000, firstRows: 100_000, plain: 20, filtered: 20, ordered: 20 });
