import type { Talk } from '../conversations.ts';

const TOLD = [
  ...['content-type', 'location', 'retry-after', 'www-authenticate', 'cache-control', 'allow'],
  ...['content-disposition', 'etag', 'repr-digest', 'x-content-type-options'],
];

/** How recorded conversations are had. */
export const TALK: Talk = {
  dialect: 'userpilot',
  places: [
    ['job', /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g],
    ['file', /file_[0-9a-z]{26}/g],
    ['signed', /(?<=\?)expires=[^"\s]*/g],
  ],
  passing: [
    ['request', /req_[0-9a-z]{26}/g],
    ['time', /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g],
    ['elapsed', /(?<="elapsed_time(?:_seconds)?":")[\d:]+/g],
  ],
  isTold: (name) => TOLD.includes(name),
  statusOf: ({ json }) => json?.status,
};
