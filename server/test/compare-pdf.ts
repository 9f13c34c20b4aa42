import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ColumnType } from '../src/column/type.ts';
import type { PdfOptions } from '../src/format/pdf/options.ts';
import { assertPairs, type Expected, pairsOf } from './compare-pairs.ts';
import { type ExpectedTree, MODEL_DEFAULTS, memberOf, type Value } from './model.ts';
import { layout } from './pdf-ground.ts';
import type { PythonJson, Tree } from './readers/python-json.ts';

/** Of poppler: saves what is attached to a document. */
const TO_RECORD = 'pdfdetach';

/** The column that documents of a table are named by. */
export const DOCUMENT_ID = 'document_id';

/** What documents of so many rows are named. */
export function documentNames(rows: number): string[] {
  return Array.from({ length: rows }, (_, row) => `row-${row}`);
}

/** A layout that shows every column. */
export function layoutOf(columns: readonly { readonly name: string }[]): PdfOptions {
  const fields = columns.map(({ name }, at) => ({ label: `Column ${at}`, column: name }));
  return layout({ name: DOCUMENT_ID, title: 'Every value', sections: [{ title: 'Values', fields }] });
}

/** Takes the attached record out of every document and holds it against the row, read as JSON. */
export async function assertPdf(path: string, options: PdfOptions, expected: Expected, python: PythonJson) {
  const ids = expected.columns.find(({ name }) => name === options.name)?.values ?? [];
  const records = await python.parse(recordsOf(path, ids.map(String)));
  const rows = records.map((record) => {
    assert.ok(record && typeof record === 'object' && 'o' in record, 'A record is an object.');
    const names = record.o.map(([name]) => name);
    assert.deepEqual(names, expected.columns.map(({ name }) => name).sort());
    return expected.columns.map(({ name }) => record.o[names.indexOf(name)]?.[1] ?? null);
  });
  await assertPairs(
    pairsOf(expected, rows, recorded, (member: Tree) => member),
    python,
  );
}

function recordsOf(zip: string, ids: readonly string[]): Buffer[] {
  const folder = mkdtempSync(join(tmpdir(), 'drayage-records-'));
  try {
    execFileSync('unzip', ['-q', zip, '-d', folder]);
    const index = readFileSync(join(folder, 'index.csv'), 'utf8').split('\n').slice(1, -1);
    const listed = index.map((line) => line.split(',')[0]);
    const names = ids.map((id) => `${id}.pdf`);
    assert.deepEqual(listed, names);
    return names.map((name) => {
      const record = join(folder, `${name}.json`);
      execFileSync(TO_RECORD, ['-save', '1', '-o', record, join(folder, name)]);
      return readFileSync(record);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The member of a JSON row as canonical JSON has it: decimals of a column of their own are text. */
function recorded(value: Value, type: ColumnType): ExpectedTree {
  const member = memberOf(value, type, { ...MODEL_DEFAULTS, bigIntegers: 'string' });
  return type.is === 'decimal' && member !== null ? { s: (member as { readonly n: string }).n } : canonical(member);
}

/** RFC 8785: numbers are doubles or text, names are in order, and the last of two equal ones counts. */
function canonical(tree: ExpectedTree): ExpectedTree {
  if (tree === null || typeof tree === 'boolean') return tree;
  if ('n' in tree) return isDouble(tree.n) ? { f: Number(tree.n) + 0, bits: 64 } : { s: tree.n };
  if ('f' in tree) return typeof tree.f === 'number' ? { ...tree, f: tree.f + 0 } : tree;
  if ('a' in tree) return { a: tree.a.map(canonical) };
  if (!('o' in tree)) return tree;
  const members = new Map(tree.o.map(([name, member]) => [name, canonical(member)] as const));
  return { o: [...members].sort(([a], [b]) => (a < b ? -1 : Number(a > b))) };
}

/** Whether the number nearest to it says the same; of integers, those below 2^53. */
function isDouble(text: string): boolean {
  const number = Number(text);
  if (/^-?\d+$/.test(text)) return Number.isSafeInteger(number);
  return Number.isFinite(number) && normal(String(number)) === normal(text);
}

/** Sign, digits without zeros around them, and the power of ten of the last digit. */
function normal(number: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(number) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}
