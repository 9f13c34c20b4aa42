import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { ColumnType } from '../../column/type.ts';
import type { Piece, SourceShape } from '../source.ts';
import { duckdb } from './duckdb.ts';

const LINE = (at: number) => `{"id":${at},"text":"${'é'.repeat(at % 90)} \\"${at}\\"","data":{"n":[${at}, 1.10]}}`;
const ROW = (at: number) => `1,${at},"${'é'.repeat(at % 90)} ""${at}""","{""n"":[${at}, 1.10]}",0`;
const ROWS = 80_000;
const upTo = <T>(count: number, make: (at: number) => T) => Array.from({ length: count }, (_, at) => make(at));

let folder: string;
let files = 0;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'land-lines-'));
});

after(() => rmSync(folder, { recursive: true }));

function put(content: string | Buffer, ending = 'jsonl'): string {
  const path = join(folder, `${files++}.${ending}`);
  writeFileSync(path, content);
  return path;
}

async function describe(
  paths: string[],
  types: Readonly<Record<string, ColumnType>> = {},
  threads = 1,
): Promise<SourceShape> {
  return await duckdb.describe(
    { options: { type: 'duckdb', files: paths, format: 'jsonl' }, types, folder },
    () => {
      throw new Error('No engine is needed.');
    },
    threads,
  );
}

async function landed(shape: SourceShape, piece: Piece, columns: readonly string[] | null = null): Promise<string[]> {
  const path = join(folder, `${files++}.csv`);
  const rows = await duckdb.land?.({ shape, piece, columns, path, signal: new AbortController().signal });
  const lines = readFileSync(path, 'utf8').split('\n');
  assert.equal(lines.pop(), '');
  assert.equal(rows, lines.length);
  return lines;
}

const ID = { is: 'integer', bits: 64 } as const;

test('a large file is cut into pieces that land the rows they are said to have', async () => {
  const shape = await describe([put(`${upTo(ROWS, LINE).join('\n')}`)], { id: ID });
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
  const shape = await describe([put(`${upTo(ROWS, LINE).join('\n')}\n`)], { id: ID });
  const last = shape.pieces.at(-1);
  assert.ok(last?.rows && last.start);
  assert.ok(last.rows[1] - last.rows[0] > 100);
  const start = last.rows[0] + 50;
  assert.deepEqual(
    await landed(shape, { ...last, rows: [start, start + 3] }),
    upTo(3, (at) => ROW(start + at)),
  );
  assert.deepEqual(await landed(shape, { files: [0, 0], rows: [9999, 10_001], bytes: 0 }), [ROW(9999), ROW(10_000)]);
});

test('small files are pieces, and land one behind the other', async () => {
  const parts = [`\ufeff${LINE(0)}\r\n\r\n${LINE(1)}`, '', `\n${LINE(2)}\n`];
  const shape = await describe(
    parts.map((part) => put(part)),
    { id: ID },
  );
  assert.deepEqual(
    shape.pieces.map(({ files: which, count }) => [...which, count]),
    [
      [0, 0, 2],
      [1, 1, 0],
      [2, 2, 1],
    ],
  );
  assert.deepEqual(await landed(shape, { files: [0, 2], rows: null, bytes: 0, count: 3 }), upTo(3, ROW));
});

test('packed files are read as what is in them', async () => {
  const text = `${upTo(ROWS, LINE).join('\n')}\n`;
  for (const [ending, pack] of [
    ['jsonl.gz', gzipSync],
    ['jsonl.zst', zstdCompressSync],
  ] as const) {
    const shape = await describe([put(pack(text), ending)], { id: ID });
    assert.deepEqual(shape.pieces, [{ files: [0, 0], rows: null, bytes: Buffer.byteLength(text) }]);
    assert.deepEqual(await landed(shape, shape.pieces[0] as Piece), upTo(ROWS, ROW));
    const bad = put(pack(`${text}{"id":}\n`), ending);
    const message = `Line ${ROWS + 1} of ${basename(bad)} is not valid JSON.`;
    await assert.rejects(describe([bad]), { code: 'source.refused', message });
    const cut = put(pack(text).subarray(0, 20_000), ending);
    await assert.rejects(describe([cut]), { code: 'source.refused', message: `${basename(cut)} cannot be unpacked.` });
  }
});

test('all frames of a file of Zstandard are read, and what is no frame is refused', async () => {
  const frame = (from: number, to: number) =>
    zstdCompressSync(upTo(to - from, (at) => `${LINE(from + at)}\n`).join(''));
  const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5]);
  const frames = [skippable, frame(0, 30_000), frame(30_000, 30_000), skippable, frame(30_000, ROWS), skippable];
  const shape = await describe([put(Buffer.concat(frames), 'zst')], { id: ID });
  assert.deepEqual(await landed(shape, shape.pieces[0] as Piece), upTo(ROWS, ROW));
  for (const rest of [1, 3, 4, 9, 100]
    .map((length) => frame(0, 100).subarray(0, length))
    .concat(Buffer.from('{"id":1}\n'))) {
    const path = put(Buffer.concat([frame(0, 10), rest]), 'zst');
    await assert.rejects(describe([path]), {
      code: 'source.refused',
      message: `${basename(path)} cannot be unpacked.`,
    });
  }
});

test('cells of columns that are not asked for stay empty', async () => {
  const shape = await describe([put(`${LINE(1)}\n{"late":"x","text":""}\n`)]);
  const [piece] = shape.pieces;
  assert.ok(piece);
  assert.deepEqual(await landed(shape, piece, ['text', 'late']), ['1,,"é ""1""",,,0', '1,,"",,"x",0']);
  assert.deepEqual(await landed(shape, piece, []), ['1,,,,,0', '1,,,,,0']);
});

