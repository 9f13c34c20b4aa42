import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Fault, type FaultCode } from '../src/base/errors.ts';
import { destinations } from '../src/destination/destinations.ts';
import { execute } from '../src/run/execute.ts';
import type { ExecuteAsk, OutputResult, Step } from '../src/run/execution.ts';
import type { Plan } from '../src/run/plan.ts';

export interface IntoHow extends Partial<Omit<ExecuteAsk, 'plan' | 'stage'>> {
  readonly steps?: readonly Step[];
}

/** A whole run into a folder that is not there yet, in this process: execute, publish, or discard. */
export async function exportInto(
  plan: Plan,
  folder: string,
  { steps, ...how }: IntoHow = {},
): Promise<readonly OutputResult[]> {
  const stage = await destinations.folder.stage({ folder, replace: false });
  try {
    const ask = { signal: new AbortController().signal, report: () => {}, ...how, plan, stage };
    const results = await execute(ask, steps);
    await destinations.folder.publish(stage);
    return results;
  } catch (error) {
    await destinations.folder.discard(stage);
    throw error;
  }
}

/** The run ends with this fault, says nothing of where its files or servers are, and leaves no trace of itself. */
export async function assertNothing(running: Promise<unknown>, folder: string, code: FaultCode): Promise<void> {
  await assert.rejects(running, (error: unknown) => {
    assert.ok(error instanceof Fault, `no fault: ${error}`);
    assert.equal(error.code, code, `${error.message} ${error.cause}`);
    assert.doesNotMatch(error.message, /\/tmp|select|copy/i);
    return true;
  });
  assert.equal(existsSync(folder), false, 'something was published');
  const beside = existsSync(dirname(folder)) ? readdirSync(dirname(folder)) : [];
  assert.deepEqual(
    beside.filter((name) => name.startsWith('.drayage')),
    [],
    'a stage was left',
  );
}

/** Name and sha-256 of every file of a folder. */
export function sumsIn(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const digest = createHash('sha256').update(readFileSync(join(folder, name)));
      return `${name} ${digest.digest('hex')}`;
    });
}
