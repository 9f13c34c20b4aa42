import { z } from 'zod';
import type { Dialect } from '../dialect.ts';
import { refuse } from './refuse.ts';
import { routes } from './routes.ts';

/** Our own REST API. Every dataset is as it is declared. */
export const native: Dialect = {
  name: 'native',
  prefix: '',
  shapes: [],
  options: z.strictObject({}),
  routes,
  refuse,
};
