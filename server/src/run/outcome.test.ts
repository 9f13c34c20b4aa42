import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FAULT_CODES, kindOf } from '../base/errors.ts';
import { outcomeOf } from './outcome.ts';

const NONE = { failures: 0, deaths: 0 };
const LOST = { code: 'source.unreachable', message: 'gone' } as const;
const REFUSED = { code: 'source.refused', message: 'no' } as const;

describe('the outcome of an attempt that did not commit', () => {
  it('given back is queued again at once and counts as nothing', () => {
    assert.deepEqual(outcomeOf({ failures: 3, deaths: 2 }, { is: 'released' }, 0.5), {
      state: 'queued',
      waitMs: 0,
      tries: { failures: 3, deaths: 2 },
      fault: null,
    });
  });

  it('with a fault that a retry may cure waits 1 s, doubling, five times in all', () => {
    const waits: number[] = [];
    let tries = NONE;
    let outcome = outcomeOf(tries, { is: 'failed', fault: LOST }, 0.5);
    while (outcome.state === 'queued') {
      waits.push(outcome.waitMs);
      assert.deepEqual(outcome.fault, LOST);
      tries = outcome.tries;
      outcome = outcomeOf(tries, { is: 'failed', fault: LOST }, 0.5);
    }
    assert.deepEqual(waits, [1000, 2000, 4000, 8000]);
    assert.deepEqual(outcome, { state: 'failed', tries: { failures: 5, deaths: 0 }, fault: LOST });
  });

  it('with any other fault fails at once', () => {
    assert.deepEqual(outcomeOf(NONE, { is: 'failed', fault: REFUSED }, 0), {
      state: 'failed',
      tries: { failures: 1, deaths: 0 },
      fault: REFUSED,
    });
    for (const code of FAULT_CODES) {
      const outcome = outcomeOf(NONE, { is: 'failed', fault: { code, message: '' } }, 0);
      assert.equal(outcome.state, kindOf(code).retry ? 'queued' : 'failed', code);
    }
  });

  it('of a process that died is tried ten times, and the first time again at once', () => {
    const waits: number[] = [];
    let outcome = outcomeOf({ failures: 4, deaths: 0 }, { is: 'died' }, 0.5);
    while (outcome.state === 'queued') {
      waits.push(outcome.waitMs);
      assert.equal(outcome.fault, null);
      outcome = outcomeOf(outcome.tries, { is: 'died' }, 0.5);
    }
    assert.deepEqual(waits, [0, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    assert.deepEqual(outcome.tries, { failures: 4, deaths: 10 });
    assert.equal(outcome.fault.code, 'internal');
  });

  it('spreads retries by a quarter to both sides', () => {
    const waitAt = (random: number) => {
      const outcome = outcomeOf(NONE, { is: 'failed', fault: LOST }, random);
      return outcome.state === 'queued' ? outcome.waitMs : null;
    };
    assert.deepEqual([waitAt(0), waitAt(0.5), waitAt(1)], [750, 1000, 1250]);
  });
});
