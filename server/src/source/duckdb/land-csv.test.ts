import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Piece, SourceShape } from '../source.ts';
import { duckdb } from './duckdb.ts';

const HEADER = 'id,text,more\n';
const CELLS = (at: number) => `${at},"${'é'.repeat(at % 90)}\n""${at}""",`;
const ROW = (at: number) => `1,${CELLS(at).replace('\n', '\u0001')},1`;
const ROWS = 80_000;
const upTo = <T>(count: number, make: (at: number) => T) => Array.from({ length: count }, (_, at) => make(at));
const FILE = `${HEADER}${upTo(ROWS, CELLS).join('\n')}\n`;

let folder: string;
let files = 0;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'land-csv-'));
});

after(() => rmSync(folder, { recursive: true }));

function put(content: string | Buffer, ending = 'csv'): string {
  const path = join(folder, `${files++}.${ending}`);
  writeFileSync(path, content);
  return path;
}

function describe(paths: string[]): Promise<SourceShape> {
  const options = { type: 'duckdb', files: paths, format: 'csv' } as const;
  return duckdb.describe(
    { options, types: {}, folder },
    () => {
      throw new Error('No engine is needed.');
    },
    1,
  );
}

async function landed(shape: SourceShape, piece: Piece | undefined): Promise<string[]> {
  assert.ok(piece);
  const path = join(folder, `${files++}.landed`);
  const { signal } = new AbortController();
  const rows = await duckdb.land?.({ shape, piece, columns: null, path, signal });
  const lines = readFileSync(path, 'utf8').split('\n');
  assert.equal(lines.pop(), '');
  assert.equal(rows, lines.length);
  return lines;
}

test('a large file is cut where rows end, and its pieces land the rows they are said to have', async () => {
  const shape = await describe([put(FILE)]);
  assert.ok(shape.pieces.length >= 2, `${shape.pieces.length}`);
  const rows: string[] = [];
  for (const piece of shape.pieces) {
    assert.deepEqual([piece.rows?.[0], piece.start?.row], [rows.length, rows.length]);
    rows.push(...(await landed(shape, piece)));
    assert.equal(piece.rows?.[1], rows.length);
  }
  assert.deepEqual(rows, upTo(ROWS, ROW));
  assert.deepEqual(await landed(shape, { files: [0, 0], rows: null, bytes: 0 }), rows);
});

test('a piece may begin and end within', async () => {
  const shape = await describe([put(FILE)]);
  const last = shape.pieces.at(-1);
  assert.ok(last?.rows);
  const start = last.rows[0] + 50;
  assert.deepEqual(
    await landed(shape, { ...last, rows: [start, start + 3] }),
    upTo(3, (at) => ROW(start + at)),
  );
  assert.deepEqual(await landed(shape, { files: [0, 0], rows: [0, 2], bytes: 0 }), [ROW(0), ROW(1)]);
});

test('small files are pieces, and land one behind the other without their headers', async () => {
  const parts = [
    `\ufeff${HEADER.trimEnd()}\r\n\r\n${CELLS(0)}\r\n${CELLS(1)}`,
    HEADER,
    HEADER.trimEnd(),
    `${HEADER}\n${CELLS(2)}\n`,
  ];
  const shape = await describe(parts.map((part) => put(part)));
  assert.deepEqual(
    shape.pieces.map(({ files: which, count }) => [...which, count]),
    [2, 0, 0, 1].map((count, at) => [at, at, count]),
  );
  assert.deepEqual(await landed(shape, { files: [0, 3], rows: null, bytes: 0, count: 3 }), upTo(3, ROW));
});

