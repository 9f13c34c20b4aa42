import { anyText, fc } from './draws.ts';
import type { JsonValue } from './model.ts';
import type { Tree } from './readers/python-json.ts';

/** How far the documents of a column go. */
export interface Reach {
  /** Whether the source stores the column as text, so that the engine's own parser never saw it. */
  readonly isDeclared?: boolean;
  /** Lone surrogates, as escapes: valid JSON that many parsers refuse. */
  readonly hasSurrogates?: boolean;
  /** What survives a parser of text: documents without blanks, times within the years 1 to 9999. */
  readonly isCalm?: boolean;
}

const NUMBERS = [
  '0',
  '-0',
  '1.10',
  '-0.0',
  '1E+5',
  '1e-7',
  '123456789012345678901234567890',
  '12345678901234.5678',
  '1.0e400',
  '-1e-400',
  '0e0',
];

const STRINGS = [
  '',
  'NaN',
  ',]',
  ', }',
  '[Infinity]',
  '\\',
  '"',
  '\\"',
  '{"a":1}',
  'null',
  '\u2028',
  '\u{feff}',
  '😀',
  'שלום',
  '\n',
  '\r\n',
  '\0',
  '\t',
  '/',
];

const space = fc.constantFrom('', '', ' ', '\n', '\r\n', '\t', '  \n  ');

/** JSON documents of every shape, written with all the liberty the grammar gives. */
export function jsonValue(reach: Reach): fc.Arbitrary<JsonValue> {
  const value = around(node(reach, 2));
  return reach.isCalm ? value.map(({ tree }) => compact(tree ?? { a: [] })) : value;
}

/** The document without blanks and needless escapes, as the engine prints it. */
function compact(tree: Tree): JsonValue {
  return { text: printed(tree), tree };
}

function printed(tree: Tree): string {
  if (tree === null || typeof tree === 'boolean') return String(tree);
  if ('n' in tree) return tree.n;
  if ('s' in tree) return printedText(tree.s);
  if ('a' in tree) return `[${tree.a.map(printed).join(',')}]`;
  return `{${tree.o.map(([name, member]) => `${printedText(name)}:${printed(member)}`).join(',')}}`;
}

/** The engine writes the digits of an escape in upper case, JSON.stringify in lower. */
function printedText(text: string): string {
  return JSON.stringify(text).replaceAll(/\\(?:u([0-9a-f]{4})|.)/g, (written, digits?: string) =>
    digits === undefined ? written : `\\u${digits.toUpperCase()}`,
  );
}

function node(reach: Reach, depth: number): fc.Arbitrary<JsonValue> {
  const word = fc.constantFrom<JsonValue>(
    { text: 'null', tree: null },
    { text: 'true', tree: true },
    { text: 'false', tree: false },
  );
  const leaf = fc.oneof(word, number(), string(reach));
  if (depth === 0) return leaf;
  const inner = around(node(reach, depth - 1));
  return fc.oneof(leaf, array(inner), object(fc.array(fc.tuple(around(string(reach)), inner), { maxLength: 4 })));
}

function around(inner: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonValue> {
  return fc
    .tuple(space, inner, space)
    .map(([before, { text, tree }, after]) => ({ text: `${before}${text}${after}`, tree }));
}

function number(): fc.Arbitrary<JsonValue> {
  const written = fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((value) => String(value).replace(/^-?\d+$/, '$&.00'));
  return fc.oneof(fc.constantFrom(...NUMBERS), written).map((text) => ({ text, tree: { n: text } }));
}

function string({ hasSurrogates }: Reach): fc.Arbitrary<JsonValue & { readonly tree: { readonly s: string } }> {
  const lone = ['x\\ud83d\ud83d', '\ud83d', 'x\udc00y', '\udc00\ud83d', '\\\ud83d'];
  const text = fc.oneof(fc.constantFrom(...STRINGS, ...(hasSurrogates ? lone : [])), anyText({ maxLength: 8 }));
  return fc.tuple(text, fc.boolean()).map(([s, isEscaped]) => {
    // Wherever a line ends raw inside a string, it is no JSON: JSON.stringify escapes it, and lone surrogates too.
    const plain = JSON.stringify(s).replaceAll('/', isEscaped ? '\\/' : '/');
    const escaped = `"${[...Array(s.length).keys()].map((at) => `\\u${s.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`;
    return { text: isEscaped && s.length < 4 ? escaped : plain, tree: { s } };
  });
}

function array(item: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonValue> {
  return fc.tuple(fc.array(item, { maxLength: 4 }), space).map(([items, blank]) => ({
    text: `[${items.map(({ text }) => text).join(',') || blank}]`,
    tree: { a: items.map(({ tree }) => tree) },
  }));
}

type Member = readonly [JsonValue, JsonValue];

function object(members: fc.Arbitrary<readonly Member[]>): fc.Arbitrary<JsonValue> {
  return fc.tuple(members, fc.boolean(), space).map(([once, isTwice, blank]) => {
    const all = isTwice ? [...once, ...once.slice(0, 1)] : once;
    const pairs = all.map(([{ tree: key }, { tree }]): [string, Tree] => [(key as { s: string }).s, tree]);
    return {
      text: `{${all.map(([key, value]) => `${key.text}:${value.text}`).join(',') || blank}}`,
      tree: { o: pairs },
    };
  });
}
