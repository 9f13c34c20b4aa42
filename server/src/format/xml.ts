import { refuse } from '../base/errors.ts';
import { ISO } from '../column/instant.ts';
import { identifier } from '../column/sql.ts';
import { DEFAULT_TEXT, plainText, refusal } from '../column/text.ts';
import { type Column, isNested } from '../column/type.ts';
import type { Format } from './format.ts';
import type { XmlOptions } from './options.ts';
import { isWritten } from './vector-rows.ts';

/** What XML 1.0 cannot carry in any form (section 2.2), as the engine's and as our regular expression. */
const FORBIDDEN = '[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x{FFFE}\\x{FFFF}]';
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const FORBIDDEN_HERE = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;
const REPLACEMENT = '\ufffd';

/** `&` first. A line feed would end the row. */
const ESCAPES = [
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['\n', '&#10;'],
  ['\r', '&#13;'],
] as const;

/** XML 1.0 in UTF-8: an element a row and line, within it an element a column. */
export const xml: Format<XmlOptions> = {
  extension: 'xml',
  mediaType: 'application/xml',
  compressible: true,

  check(columns, { controlChars }) {
    const bad = columns.find(({ name }) => name.search(FORBIDDEN_HERE) >= 0);
    if (bad && controlChars === 'fail') {
      throw refuse('/format/controlChars', `XML cannot carry a character in the name of the column ${bad.name}.`);
    }
  },

  segment(columns, options) {
    const names = elementNames(columns.map(({ name }) => name));
    const tags = columns.map((column, at) => {
      const before = at === 0 ? `<${options.row}>` : `</${names[at - 1]}>`;
      const attribute = names[at] === column.name ? '' : ` name="${attributeText(column.name)}"`;
      const open = `${before}<${names[at]}${attribute}`;
      // NULL has an end tag too, which then is the same for every row.
      return { value: `${open}>`, none: `${open} xsi:nil="true">` };
    });
    return {
      expressions: columns.map((column) => ({ sql: cell(column, options), name: column.name })),
      written: { as: 'xml', tags, end: `</${names.at(-1)}></${options.row}>\n` },
    };
  },

  joining(_columns, { root }) {
    const head = `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n`;
    const tail = `</${root}>\n`;
    return { by: 'text', head, empty: `${head}${tail}`, tail, separatorBytes: 0, isQuoted: false };
  },
};

/** SQL of the value itself where `xml-rows.ts` makes the text of it, else of its text. */
function cell({ name, type }: Column, { instants, controlChars }: XmlOptions): string {
  const value = identifier(name);
  const isFree = type.is === 'text' || type.is === 'json' || isNested(type);
  if (isWritten(type, instants === ISO) && !(isFree && controlChars === 'fail')) return value;
  // JSON text of nested values is read by JSON readers, which know no NaN.
  const text = plainText(value, type, { ...DEFAULT_TEXT, instants, nonFinite: 'string' });
  if (!isFree || controlChars !== 'fail') return text;
  return `case when regexp_matches(${text}, '${FORBIDDEN}') then ${refusal('notXml')} else ${text} end`;
}

function attributeText(name: string): string {
  return ESCAPES.reduce((text, [from, to]) => text.replaceAll(from, to), name)
    .replaceAll('"', '&quot;')
    .replaceAll('\t', '&#9;')
    .replaceAll(FORBIDDEN_HERE, REPLACEMENT);
}

/**
 * A legal name for each column: ASCII letters, digits, `_`, `-` and `.`, the rest as `_`. Names that are legal stay;
 * of others that come out alike, the later ones get `_2`, `_3`.
 */
function elementNames(names: readonly string[]): string[] {
  const taken = new Set(names.filter(isLegal));
  return names.map((name) => {
    if (isLegal(name)) return name;
    const replaced = name.replaceAll(/[^\w.-]/gu, '_');
    const legal = isLegal(replaced) ? replaced : `_${replaced}`;
    let free = legal;
    for (let count = 2; taken.has(free); count += 1) free = `${legal}_${count}`;
    taken.add(free);
    return free;
  });
}

function isLegal(name: string): boolean {
  return /^(?!xml)[a-z_][\w.-]*$/i.test(name);
}
