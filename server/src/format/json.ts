import type { Format } from './format.ts';
import { jsonSegment } from './json-row.ts';
import type { JsonOptions } from './options.ts';

/** One JSON array, an object a line. */
export const json: Format<JsonOptions> = {
  extension: 'json',
  mediaType: 'application/json',
  compressible: true,

  check() {},

  segment(columns, options) {
    return jsonSegment(columns, options, ',');
  },

  joining() {
    return { by: 'text', head: '[\n', empty: '[]\n', tail: '\n]\n', separatorBytes: ',\n'.length, isQuoted: false };
  },
};
