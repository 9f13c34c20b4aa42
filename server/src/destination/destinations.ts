import { download } from './download.ts';
import { folder } from './folder.ts';

/** Every kind of destination there is. */
export const destinations = { download, folder };
