import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { Fault, type FaultCode } from '../src/base/errors.ts';
import { readExportArgs } from '../src/cli/export-args.ts';
import { readExportFlags } from '../src/cli/export-flags.ts';
import { readInput } from '../src/cli/export-input.ts';
import { findSubject } from '../src/cli/subject.ts';
import { describeSource } from '../src/run/describe.ts';
import { execute, STEPS } from '../src/run/execute.ts';
import { type Execution, filesFolder, type Step, segmentsFolder } from '../src/run/execution.ts';
import { makePlan, type Plan } from '../src/run/plan.ts';
import { LIMITS, Yard } from './export-path.ts';

/** Of two row groups. */
const ROWS = 60_000;
const FORMATS = ['csv', 'json', 'jsonl', 'parquet'] as const;

const yard = new Yard();
const source = join(yard.source, 'rows.parquet');

before(async () => {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  await connection.run(
    `copy (select i as id, 'text, "' || i || '"' as text, repeat(md5(i::varchar), 3) as ballast from range(${ROWS}) t(i)) to '${source}' (format parquet, row_group_size 30720)`,
  );
  connection.closeSync();
});

after(() => yard[Symbol.dispose]());

async function plan(path: string, format: string, others: readonly string[] = []): Promise<Plan> {
  const flags = readExportFlags([path, '--format', format, '--explain', ...others]);
  const args = readExportArgs(flags);
  const subject = await findSubject(readInput(flags).named);
  const { shape, engine } = await describeSource(subject.ask, LIMITS);
  return makePlan(
    { outputs: [{ format: args.format, compression: { type: 'none' } }] },
    {
      dataset: subject.dataset(shape),
      scope: subject.scope,
      shape,
      engine,
      limits: LIMITS,
      now: '2026-01-01T00:00:00.000Z',
    },
  );
}

function runPlan(of: Plan): Promise<unknown> {
  return execute({ plan: of, stage: yard.stage(), signal: new AbortController().signal, report: () => {} });
}

/** Runs the steps with one of ours put after the named one. */
async function runWith(of: Plan, after: keyof typeof STEPS, step: Step): Promise<unknown> {
  const steps = Object.entries(STEPS).flatMap(([name, each]) => (name === after ? [each, step] : [each]));
  return execute({ plan: of, stage: yard.stage(), signal: new AbortController().signal, report: () => {} }, steps);
}

function isFault(code: FaultCode) {
  return (error: unknown) => {
    assert.ok(error instanceof Fault, `not a fault: ${error}`);
    assert.equal(error.code, code, error.message);
    return true;
  };
}

describe('a short output cannot succeed', () => {
  for (const format of FORMATS) {
    test(`${format}: a row too few or too many at the count`, async () => {
      const wanted = await plan(source, format);
      for (const difference of [-1, 1]) {
        const miscount: Step = async (execution) => ({
          ...execution,
          rowsPlanned: (execution.rowsPlanned ?? 0) + difference,
        });
        await assert.rejects(runWith(wanted, 'countRows', miscount), isFault('run.short'));
      }
    });

    test(`${format}: a row dropped by the engine's COPY`, async () => {
      const wanted = await plan(source, format);
      const shorter: Plan = { ...wanted, query: { ...wanted.query, where: 'id <> 56789' } };
      // Counted by the plan, copied by the shorter one: what an engine that loses a row would do.
      const lose: Step = async (execution) => ({ ...execution, plan: shorter });
      await assert.rejects(runWith(wanted, 'countRows', lose), isFault('run.short'));
    });

    test(`${format}: a row missing in the produced bytes`, async () => {
      const wanted = await plan(source, format);
      await assert.rejects(loseBytes(wanted), isFault('run.short'));
    });
  }

  test('the undisturbed run succeeds with three equal counts', async () => {
    for (const format of FORMATS) {
      const wanted = await plan(source, format);
      const results = await execute({
        plan: wanted,
        stage: yard.stage(),
        signal: new AbortController().signal,
        report: () => {},
      });
      assert.deepEqual(
        results.map(({ rowsPlanned, rowsRead, rowsWritten }) => [rowsPlanned, rowsRead, rowsWritten]),
        [[ROWS, ROWS, ROWS]],
      );
    }
  });
});

/** Takes the last row out of a finished segment before it is joined. */
async function loseBytes(of: Plan): Promise<unknown> {
  let isDone = false;
  const segmentWritten = async (path: string) => {
    if (isDone) return;
    isDone = true;
    if (of.outputs[0]?.format.type === 'parquet') await copyFirstRows(path);
    else truncateSync(path, lastRowStart(readFileSync(path)));
  };
  return execute({
    plan: of,
    stage: yard.stage(),
    signal: new AbortController().signal,
    report: () => {},
    segmentWritten,
  });
}

function lastRowStart(bytes: Buffer): number {
  return bytes.lastIndexOf('\n', bytes.length - 2) + 1;
}

