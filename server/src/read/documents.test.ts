import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { after, afterEach, before, beforeEach, describe, it, mock } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { layout, ONE_PAGE, rowOf } from '../../test/pdf-ground.ts';
import { setBatch } from '../format/pdf/set-batch.ts';
import { Documents } from './documents.ts';

/** Above what is waited for a document, and above what a thread rests. */
const LONG_MS = 120_000;

const TEXT_LAYOUT = layout({ title: 'Terms', sections: [{ title: 'Terms', text: 'terms' }] });
const LONG_ROW = { id: 'long', terms: 'All of it is agreed. '.repeat(15_000) };

/** What an export makes of the row. */
function exported(number: number): Uint8Array {
  const result = setBatch({ lines: [JSON.stringify(rowOf(number))], firstRow: 1, layout: ONE_PAGE });
  assert.ok('documents' in result);
  return result.documents[0]?.bytes ?? new Uint8Array();
}

describe('documents during requests', () => {
  /** Threads started, oldest first. */
  let started: Worker[] = [];
  let documents: Documents;
  const note = (worker: Worker) => started.push(worker);
  before(() => process.on('worker', note));
  after(() => process.off('worker', note));
  beforeEach(() => {
    started = [];
    documents = new Documents();
  });
  afterEach(async () => {
    mock.timers.reset();
    await documents[Symbol.asyncDispose]();
  });

  const set = (number: number) => documents.set(rowOf(number), ONE_PAGE);
  const last = (): Worker => {
    const worker = started.at(-1);
    assert.ok(worker);
    return worker;
  };
  /** By an order that no one gives. A thread terminated amid its work might take the process along. */
  const crash = (worker: Worker) => worker.postMessage(null);
  const checkSet = async (number: number) => assert.deepEqual(await set(number), exported(number));

  it('are those of exports, one thread for all of them and for every layout', async () => {
    await checkSet(1);
    await documents.set({ id: 'short', terms: 'Agreed.' }, TEXT_LAYOUT);
    await checkSet(2);
    await assert.rejects(documents.set({ id: '../x', terms: '' }, TEXT_LAYOUT), { code: 'value.refused' });
    await checkSet(3);
    assert.equal(started.length, 1);
  });

  it('come from another thread once one crashed, at rest or at work', async () => {
    await checkSet(1);
    crash(last());
    await once(last(), 'error');
    await checkSet(2);
    crash(last());
    await assert.rejects(set(3), TypeError);
    await checkSet(4);
    assert.equal(started.length, 3);
  });

  it('are given up when they take too long, and the next is another one’s', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const slow = documents.set(LONG_ROW, TEXT_LAYOUT);
    const next = set(1);
    await Promise.resolve();
    mock.timers.tick(LONG_MS);
    await assert.rejects(slow, { code: 'source.busy', retryAfterMs: 5000 });
    assert.deepEqual(await next, exported(1));
    assert.equal(started.length, 2);
  });

  it('leave no thread behind after a rest, or after a long record', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    await checkSet(1);
    const rested = once(last(), 'exit');
    mock.timers.tick(LONG_MS);
    await rested;
    await checkSet(2);
    const spent = once(last(), 'exit');
    await documents.set(LONG_ROW, TEXT_LAYOUT);
    await spent;
    await checkSet(3);
    assert.equal(started.length, 3);
  });

  it('are waited for by twenty, and one more is turned away', async () => {
    const asked = Array.from({ length: 21 }, (_, number) => set(number));
    await assert.rejects(set(21), { code: 'source.busy', retryAfterMs: 1000 });
    const made = await Promise.all(asked);
    assert.deepEqual(made[20], exported(20));
    assert.equal(started.length, 1);
  });

  it('are refused by a server that stops, those under way too', async () => {
    const asked = [set(1), set(2)].map((each) => assert.rejects(each, { code: 'maintenance' }));
    await new Promise(setImmediate);
    await documents[Symbol.asyncDispose]();
    await Promise.all(asked);
    await assert.rejects(set(3), { code: 'maintenance' });
    assert.equal(last().threadId, -1);
  });
});

it('a process ends by itself while a thread rests', () => {
  const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  const script = `
    import { Documents } from ${url('./documents.ts')};
    import { ONE_PAGE, rowOf } from ${url('../../test/pdf-ground.ts')};
    const document = await new Documents().set(rowOf(1), ONE_PAGE);
    console.log(Buffer.from(document).subarray(0, 5).toString());
  `;
  const words = ['-e', script];
  assert.equal(execFileSync(process.execPath, words, { encoding: 'utf8', timeout: 50_000 }).trim(), '%PDF-');
});
