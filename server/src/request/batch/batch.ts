import type { Dialect } from '../dialect.ts';
import { type Options, options } from './options.ts';
import { refuse } from './refuse.ts';
import { routes } from './routes.ts';
import { shapes } from './shapes.ts';

/** The Export API of Batch (MEP, version 1.0). */
export const batch: Dialect<Options> = { name: 'batch', prefix: '/batch', shapes, options, routes, refuse };
