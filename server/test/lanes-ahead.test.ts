import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import type { LaneGround } from '../src/run/lane-beside.ts';
import { LaneThreads } from '../src/run/lane-threads.ts';
import type { Plan } from '../src/run/plan.ts';
import { Worker } from '../src/run/worker.ts';
import { runCommand } from './command-line.ts';
import { exportInto, sumsIn } from './export-into.ts';
import { LIMITS, planByArgs, Yard } from './export-path.ts';

/** Enough for lanes to be made ready while the input is described. */
const LARGE_BYTES = 32 * 2 ** 20;
const ROWS = 400_000;

const yard = new Yard();
/** The same rows, which are cut into several segments or are one. */
const inputs = { several: join(yard.source, 'several.parquet'), one: join(yard.source, 'one.parquet') };

before(async () => {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  const text = Array.from({ length: 3 }, (_, at) => `md5((i + ${at * ROWS})::varchar) as t${at}`).join(', ');
  for (const [path, groupRows] of [
    [inputs.several, 40_960],
    [inputs.one, 2 ** 20],
  ])
    await connection.run(
      `copy (select i as id, ${text} from range(${ROWS}) t(i)) to '${path}' (format parquet, row_group_size ${groupRows})`,
    );
  connection.closeSync();
  for (const path of Object.values(inputs)) assert.ok(statSync(path).size > LARGE_BYTES);
});

after(() => yard[Symbol.dispose]());

let folders = 0;

async function exported(input: string, ...flags: readonly string[]): Promise<Buffer> {
  const cwd = yard.folder(`${folders++}`);
  const args = ['export', input, '--format', 'csv', '--compression', 'zstd', '--to', 'out', ...flags];
  const { code, stderr } = await runCommand(args, { cwd });
  assert.equal(code, 0, stderr);
  return readFileSync(join(cwd, 'out', input.endsWith('one.parquet') ? 'one.csv.zst' : 'several.csv.zst'));
}

/** Too little for a lane to have an engine of its own. */
const SCARCE = ['--threads', '2', '--memory', '80MB'];

test('lanes that are ready before the plan is write what lanes of one engine write', async () => {
  const expected = await exported(inputs.several, ...SCARCE);
  assert.equal(zstdDecompressSync(expected).toString('latin1').split('\n').length, ROWS + 2);
  assert.ok((await exported(inputs.several, '--threads', '2')).equals(expected));
});

test('lanes that turn out not to be needed are in nobody’s way', async () => {
  assert.ok((await exported(inputs.one, '--threads', '2')).equals(await exported(inputs.one, ...SCARCE)));
  const few = ['--threads', '2', '--where', '{"id":{"lt":3}}', '--columns', 'id', '--null-text', '-'];
  assert.equal(zstdDecompressSync(await exported(inputs.several, ...few)).toString(), 'id\n0\n1\n2\n');
});

/** Knows how many of its threads were opened ahead and taken, and whether those left over were ended. */
class WatchedThreads extends LaneThreads {
  opened = 0;
  taken = 0;
  ended = 0;

  override openAhead(count: number, ground: LaneGround) {
    this.opened += count;
    super.openAhead(count, ground);
  }

  override take() {
    this.taken++;
    return super.take();
  }

  override async endAhead() {
    await super.endAhead();
    this.ended++;
  }
}

test('a run takes the threads that are ahead, ends the others, and holds what no later attempt may want', async (t) => {
  for (const [input, lanes] of [
    [inputs.several, 2],
    [inputs.one, 0],
  ] as const) {
    const plan = await planByArgs([input, '--format', 'csv']);
    const [output] = plan.outputs;
    assert.ok(output);
    const zstd: Plan = { ...plan, outputs: [{ ...output, compression: { type: 'zstd', level: 1 } }] };
    const sums = new Set<string>();
    for (const isResumable of [false, true]) {
      const laneThreads = new WatchedThreads();
      t.after(() => laneThreads.endAhead());
      laneThreads.startAhead({ ...LIMITS, threads: 4 });
      const files: boolean[] = [];
      const segmentWritten = async (path: string) => void files.push(existsSync(path));
      const folder = join(yard.source, `out ${folders++}`);
      await exportInto(zstd, folder, { isResumable, laneThreads, segmentWritten });
      assert.deepEqual([laneThreads.opened, laneThreads.taken, laneThreads.ended], [lanes, lanes, 1]);
      assert.deepEqual(new Set(files), new Set([isResumable || lanes === 0]));
      for (const sum of sumsIn(folder)) sums.add(sum);
    }
    assert.equal(sums.size, 1);
  }
});

/** Threads of JavaScript that a process has beside its own. */
function threadsOf(pid: number | undefined): number {
  const tasks = readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}/comm`);
  return tasks.filter((comm) => readFileSync(comm, 'utf8').trim() === 'WorkerThread').length;
}

const skip = existsSync('/proc/self/task') ? false : 'no /proc tells the threads of a process';

test('a child makes lanes ready for CSV of a large file, and of no other', { skip }, async () => {
  const small = yard.write('small.csv', 'id\n1\n');
  for (const [file, isForCsv, threads] of [
    [inputs.several, true, 2],
    [inputs.several, false, 0],
    [small, true, 0],
  ] as const) {
    await using worker = new Worker(2);
    const ask = { options: { type: 'duckdb', files: file }, types: {}, folder: yard.source } as const;
    await worker.describe(ask, LIMITS, isForCsv);
    assert.equal(threadsOf(worker.pid), threads, file);
  }
});
