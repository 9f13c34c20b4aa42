import { repeatBytes } from './determinism.ts';

repeatBytes({ rows: 82_000, firstRows: 16_000, plain: 2, filtered: 2, ordered: 2 });
