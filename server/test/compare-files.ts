import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type ColumnType, nameOf } from '../src/column/type.ts';
import type { FormatOptions } from '../src/format/options.ts';
import { assertAvro } from './compare-avro.ts';
import { assertPairs, type Expected, isLoose, looseTree, type Pair, pairsOf, placeOf } from './compare-pairs.ts';
import { assertPdf } from './compare-pdf.ts';
import { assertXml } from './compare-xml.ts';
import {
  cellOf,
  type ExpectedTree,
  guarded,
  isNested,
  MODEL_DEFAULTS,
  type ModelOptions,
  memberOf,
  oneLine,
  storedOf,
  type Value,
} from './model.ts';
import { loaded } from './parquet-values.ts';
import { readParquet } from './readers/parquet.ts';
import type { PostgresReader } from './readers/postgres.ts';
import type { PythonJson, Tree } from './readers/python-json.ts';

export interface Readers {
  readonly postgres: PostgresReader;
  readonly python: PythonJson;
}

/** Reads the file by a reader that is not the engine, and fails at the first value that is not the table's. */
export async function assertHolds(
  path: string,
  options: FormatOptions,
  expected: Expected,
  readers: Readers,
): Promise<void> {
  switch (options.type) {
    case 'csv':
      return assertCsv(await readFile(path), options, expected, readers);
    case 'json':
      return assertJson(await readFile(path), options, expected, readers);
    case 'jsonl':
      return assertJsonl(await readFile(path), options, expected, readers);
    case 'parquet':
      return assertParquet(path, options, expected, readers);
    case 'xml':
      return assertXml(path, options, expected, readers.python);
    case 'avro':
      return assertAvro(path, options, expected, readers.python);
    case 'pdf':
      return assertPdf(path, options, expected, readers.python);
  }
}

type Options<Type extends FormatOptions['type']> = FormatOptions & { readonly type: Type };

async function assertCsv(
  bytes: Buffer,
  options: Options<'csv'>,
  expected: Expected,
  { postgres, python }: Readers,
): Promise<void> {
  const bom = Buffer.from('\u{feff}');
  assert.equal(options.bom, bytes.subarray(0, bom.length).equals(bom) && options.bom, 'byte order mark');
  const content = options.bom ? bytes.subarray(bom.length) : bytes;
  const dialect = { columns: expected.columns.length, delimiter: options.delimiter, nullText: options.nullText ?? '' };
  const rows = await postgres.readCsv(content, dialect);
  const header = options.header ? rows.shift() : null;
  if (options.header)
    assert.deepEqual(
      header,
      expected.columns.map(({ name }) => (options.formulaGuard ? guarded(name) : name)),
    );
  const lineEnd = options.lineEnd === 'crlf' ? '\r\n' : '\n';
  assert.equal(rows.length === 0 || content.subarray(-lineEnd.length).toString() === lineEnd, true, 'line end');
  const { instants, formulaGuard, decimalComma } = options;
  const model: ModelOptions = { ...MODEL_DEFAULTS, instants, formulaGuard, decimalComma };
  const cells = pairsOf(
    expected,
    rows,
    (value, type) => looseTree(cellOf(value, type, model)),
    (cell: string | null, tree) => cellTree(cell, tree, decimalComma),
  );
  await assertPairs(cells, python);
}

function cellTree(cell: string | null, expected: ExpectedTree, decimalComma: boolean): Tree {
  if (cell === null) return null;
  if (!isLoose(expected) || !('f' in expected)) return { s: cell };
  return { n: decimalComma ? cell.replaceAll(/[,.]/g, (mark) => (mark === ',' ? '.' : 'not a comma')) : cell };
}

async function assertJson(
  bytes: Buffer,
  options: Options<'json'>,
  expected: Expected,
  { python }: Readers,
): Promise<void> {
  const [document] = await python.parse([bytes]);
  assert.ok(document && typeof document === 'object' && 'a' in document, 'The document is an array.');
  await assertRows(document.a, options, expected, python);
}

async function assertJsonl(
  bytes: Buffer,
  options: Options<'jsonl'>,
  expected: Expected,
  { python }: Readers,
): Promise<void> {
  const lines = bytes.toString('utf8').split('\n');
  assert.equal(lines.pop(), '', 'The last line ends.');
  await assertRows(await python.parse(lines), options, expected, python);
  if (options.nested === 'structure') assertSourceText(lines, expected);
}

/** JSON columns keep their text, down to the blanks, which no reader of JSON could tell. */
function assertSourceText(lines: readonly string[], { columns }: Expected): void {
  for (const { name, type, values } of columns) {
    if (type.is !== 'json') continue;
    for (const [row, value] of values.entries()) {
      const member = `${JSON.stringify(name)}:${value === null ? 'null' : oneLine(memberText(value))}`;
      const isThere = lines[row]?.includes(`${member},`) || lines[row]?.endsWith(`${member}}`);
      assert.ok(isThere, `row ${row}, column ${name}: the source text is not in the line`);
    }
  }
}

function memberText(value: Value): string {
  return (value as { readonly text: string }).text;
}

type JsonChoices = Options<'json'> | Options<'jsonl'>;

async function assertRows(
  found: readonly Tree[],
  options: JsonChoices,
  expected: Expected,
  python: PythonJson,
): Promise<void> {
  const { instants, bigIntegers, nested } = options;
  const model: ModelOptions = {
    instants,
    bigIntegers,
    nested,
    nonFinite: options.nonFinite === 'null' ? 'null' : 'string',
  };
  const names = expected.columns.map(({ name }) => name);
  const rows = found.map((row) => {
    assert.ok(row && typeof row === 'object' && 'o' in row, 'A row is an object.');
    assert.deepEqual(
      row.o.map(([name]) => name),
      names,
    );
    return row.o.map(([, member]) => member);
  });
  await assertPairs(
    pairsOf(
      expected,
      rows,
      (value, type) => memberOf(value, type, model),
      (member) => member,
    ),
    python,
  );
}

async function assertParquet(
  path: string,
  { nested }: Options<'parquet'>,
  expected: Expected,
  { python }: Readers,
): Promise<void> {
  const { columns, rows } = await readParquet(path);
  const { hasLostZeroSigns = false } = expected;
  const isText = (type: ColumnType) => nested === 'text' && (isNested(type) || type.is === 'json');
  assert.deepEqual(
    columns,
    expected.columns.map(({ name, type }) => ({ name, type: isText(type) ? 'text' : storedName(type) })),
  );
  assert.equal(rows.length, expected.rows, 'number of rows');
  const texts: Pair[] = [];
  for (const [at, { name, type, values }] of expected.columns.entries()) {
    for (const [row, value] of values.entries()) {
      const place = placeOf(row, name, type);
      const cell = rows[row]?.[at];
      const asText = isText(type) && value !== null ? looseTree(cellOf(value, type, MODEL_DEFAULTS)) : null;
      if (asText) texts.push({ place, found: { s: String(cell) }, expected: asText, hasLostZeroSigns });
      else assert.deepEqual(loaded(cell, type), storedOf(value, type), place);
    }
  }
  await assertPairs(texts, python);
}

/** Parquet of the engine has no instants in milliseconds: they are stored finer, losing nothing. */
function storedName(type: ColumnType): string {
  return nameOf(type).replaceAll('instant(ms)', 'instant');
}