test('a line of megabytes is read, and one of more than 64 MiB refused', async () => {
  const long = '"\\\\x'.repeat(1_000_000).replaceAll('"', '\\"');
  const shape = await describe([put(`${LINE(0)}\n{"id":1,"text":"${long}"}\n${LINE(2)}\n`)], { id: ID });
  assert.match(shape.scan, /max_line_size = 100000\d\d, buffer_size = 100000\d\d,/);
  const rows = await landed(shape, shape.pieces[0] as Piece);
  assert.deepEqual(rows, [ROW(0), `1,1,"${'""\\x'.repeat(1_000_000)}",,0`, ROW(2)]);
  const longer = put(`${LINE(0)}\n{"text":"${'x'.repeat(64 * 2 ** 20)}"}\n`);
  const message = `Line 2 of ${basename(longer)} is longer than 64 MiB.`;
  await assert.rejects(describe([longer]), { code: 'source.refused', message });
});

test('a line that cannot be read is told by its number', async () => {
  const before = `\n${upTo(ROWS, LINE).join('\n')}\n`;
  for (const [line, words] of [
    ['[1]', 'is not a JSON object'],
    ['{"id":1', 'is not valid JSON'],
    ['{"text":"\\ud83d"}', 'has half of a surrogate pair'],
    ['\ufeff{"id":1}', 'is not a JSON object'],
  ]) {
    const path = put(`${before}${line}\n${LINE(0)}\n`);
    const message = `Line ${ROWS + 2} of ${basename(path)} ${words}.`;
    await assert.rejects(describe([put(LINE(0)), path]), { code: 'source.refused', message });
  }
  const path = put(Buffer.concat([Buffer.from(`${before}{"id":"`), Buffer.from([0xff]), Buffer.from('"}')]));
  const message = `A text is not valid UTF-8. It stands in line ${ROWS + 2} of ${basename(path)}.`;
  await assert.rejects(describe([path]), { code: 'value.refused', message });
});

test('a file that has lost lines since is short', async () => {
  const path = put(`${upTo(ROWS, LINE).join('\n')}\n`);
  const shape = await describe([path], { id: ID });
  const last = shape.pieces.at(-1) as Piece;
  writeFileSync(path, `${upTo(ROWS - 1, LINE).join('\n')}\n`);
  await assert.rejects(landed(shape, last), { code: 'run.short' });
  writeFileSync(path, `${upTo(ROWS - 1, LINE).join('\n')}\n{"id":}\n`);
  const message = `Line ${ROWS} of ${basename(path)} is not valid JSON.`;
  await assert.rejects(landed(shape, last), { code: 'source.refused', message });
  const small = put(`${LINE(0)}\n${LINE(1)}\n`);
  const { pieces, ...described } = await describe([small], { id: ID });
  writeFileSync(small, LINE(0));
  await assert.rejects(landed({ ...described, pieces }, pieces[0] as Piece), { code: 'run.short' });
});

test('a landing that is cancelled or cannot be read leaves no file', async () => {
  const path = put(`${upTo(ROWS, LINE).join('\n')}\n`);
  const shape = await describe([path]);
  const ask = { shape, piece: shape.pieces[0] as Piece, columns: null, path: join(folder, 'never.csv') };
  await assert.rejects(async () => duckdb.land?.({ ...ask, signal: AbortSignal.abort() }), { code: 'run.cancelled' });
  rmSync(path);
  await assert.rejects(async () => duckdb.land?.({ ...ask, signal: new AbortController().signal }), {
    code: 'source.unreachable',
  });
  assert.throws(() => readFileSync(ask.path), { code: 'ENOENT' });
});

test('a very large file is read by several threads as by one', async () => {
  const ballast = 'x'.repeat(20_000);
  const line = (at: number, more: string) => `{"id":${at},"ballast":"${ballast}"${more}}\n`;
  const moreOf = (at: number) =>
    at === 6000 ? ',"late":"x"' : at === 2500 ? ',"second":[]' : at === 6001 ? ',"second":"x"' : '';
  const text = upTo(6500, (at) => line(at, moreOf(at))).join('');
  const path = put(text);
  const [one, three] = [await describe([path], {}, 1), await describe([path], {}, 3)];
  assert.deepEqual(three, one);
  assert.deepEqual(
    one.columns.map(({ name, type }) => [name, type.is]),
    [
      ['id', 'json'],
      ['ballast', 'text'],
      ['second', 'json'],
      ['late', 'text'],
    ],
  );
  assert.equal(one.pieces.at(-1)?.rows?.[1], 6500);
  const ids: string[] = [];
  for (const piece of one.pieces) ids.push(...(await landed(one, piece, ['id'])));
  assert.deepEqual(
    ids,
    upTo(6500, (at) => `1,${at},,,,0`),
  );
  writeFileSync(path, text.replace('"id":6400,', '"id":,').replace('"id":2100,', '"id"2100,'));
  const message = `Line 2101 of ${basename(path)} is not valid JSON.`;
  await assert.rejects(describe([path], {}, 3), { code: 'source.refused', message });
});

test('files may have 16,384 different names between them', async () => {
  const names = (from: number, to: number) => `{${upTo(to - from, (at) => `"${from + at}":1`)}}\n`;
  const shape = await describe([put(names(0, 10_000)), put(names(9000, 16_384))]);
  const rows = await landed(shape, { files: [0, 1], rows: null, bytes: 0 });
  assert.deepEqual(
    rows.map((row) => row.split('1').length - 1 > 7000),
    [true, true],
  );
  const message = 'The lines have more than 16384 different names.';
  await assert.rejects(describe([put(names(0, 10_000)), put(names(9000, 16_385))]), {
    code: 'source.refused',
    message,
  });
});
