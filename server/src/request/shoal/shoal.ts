import type { Dialect } from '../dialect.ts';
import { type ShoalOptions, shoalOptions } from './options.ts';
import { refuse } from './refuse.ts';
import { routes } from './routes.ts';
import { shapes } from './shapes.ts';

/** Export jobs of Shoal, as https://docs.shoal.xyz tells of them. */
export const shoal: Dialect<ShoalOptions> = {
  name: 'shoal',
  prefix: '/shoal',
  shapes,
  options: shoalOptions,
  routes,
  refuse,
};
