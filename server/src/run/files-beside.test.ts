import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { formatOptions } from '../format/options.ts';
import { filesFolder } from './execution.ts';
import { FilesBeside } from './files-beside.ts';
import { OutputFiles, type OutputGround } from './output-files.ts';
import type { Plan, PlannedOutput } from './plan.ts';

let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'files-'));
});

after(() => rm(folder, { recursive: true }));

const output: PlannedOutput = {
  format: formatOptions.parse({ type: 'csv' }),
  compression: { type: 'gzip', level: 1 },
  split: { rows: 5000 },
  path: 'rows.csv.gz',
};

/** Of a plan only the columns and the threads are looked at. */
const plan = { query: { columns: [{ name: 'n', type: { is: 'text' } }] }, limits: { threads: 2 } } as unknown as Plan;

async function groundOf(name: string): Promise<OutputGround> {
  const stage = join(folder, name);
  await mkdir(filesFolder(stage), { recursive: true });
  return { plan, stage, seed: 'seed', signal: new AbortController().signal };
}

async function segmentOf(stage: string, at: number, rows: number) {
  const path = join(stage, `segment-${at}`);
  const text = Array.from({ length: rows }, (_, row) => `"${at}\n${row}"\n`).join('');
  await writeFile(path, text);
  return { path, rows, bytes: text.length, held: null };
}

/** The counts and the bytes of files made of six segments. */
async function madeBy(Files: typeof OutputFiles | typeof FilesBeside) {
  const ground = await groundOf(Files.name);
  await using files = new Files(ground, output);
  for (let at = 0; at < 6; at++) await files.append(await segmentOf(ground.stage, at, 2000));
  const finished = await files.finish();
  const bytes = finished.map(({ path }) => readFile(join(filesFolder(ground.stage), path)));
  return { rows: files.rows, bytes: files.bytes, finished, files: await Promise.all(bytes) };
}

test('files joined beside are those joined here, and so are their counts', async () => {
  const here = await madeBy(OutputFiles);
  assert.deepEqual([here.rows, here.finished.map(({ rows }) => rows)], [12_000, [4000, 4000, 4000]]);
  assert.deepEqual(await madeBy(FilesBeside), here);
});

test('errors come across as they were: with the code of the system, and as faults', async () => {
  const ground = await groundOf('errors');
  await using files = new FilesBeside(ground, output);
  const open = { path: join(ground.stage, 'open'), rows: 1, bytes: 14, held: null };
  await assert.rejects(files.append({ ...open, path: join(ground.stage, 'none') }), { code: 'ENOENT' });
  await writeFile(open.path, '"never closed\n');
  await files.append(open);
  await assert.rejects(files.finish(), /inside a quoted value/);
});

test('files that are given up leave no thread behind', async () => {
  const ground = await groundOf('given-up');
  const files = new FilesBeside(ground, output);
  const appending = files.append(await segmentOf(ground.stage, 0, 1000));
  await files[Symbol.asyncDispose]();
  await appending;
  await assert.rejects(files.finish(), /ended with 0/);
});