test('rows of files that end lines with carriage returns are read', async () => {
  const shape = await describe([put('a,b\r1,"x\r\n"\r2,\r'), put('a,b\r3,4')]);
  assert.deepEqual(
    shape.pieces.map(({ count }) => count),
    [2, 1],
  );
  assert.deepEqual(await landed(shape, { files: [0, 1], rows: null, bytes: 0 }), [
    '1,1,"x\u0002\u0001",1',
    '1,2,,0',
    '1,3,4,0',
  ]);
  const large = await describe([put(`a,b\r${upTo(ROWS, (at) => `${at},"${'x'.repeat(at % 100)}\n"\r`).join('')}`)]);
  assert.deepEqual(
    large.pieces.map(({ count }) => count),
    [ROWS],
  );
  assert.equal(
    (await landed(large, large.pieces[0]))[ROWS - 1],
    `1,${ROWS - 1},"${'x'.repeat((ROWS - 1) % 100)}\u0001",1`,
  );
});

test('a packed file is read when it lands, as what is in it', async () => {
  const [good, bad] = [put(gzipSync(FILE), 'csv.gz'), put(gzipSync(`${FILE}"x`), 'csv.gz')];
  const shape = await describe([good, bad]);
  assert.deepEqual(
    shape.pieces.map(({ rows, count, start }) => [rows, count, start]),
    upTo(2, () => [null, undefined, undefined]),
  );
  assert.deepEqual(await landed(shape, shape.pieces[0]), upTo(ROWS, ROW));
  const message = `Line ${2 * ROWS + 2} of ${basename(bad)} has a quote that is never closed.`;
  await assert.rejects(landed(shape, shape.pieces[1]), { code: 'source.refused', message });
  // The quote opens long before the last rows that are written at once.
  const long = put(gzipSync(`a,b\n1,"x\n"\n2,"${'y\n'.repeat(400_000)}`), 'csv.gz');
  const { pieces, ...described } = await describe([long]);
  await assert.rejects(landed({ ...described, pieces }, pieces[0]), {
    code: 'source.refused',
    message: `Line 4 of ${basename(long)} has a quote that is never closed.`,
  });
});

test('a row of megabytes is read, and one of more than 64 MiB refused', async () => {
  const long = 'x\n'.repeat(5_000_000);
  const shape = await describe([put(`a,b\n1,"${long}"\n2,y\n`)]);
  assert.match(shape.scan, /max_line_size = 200000\d\d, buffer_size = 200000\d\d,/);
  assert.deepEqual(await landed(shape, shape.pieces[0]), [`1,1,"${'x\u0001'.repeat(5_000_000)}",1`, '1,2,y,0']);
  const longer = put(`a,b\n1,"${'x\n'.repeat(33 * 2 ** 20)}"\n`);
  const message = `A row of ${basename(longer)} is longer than 64 MiB.`;
  await assert.rejects(describe([longer]), { code: 'source.refused', message });
});

test('what cannot be read is told by the number of its line', async () => {
  for (const [line, words] of [
    ['1,"x"y,2', 'has text behind a closing quote'],
    ['1,2\r3', 'has a carriage return outside quotes that ends no line'],
    [`1,"x,2\n${'a\n'.repeat(1_000_000)}`, 'has a quote that is never closed'],
  ]) {
    const path = put(`${FILE}${line}\n`);
    const message = `Line ${2 * ROWS + 2} of ${basename(path)} ${words}.`;
    await assert.rejects(describe([path]), { code: 'source.refused', message });
  }
});

test('lines of old Macs are counted by their own ends', async () => {
  for (const [row, words] of [
    ['3,"x"y', 'has text behind a closing quote'],
    ['3,"x', 'has a quote that is never closed'],
  ]) {
    const path = put(`a,b\r${'1,"\n"\r'.repeat(500)}${row}\r4,5\r`);
    await assert.rejects(describe([path]), { message: `Line 502 of ${basename(path)} ${words}.` });
  }
});

test('a packed file of tabs is told by its name, too', async () => {
  const shape = await describe([put(gzipSync('a\tb\n1\t2\n'), 'tsv.gz')]);
  assert.deepEqual(await landed(shape, shape.pieces[0]), ['1\t1\t2\t0']);
});

test('a file that has lost rows since is short', async () => {
  const path = put(FILE);
  const shape = await describe([path]);
  writeFileSync(path, `${HEADER}${upTo(ROWS - 1, CELLS).join('\n')}\n`);
  await assert.rejects(landed(shape, shape.pieces.at(-1)), { code: 'run.short' });
});