async function copyFirstRows(path: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  await connection.run(
    `copy (from '${source}' limit 1000) to '${path}' (format parquet, compression snappy, row_group_size 122880)`,
  );
  connection.closeSync();
}

describe('a source that changes during the run', () => {
  const changes: readonly (readonly [string, (path: string) => void])[] = [
    ['grows', (path) => appendFileSync(path, '9,more\n')],
    ['shrinks', (path) => truncateSync(path, statSync(path).size - 3)],
    ['is written to in place', (path) => rewriteInPlace(path)],
    ['is replaced', (path) => replace(path)],
    ['is removed', (path) => renameSync(path, `${path}.gone`)],
  ];
  for (const [what, change] of changes) {
    for (const moment of ['checkInput', 'encodeOutputs'] as const) {
      test(`${what} after ${moment}`, async () => {
        const path = yard.write(
          `changing-${what.replaceAll(' ', '-')}-${moment}.csv`,
          `id,text\n${'1,a\n'.repeat(50_000)}`,
        );
        const wanted = await plan(path, 'jsonl');
        const disturb = async (execution: Execution) => {
          change(path);
          return execution;
        };
        await assert.rejects(runWith(wanted, moment, disturb), isFault('source.changed'));
      });
    }
  }

  test('between the plan and the run', async () => {
    const path = yard.write('late.csv', 'id,text\n1,a\n');
    const wanted = await plan(path, 'csv');
    appendFileSync(path, '2,b\n');
    await assert.rejects(
      runWith(wanted, 'checkInput', async (execution) => execution),
      isFault('source.changed'),
    );
  });
});

function rewriteInPlace(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length - 2] = 0x7a;
  writeFileSync(path, bytes, { flag: 'r+' });
  utimesSync(path, new Date(), new Date(Date.now() + 5000));
}

function replace(path: string): void {
  const { atime, mtime } = statSync(path);
  writeFileSync(`${path}.new`, readFileSync(path));
  utimesSync(`${path}.new`, atime, mtime);
  renameSync(`${path}.new`, path);
}

test('a failed run leaves no finished file behind', async () => {
  const wanted = await plan(source, 'csv');
  const stage = yard.stage();
  const steps: Step[] = [STEPS.checkInput, async () => Promise.reject(new Fault('source.busy', 'busy'))];
  await assert.rejects(
    execute({ plan: wanted, stage, signal: new AbortController().signal, report: () => {} }, steps),
    isFault('source.busy'),
  );
  assert.equal(existsSync(join(filesFolder(stage), 'rows.csv')), false);
});

/** Later than what the engine looks at to tell types, the first 20,480 rows. */
describe('text that ends the reading late', () => {
  const broken = (name: string, line: (at: number) => string) => {
    const path = join(yard.source, name);
    const head = name.endsWith('.csv') ? 'id,name,n\n' : '';
    writeFileSync(path, head + Array.from({ length: 30_000 }, (_, at) => line(at)).join(''));
    return path;
  };
  const value = (at: number) => (at === 25_000 ? 'boom' : String(at));
  const sources = [
    ['late.csv', (at: number) => `${at},${'x'.repeat(60)},${value(at)}\n`],
    ['late.jsonl', (at: number) => `${JSON.stringify({ id: at, name: 'x'.repeat(60), n: value(at) })}\n`],
  ] as const;
  for (const [name, line] of sources) {
    for (const format of FORMATS) {
      test(`${name} to ${format} fails at its row`, async () => {
        const args = ['--types', 'id=int64,name=text,n=int32'];
        await assert.rejects(runPlan(await plan(broken(name, line), format, args)), (error: Fault) => {
          assert.match(error.message, /row 25001, column n/);
          return isFault('value.refused')(error);
        });
      });
    }
  }
});

test('a segment that was being written when a run was cancelled is written anew', async () => {
  const path = join(yard.source, 'whole.csv');
  writeFileSync(path, `id,name\n${Array.from({ length: 150_000 }, (_, at) => `${at},${'x'.repeat(80)}\n`).join('')}`);
  const wanted = await plan(path, 'csv');
  const stage = yard.stage();
  const cancelling = new AbortController();
  const watching = setInterval(() => {
    const segments = existsSync(segmentsFolder(stage)) ? readdirSync(segmentsFolder(stage)) : [];
    if (segments.some((name) => statSync(join(segmentsFolder(stage), name)).size > 0)) cancelling.abort();
  }, 1);
  const ask = { plan: wanted, stage, isResumable: true, report: () => {} };
  try {
    await assert.rejects(execute({ ...ask, signal: cancelling.signal }), isFault('run.cancelled'));
  } finally {
    clearInterval(watching);
  }
  rmSync(filesFolder(stage), { recursive: true });
  const [result] = await execute({ ...ask, signal: new AbortController().signal });
  assert.equal(result?.rowsRead, 150_000);
});
