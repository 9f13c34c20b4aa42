import assert from 'node:assert/strict';
import { once } from 'node:events';
import { it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ThreadEnd } from './unbroken.ts';

const UNBROKEN = JSON.stringify(new URL('./unbroken.ts', import.meta.url).href);

const urlOf = (thread: string) => new URL(`data:text/javascript,${encodeURIComponent(thread)}`);

/** Counts works begun and done, each of a tenth of a second. */
const THREAD = `
  import { parentPort, workerData } from 'node:worker_threads';
  import { unbroken } from ${UNBROKEN};
  const works = new Int32Array(workerData.works);
  for (;;) unbroken(() => {
    if (Atomics.add(works, 0, 1) === 2) parentPort.postMessage('the third');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    Atomics.add(works, 1, 1);
  });
`;

const start = (end: ThreadEnd, works = new SharedArrayBuffer(8)) =>
  new Worker(urlOf(THREAD), {
    workerData: { ...end.workerData, works },
  });

it('the end of a thread waits for what it does unbroken and lets nothing more begin', async () => {
  const end = new ThreadEnd();
  const works = new SharedArrayBuffer(8);
  const worker = start(end, works);
  await once(worker, 'message');
  await Promise.all([end.end(worker), end.end(worker)]);
  assert.equal(worker.threadId, -1);
  assert.deepEqual([...new Int32Array(works)], [3, 3]);
});

it('the end of a thread that ends by itself meanwhile waits no longer', async () => {
  const end = new ThreadEnd();
  const thread = `
    import { parentPort } from 'node:worker_threads';
    import { unbroken } from ${UNBROKEN};
    unbroken(() => {
      parentPort.postMessage('at work');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      process.exit(3);
    });
  `;
  const worker = new Worker(urlOf(thread), { workerData: end.workerData });
  await once(worker, 'message');
  worker.unref();
  await end.end(worker);
  assert.equal(worker.threadId, -1);
});

it('the end of a thread that ended by itself, amid its work, waits for nothing', async () => {
  const end = new ThreadEnd();
  const worker = start(end);
  await once(worker, 'message');
  await worker.terminate();
  await end.end(worker);
  await end.end(worker);
});
