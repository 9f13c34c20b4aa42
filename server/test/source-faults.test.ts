import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { Fault } from '../src/base/errors.ts';
import type { OutputAsk, Plan, PlanAsk } from '../src/run/plan.ts';
import { assertNothing, exportInto, sumsIn } from './export-into.ts';
import { assertFull, type SmallDisk, whyNoSmallDisk } from './small-disk.ts';
import { format, planOf } from './table-export.ts';

const SEGMENT_ROWS = 2048;
const SEGMENTS = 4;
/** Of CSV, the most that are written without a thread and an engine of its own for each lane. */
const SEGMENTS_IN_ONE_ENGINE = 3;

let folder = '';
let count = 0;

before(async () => {
  folder = realpathSync(await mkdtemp(join(tmpdir(), 'drayage-faults-')));
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  const rows = `select id, repeat(md5(id::varchar), 6) as text from range(${SEGMENT_ROWS * SEGMENTS}) t(id)`;
  await connection.run(`copy (${rows}) to '${join(folder, 'rows.parquet')}' (format parquet, row_group_size 2048)`);
  await connection.run(`attach '${join(folder, 'rows.duckdb')}' as made`);
  await connection.run(`create table made.rows as ${rows}`);
  await connection.run('detach made');
  for (const [type, options] of [
    ['csv', 'format csv'],
    ['jsonl', 'format json'],
  ])
    await connection.run(`copy (${rows} where id < ${SEGMENT_ROWS}) to '${join(folder, `rows.${type}`)}' (${options})`);
  connection.closeSync();
  instance.closeSync();
});

after(() => rm(folder, { recursive: true }));

/** The files of a source of a test's own, the last of which is to be disturbed. */
function sourceOf(type: string): { readonly file: string; readonly victim: string } {
  const own = join(folder, `source-${++count}`);
  mkdirSync(own);
  const made = join(folder, `rows.${type}`);
  const isText = type === 'csv' || type === 'jsonl';
  const names = isText ? ['a', 'b', 'c', 'd'] : ['a'];
  for (const name of names) copyFileSync(made, join(own, `${name}.${type}`));
  return {
    file: isText ? join(own, `*.${type}`) : join(own, `a.${type}`),
    victim: join(own, `${names.at(-1)}.${type}`),
  };
}

function target(): string {
  return join(folder, `target-${++count}`, 'out');
}

function output(type: string, more: Partial<OutputAsk> = {}): OutputAsk {
  return { format: format({ type }), compression: { type: 'none' }, ...more };
}

/** Of so many segments, a file each where there are several. */
async function planFor(file: string, ask: PlanAsk, segmentCount = SEGMENTS): Promise<Plan> {
  const plan = await planOf({ file }, ask);
  if (plan.cut.by === 'rows') return { ...plan, cut: { by: 'rows', segmentRows: SEGMENT_ROWS } };
  const isOne = plan.source.inputs.length === 1;
  const segments = Array.from({ length: segmentCount }, (_, at) => ({
    files: isOne ? ([0, 0] as const) : ([at, at] as const),
    rows: isOne ? ([at * SEGMENT_ROWS, (at + 1) * SEGMENT_ROWS] as const) : null,
    bytes: 1,
  }));
  return { ...plan, cut: { by: 'pieces', segments } };
}

/** Disturbs once, when the first segment is whole. */
function once(disturb: () => void): () => Promise<void> {
  let isDone = false;
  return async () => {
    if (isDone) return;
    isDone = true;
    disturb();
  };
}

const DISTURBANCES: Readonly<Record<string, (path: string) => void>> = {
  'cut to half': (path) => truncateSync(path, statSync(path).size >> 1),
  'cut to nothing': (path) => truncateSync(path, 0),
  'written over': (path) => writeFileSync(path, readFileSync(path).fill(0x20, 100, 200), { flag: 'r+' }),
  'appended to': (path) => appendFileSync(path, '7\n'),
  'replaced by itself': (path) => {
    cpSync(path, `${path}.new`, { preserveTimestamps: true });
    renameSync(`${path}.new`, path);
  },
  'replaced by a folder': (path) => {
    rmSync(path);
    mkdirSync(path);
  },
  removed: (path) => rmSync(path),
  'removed with its folder': (path) => rmSync(dirname(path), { recursive: true }),
  'moved with its folder, a file in its place': (path) => {
    renameSync(dirname(path), `${dirname(path)}-moved`);
    writeFileSync(dirname(path), '');
  },
  'moved with its folder, a link to itself in its place': (path) => {
    renameSync(dirname(path), `${dirname(path)}-moved`);
    symlinkSync(dirname(path), dirname(path));
  },
};

