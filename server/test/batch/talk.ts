import type { Talk } from '../conversations.ts';

/** Headers that mean something to a client. */
const TOLD = ['content-type', 'location', 'retry-after', 'cache-control', 'content-disposition'];

/** How recorded conversations are had. */
export const TALK: Talk = {
  dialect: 'batch',
  places: [
    ['link', /\/files\/file_[^"\s]*/g],
    ['id', /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g],
  ],
  passing: [['time', /(?<=_date":")[^"]*/g]],
  isTold: (name) => TOLD.includes(name),
  statusOf: ({ json }) => json?.status,
};
