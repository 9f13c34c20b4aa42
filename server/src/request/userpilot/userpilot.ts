import type { Dialect } from '../dialect.ts';
import { type UserpilotOptions, userpilotOptions } from './options.ts';
import { refuse } from './refuse.ts';
import { routes } from './routes.ts';
import { EVENTS, LISTED, PAGED } from './shapes.ts';
import { writeNotice } from './write.ts';

/** Userpilot's bulk export API. */
export const userpilot: Dialect<UserpilotOptions> = {
  name: 'userpilot',
  prefix: '/userpilot',
  shapes: [EVENTS, ...LISTED, ...PAGED],
  options: userpilotOptions,
  routes,
  refuse,
  notice: writeNotice,
};
