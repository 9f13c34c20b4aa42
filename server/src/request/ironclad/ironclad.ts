import type { Dialect } from '../dialect.ts';
import { type Options, options } from './options.ts';
import { refuse } from './refuse.ts';
import { routes } from './routes.ts';
import { shapes } from './shapes.ts';

/** The Clickwrap REST API of Ironclad (version 1.1), as far as it is about evidence. */
export const ironclad: Dialect<Options> = { name: 'ironclad', prefix: '/ironclad', shapes, options, routes, refuse };