/** Who cannot even look at a file does not know whether it has changed. */
const UNREACHABLE = 'moved with its folder, a link to itself in its place';

/** Waits for `checkPins` to make faults of every system error: remove it with that. */

describe('a source that is disturbed in the middle of a run', () => {
  const few = ['cut to half', 'written over', 'removed', 'moved with its folder, a file in its place'];
  const byType = { parquet: Object.keys(DISTURBANCES), csv: few, jsonl: few, duckdb: few };
  // Threads with engines of their own take most of a run's processor time.
  const onThreads = { parquet: few, csv: ['cut to half'], jsonl: ['cut to half'], duckdb: ['cut to half'] };
  for (const [type, disturbances] of Object.entries(byType))
    for (const what of disturbances) {
      const isOnThreads = onThreads[type as keyof typeof byType].includes(what);
      test(`${type}: ${what}${isOnThreads ? ', read by threads' : ''}`, async () => {
        const { file, victim } = sourceOf(type);
        const segments = isOnThreads ? SEGMENTS : SEGMENTS_IN_ONE_ENGINE;
        const plan = await planFor(file, { outputs: [output('csv')] }, segments);
        const folderOfRun = target();
        const segmentWritten = once(() => DISTURBANCES[what]?.(victim));
        await assertNothing(
          exportInto(plan, folderOfRun, { segmentWritten }),
          folderOfRun,
          what === UNREACHABLE ? 'source.unreachable' : 'source.changed',
        );
      });
    }

  test('while it is sorted, or when the sorted rows are written', async () => {
    const { file, victim } = sourceOf('parquet');
    const plan = await planFor(file, { order: ['-id'], outputs: [output('parquet')] });
    const folderOfRun = target();
    const segmentWritten = once(() => rmSync(victim));
    await assertNothing(exportInto(plan, folderOfRun, { segmentWritten }), folderOfRun, 'source.changed');
  });

  test('whose rights are taken away: the whole export or none', async () => {
    for (const type of ['parquet', 'csv', 'jsonl', 'duckdb']) {
      const { file, victim } = sourceOf(type);
      const plan = await planFor(file, { outputs: [output('jsonl')] });
      const [expected, folderOfRun] = [target(), target()];
      await exportInto(plan, expected);
      // Who is root, or has the file open, may still read it.
      const running = exportInto(plan, folderOfRun, { segmentWritten: once(() => chmodSync(victim, 0)) });
      const fault = await running.then(
        () => null,
        (error: unknown) => error,
      );
      if (fault === null) assert.deepEqual(sumsIn(folderOfRun), sumsIn(expected));
      else assert.ok(fault instanceof Fault && fault.code === 'source.unreachable', `${fault}`);
      assert.equal(existsSync(folderOfRun), fault === null);
    }
  });
});

describe('a disk that is full', () => {
  const skip = whyNoSmallDisk();
  const asks = {
    csv: { outputs: [output('csv')] },
    'csv gzip': { outputs: [output('csv', { compression: { type: 'gzip', level: 1 } })] },
    parquet: { outputs: [output('parquet')] },
    'avro split': { outputs: [output('avro', { split: { rows: 2048 } })] },
    'jsonl ordered': { order: ['-id'], outputs: [output('jsonl')] },
    'csv of JSON lines': { outputs: [output('csv')] },
  } satisfies Record<string, PlanAsk>;
  const disks: Readonly<Record<string, SmallDisk & { readonly of: readonly (keyof typeof asks)[] }>> = {
    'a segment is written': { mount: 'size=256k', when: 'never', of: ['csv', 'jsonl ordered', 'csv of JSON lines'] },
    'segments are joined': { mount: 'size=24m', when: 'joining', of: ['csv gzip', 'parquet', 'avro split'] },
    // The disk, the stage with its three folders and files, two segments: nothing more.
    'the record of a segment is made': { mount: 'size=24m,nr_inodes=8', when: 'noting', of: ['csv', 'jsonl ordered'] },
  };
  for (const [moment, { mount, when, of }] of Object.entries(disks))
    for (const what of of)
      test(`when ${moment}: ${what}`, { skip }, async () => {
        const isOfLines = what === 'csv of JSON lines';
        const file = join(folder, isOfLines ? 'rows.jsonl' : 'rows.parquet');
        const plan = await planFor(file, asks[what], isOfLines ? 1 : SEGMENTS);
        assertFull(plan, join(folder, `disk-${++count}`), { mount, when });
      });
});
