import { folder } from './folder.ts';

/** Every kind of destination there is. */
export const destinations = { folder };
