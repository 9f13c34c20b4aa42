import { refuse } from '../base/errors.ts';
import { identifier } from '../column/sql.ts';
import { DEFAULT_TEXT, jsonObject, jsonOrNull, plainText } from '../column/text.ts';
import type { Column, ColumnType } from '../column/type.ts';
import { type Format, RAW_LINES } from './format.ts';
import type { PdfOptions } from './options.ts';
import { PDF_VERSIONS } from './pdf/versions.ts';

/** One PDF a row in a zip. The engine writes rows as JSON lines, and `pdf/document.ts` sets each as a document. */
export const pdf: Format<PdfOptions> = {
  extension: 'zip',
  mediaType: 'application/zip',
  compressible: false,
  versions: PDF_VERSIONS,

  check(columns, options) {
    checkColumn(columns, options.name, '/format/name', isNameable);
    if (options.subtitle !== undefined) checkColumn(columns, options.subtitle, '/format/subtitle');
    for (const [at, section] of options.sections.entries()) {
      const pointer = `/format/sections/${at}`;
      if (section.entries !== undefined) checkColumn(columns, section.entries, `${pointer}/entries`, isObject);
      if (section.text !== undefined) checkColumn(columns, section.text, `${pointer}/text`);
      checkFields(columns, section.fields ?? [], `${pointer}/fields`);
    }
  },

  segment(columns) {
    const members = columns.map((column) => ({ name: column.name, json: member(column) }));
    return { expressions: [{ sql: jsonObject(members), name: null }], written: RAW_LINES };
  },

  joining(_columns, layout) {
    return { by: 'pdf', layout };
  },
};

const RECORD_TEXT = { ...DEFAULT_TEXT, bigIntegers: 'string', nonFinite: 'string' } as const;

/** Decimals and 64-bit integers are strings in every record, since readers of RFC 8785 take numbers for doubles. */
function member({ name, type }: Column): string {
  const column = identifier(name);
  if (type.is !== 'decimal') return jsonOrNull(column, type, RECORD_TEXT);
  return `case when ${column} is null then 'null' else concat('"', ${plainText(column, type, RECORD_TEXT)}, '"') end`;
}

interface Allowed {
  readonly words: string;
  holds(type: ColumnType): boolean;
}

const isNameable: Allowed = {
  words: 'a column of text, uuid, integer or date',
  holds: ({ is }) => ['text', 'uuid', 'integer', 'date'].includes(is),
};
const isObject: Allowed = {
  words: 'a column of JSON, struct or map',
  holds: ({ is }) => ['json', 'struct', 'map'].includes(is),
};
const isAnything: Allowed = { words: 'a column', holds: () => true };

function checkColumn(columns: readonly Column[], name: string, pointer: string, allowed: Allowed = isAnything): void {
  const column = columns.find((each) => each.name === name);
  if (column && allowed.holds(column.type)) return;
  const wrong = column ? `is of type ${column.type.is}` : 'is not among the columns exported';
  throw refuse(
    pointer,
    `${name} ${wrong}; allowed is ${allowed.words}: ${columns.map((each) => each.name).join(', ')}.`,
  );
}

type Fields = NonNullable<PdfOptions['sections'][number]['fields']>;

function checkFields(columns: readonly Column[], fields: Fields, pointer: string): void {
  for (const [at, { column, zone }] of fields.entries()) {
    checkColumn(columns, column, `${pointer}/${at}/column`);
    if (zone) checkColumn(columns, zone.column, `${pointer}/${at}/zone/column`);
  }
}
