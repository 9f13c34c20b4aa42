import type { Dialect } from '../dialect.ts';
import { refuse } from './refuse.ts';
import { routes } from './routes.ts';

/** Our own REST API. */
export const native: Dialect = { name: 'native', prefix: '', routes, refuse };
