import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { verifyExport } from '../src/run/verify.ts';
import { comesTrue, descendants, isRunning, runCommand, type StartedCommand, startCommand } from './command-line.ts';
import { Yard } from './export-path.ts';

const FORMATS = [['csv'], ['parquet'], ['csv', '--compression', 'gzip'], ['jsonl', '--order', '-amount']] as const;
/** A child must be gone, and the folder as promised, this long after the kill. */
const SETTLE_MS = 2000;

const yard = new Yard();
const source = join(yard.source, 'rows.parquet');
const expected = new Map<string, string>();
let undisturbedMs = 0;

/** Every format once, and an earlier export of those that are to fill a folder. */
async function exportUndisturbed(all: readonly Kill[]): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  await connection.run(
    `copy (select i as id, (i % 9973) / 7 as amount, 'text, "' || i || '"' as text, repeat(md5(i::varchar), 4) as ballast from range(100000) t(i)) to '${source}' (format parquet)`,
  );
  connection.closeSync();
  for (const format of FORMATS) {
    const folder = yard.folder(`undisturbed-${format.join('')}`);
    const started = performance.now();
    const { code, stderr } = await runCommand(exportArgs(format, 'out'), { cwd: folder });
    undisturbedMs = Math.max(undisturbedMs, performance.now() - started);
    assert.equal(code, 0, stderr);
    expected.set(format.join(''), sha256Of(join(folder, 'out')));
    if (!all.some((kill) => kill.before === 'filled' && kill.format === format)) continue;
    const earlier = yard.folder(`earlier-${format.join('')}`);
    await runCommand(['export', source, '--format', ...format, '--columns', 'id,amount', '--to', 'out'], {
      cwd: earlier,
    });
  }
}

function exportArgs(format: readonly string[], to: string): string[] {
  return ['export', source, '--format', ...format, '--to', to, '--json', '--force'];
}

function sha256Of(folder: string): string {
  return JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')).outputs[0].files[0].sha256;
}

interface Kill {
  readonly number: number;
  readonly victim: 'parent' | 'child';
  readonly format: readonly string[];
  readonly before: 'absent' | 'empty' | 'filled';
  /** A phase to wait for, or a share of the undisturbed time. */
  readonly moment: string | number;
}

const PHASES = ['plan', 'count', 'sort', 'encode'] as const;

function kills(count: number): Kill[] {
  return Array.from({ length: count }, (_, number) => {
    const moment = momentOf(number) ?? (number + 0.5) / count;
    return {
      number,
      victim: number % 2 === 0 ? 'parent' : 'child',
      format: (moment === saying('sort') ? FORMATS.at(-1) : FORMATS[(number >> 1) % FORMATS.length]) ?? ['csv'],
      before: (['absent', 'empty', 'filled'] as const)[number % 3] ?? 'absent',
      moment,
    };
  });
}

/** Five of eight at phases, two of them at the commit; null for the others, spread evenly over the run. */
function momentOf(number: number): string | null {
  if (number % 4 === 0) return saying('commit');
  if (number % 4 === 1) return saying(PHASES[(number >> 2) % 4] ?? '');
  if (number % 8 === 6) return saying(PHASES[((number >> 3) + 2) % 4] ?? '');
  return null;
}

function saying(phase: string): string {
  return `"phase":"${phase}"`;
}

/** Tests that kill the parent or the child of an export, at `count` moments spread over a whole run. */
export function killExports(count: number): void {
  describe('kill -9 leaves nothing new or a whole verified export', { concurrency: 2 }, () => {
    const all = kills(count);
    before(() => exportUndisturbed(all));
    after(() => yard[Symbol.dispose]());
    for (const kill of all) {
      const moment = typeof kill.moment === 'number' ? `${Math.round(kill.moment * 100)} % of the time` : kill.moment;
      test(`${kill.number}: ${kill.victim}, ${kill.format.join(' ')}, ${kill.before} folder, at ${moment}`, () =>
        killOne(kill));
    }
  });
}

async function killOne(kill: Kill): Promise<void> {
  const cwd = yard.folder(`kill-${kill.number}`);
  const target = join(cwd, 'out');
  if (kill.before === 'empty') yard.folder(join(`kill-${kill.number}`, 'out'));
  if (kill.before === 'filled') cpSync(join(yard.root, `earlier-${kill.format.join('')}`), cwd, { recursive: true });
  const old = kill.before === 'filled' ? sha256Of(target) : null;
  await strike(startCommand(exportArgs(kill.format, 'out'), { cwd }), kill);
  await assertWholeOrNothing(target, kill, old);
}

async function strike(command: StartedCommand, { moment, victim }: Kill): Promise<void> {
  if (typeof moment === 'number') await Promise.race([wait(moment * undisturbedMs), command.ended]);
  else await command.said(moment);
  const parent = command.process.pid ?? 0;
  const children = descendants(parent);
  const pids = victim === 'parent' ? [parent] : children.slice(0, 1);
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It had ended already: the export was whole before the kill came.
    }
  }
  await command.ended;
  assert.ok(await comesTrue(() => !children.some(isRunning), SETTLE_MS), 'a child is still there');
}

async function assertWholeOrNothing(target: string, kill: Kill, old: string | null): Promise<void> {
  const isClean = () => readdirSync(dirname(target)).every((name) => !name.startsWith('.drayage-'));
  assert.ok(await comesTrue(isClean, SETTLE_MS), `left over: ${readdirSync(dirname(target))}`);
  if (!existsSync(target)) return assert.equal(kill.before, 'absent');
  const names = readdirSync(target);
  if (names.length === 0) return assert.equal(kill.before, 'empty');
  const verification = await verifyExport(target, join(dirname(target), '.drayage'));
  assert.deepEqual(
    verification.files.filter(({ state }) => state !== 'intact'),
    [],
  );
  const sha256 = sha256Of(target);
  if (sha256 !== old) assert.equal(sha256, expected.get(kill.format.join('')));
}
