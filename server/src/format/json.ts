import { type Format, RAW_LINES } from './format.ts';
import { jsonRow } from './json-row.ts';
import type { JsonOptions } from './options.ts';

/** One JSON array, an object a line. */
export const json: Format<JsonOptions> = {
  extension: 'json',
  mediaType: 'application/json',
  compressible: true,

  check() {},

  segment(columns, options) {
    return { expressions: [{ sql: `${jsonRow(columns, options)} || ','`, name: null }], copy: RAW_LINES };
  },

  joining() {
    return { by: 'text', head: '[\n', empty: '[]\n', tail: '\n]\n', separatorBytes: ',\n'.length, isQuoted: false };
  },
};
