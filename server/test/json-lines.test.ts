import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { parseType } from '../src/column/type-name.ts';
import { countMatches, execute } from '../src/run/execute.ts';
import { type ExecuteAsk, filesFolder, type OutputResult } from '../src/run/execution.ts';
import type { OutputAsk, Plan, PlanAsk } from '../src/run/plan.ts';
import { adoptSegments } from '../src/run/segment-record.ts';
import type { SourceOptions } from '../src/source/options.ts';
import { type ExportInput, format, planOf } from './table-export.ts';

const ROWS = 48_000;
const TYPES = { id: parseType('int64', ''), amount: parseType('decimal(18,2)', '') };
const BALLAST = 'x'.repeat(700);
const lineOf = (id: number, amount: string) =>
  `{"id":${id},"amount":${amount},"late":${id % 7 === 6 ? '"7th"' : 'null'},"ballast":"${BALLAST}"}`;

let folder: string;
let file: string;
let stages = 0;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'json-lines-'));
  file = put('rows.jsonl', (id) => `${id}.5`);
});

after(() => rmSync(folder, { recursive: true }));

function put(name: string, amount: (id: number) => string): string {
  const path = join(folder, name);
  writeFileSync(path, Array.from({ length: ROWS }, (_, id) => `${lineOf(id, amount(id))}\n`).join(''));
  return path;
}

function output(type: string, more: Partial<OutputAsk> = {}): OutputAsk {
  return { format: format({ type }), compression: { type: 'none' }, ...more };
}

const plain = (path: string, ask: PlanAsk) => planOf({ file: path, types: TYPES }, ask);

async function carriedOut(
  plan: Plan,
  more: Partial<ExecuteAsk> = {},
): Promise<{ stage: string; results: readonly OutputResult[] }> {
  const stage = join(folder, `stage-${stages++}`);
  const { signal } = new AbortController();
  return { stage, results: await execute({ plan, stage, signal, report: () => {}, ...more }) };
}

function textOf({ stage, results }: { stage: string; results: readonly OutputResult[] }): string[] {
  return results.flatMap(({ files }) => files.map(({ path }) => readFileSync(join(filesFolder(stage), path), 'utf8')));
}

const CELLS = Array.from({ length: ROWS }, (_, id) => `${id},${id}.50,${id % 7 === 6 ? '7th' : ''}`);
const csvOf = (cells: readonly string[]) => ['id,amount,late', ...cells, ''].join('\n');
const THREE = { columns: ['id', 'amount', 'late'] };

test('a large file goes out in segments, and what landed of them is removed', async () => {
  const plan = await plain(file, { ...THREE, outputs: [output('csv')] });
  const run = await carriedOut(plan);
  assert.ok((run.results[0]?.segments.total ?? 0) >= 4);
  assert.deepEqual(textOf(run), [csvOf(CELLS)]);
  assert.deepEqual(readdirSync(join(run.stage, 'landed')), []);
});

test('filtered, sorted, limited and distinct rows are those of the whole file', async () => {
  const outputs = [output('csv')];
  const even = (_: string, id: number) => id % 5 === 0;
  const filter = { amount: { in: CELLS.flatMap((_, id) => (id % 5 === 0 && id < 4000 ? [`${id}.5`] : [])) } };
  for (const [ask, expected] of [
    [{ ...THREE, filter }, CELLS.slice(0, 4000).filter(even)],
    [{ ...THREE, order: ['-amount'] }, CELLS.toReversed()],
    [{ ...THREE, order: ['-id'], limit: 5 }, CELLS.toReversed().slice(0, 5)],
    [{ ...THREE, filter, order: ['-id'] }, CELLS.slice(0, 4000).filter(even).toReversed()],
  ] satisfies [Omit<PlanAsk, 'outputs'>, string[]][]) {
    assert.deepEqual(textOf(await carriedOut(await plain(file, { ...ask, outputs }))), [csvOf(expected)]);
  }
  const distinct = await plain(file, { columns: ['late'], distinct: true, outputs: [output('jsonl')] });
  assert.deepEqual(
    textOf(await carriedOut(distinct))
      .join('')
      .trim()
      .split('\n')
      .toSorted(),
    ['{"late":"7th"}', '{"late":null}'],
  );
});

test('matching rows are counted', async () => {
  for (const [ask, expected] of [
    [{}, ROWS],
    [{ filter: { late: { eq: '7th' } } }, CELLS.filter((cell) => cell.endsWith('7th')).length],
  ] as const) {
    const plan = await plain(file, { ...ask, columns: ['id'], outputs: [output('jsonl')] });
    const { signal } = new AbortController();
    assert.equal(
      await countMatches({ plan, stage: join(folder, `stage-${stages++}`), signal, report: () => {} }),
      expected,
    );
  }
});

test('a split keeps to its rows', async () => {
  const plan = await plain(file, { ...THREE, outputs: [output('csv', { split: { rows: 9000 } })] });
  const run = await carriedOut(plan);
  const rows = run.results[0]?.files.map((each) => each.rows) ?? [];
  assert.ok(rows.length >= 6 && rows.every((count) => count <= 9000), `${rows}`);
  assert.equal(
    textOf(run)
      .map((text) => text.slice('id,amount,late\n'.length))
      .join(''),
    `${CELLS.join('\n')}\n`,
  );
});

test('what was whole before a crash is used again', async () => {
  const plan = await plain(file, { ...THREE, outputs: [output('csv', { compression: { type: 'gzip', level: 1 } })] });
  const undisturbed = await carriedOut(plan);
  let written = 0;
  const segmentWritten = async () => {
    if (++written === 3) throw new Error('disturbed');
  };
  const [first, next] = [join(folder, 'first'), join(folder, 'next')];
  await assert.rejects(carriedOut(plan, { stage: first, isResumable: true, segmentWritten }), /disturbed/);
  await mkdir(next);
  await adoptSegments(next, [first]);
  const { results } = await carriedOut(plan, { stage: next, isResumable: true });
  assert.ok((results[0]?.segments.reused ?? 0) >= 3);
  const sums = (each: readonly OutputResult[]) => each.flatMap(({ files }) => files.map(({ sha256 }) => sha256));
  assert.deepEqual(sums(results), sums(undisturbed.results));
});

test('a refused value is told by its row, wherever it stands', async () => {
  const other = put('other.jsonl', (id) => (id === 31_416 ? '1.005' : id === 40_000 ? '"x"' : '1'));
  const packed = join(folder, 'packed.gz');
  writeFileSync(packed, gzipSync(readFileSync(file)));
  const refused = (words: string) => ({
    code: 'value.refused',
    message: `A value does not fit the type its column is declared with. It stands in ${words}.`,
  });
  const outputs = [output('csv')];
  const late = put('late.jsonl', (id) => (id === 40_000 ? '"x"' : '1'));
  await assert.rejects(carriedOut(await plain(late, { outputs })), refused('row 40001, column amount'));
  await assert.rejects(carriedOut(await plain(late, { order: ['-id'], outputs })), refused('row 40001, column amount'));
  const files = { type: 'duckdb', files: [file, other, late], format: 'jsonl' } satisfies SourceOptions;
  await assert.rejects(
    carriedOut(await planOf({ source: files, types: TYPES }, { outputs })),
    refused(`row ${ROWS + 40_001}, column amount`),
  );
  const behind: ExportInput = { source: { ...files, files: [packed, late] }, types: TYPES };
  await assert.rejects(
    carriedOut(await planOf(behind, { outputs })),
    refused('row 40001, column amount, counted from the end of packed.gz'),
  );
});

test('a column may have a name that what lands has, too', async () => {
  const path = join(folder, 'names.jsonl');
  writeFileSync(path, '{"a":"1","cell0":"2","row":"3"}\n{"cell0":"4"}\n');
  const plan = await planOf({ file: path }, { outputs: [output('csv')] });
  assert.deepEqual(textOf(await carriedOut(plan)), ['a,cell0,row\n1,2,3\n,4,\n']);
});

test('texts of many lines, with commas and quotes in them, come through', async () => {
  const path = join(folder, 'texts.jsonl');
  const table = (at: number) => `name,amount\n${'item 2,2.50\n'.repeat(at % 78)}`;
  const speech = (at: number) => 'He said "yes", then\nleft. "No", she said,\n"not today".\n'.repeat(at % 29);
  const text = Array.from(
    { length: 26_000 },
    (_, at) => `${JSON.stringify({ body: at % 3 ? table(at) : speech(at) })}\n`,
  ).join('');
  writeFileSync(path, text);
  const outputs = [output('jsonl')];
  assert.deepEqual(textOf(await carriedOut(await planOf({ file: path }, { outputs }))), [text]);
  const sorted = textOf(await carriedOut(await planOf({ file: path }, { order: ['body'], outputs }))).join('');
  assert.deepEqual(sorted.split('\n').toSorted(), text.split('\n').toSorted());
});
