/** Writes segments on a thread of its own, by an engine of its own. */
import { workerData } from 'node:worker_threads';
import { obey } from './beside.ts';
import type { LaneGround } from './lane-beside.ts';
import { interrupting, openPlanned } from './open.ts';
import type { Writing } from './segment-sql.ts';
import { writeRows } from './write-rows.ts';

/** How often the share that is done is told. */
const TELL_MS = 100;

const { plan, stage, memoryBytes, fraction } = workerData as LaneGround;
const told = new Float64Array(fraction);
const cancelling = new AbortController();
const opened = new AsyncDisposableStack();
const session = open();
// Who orders meets the error.
session.catch(() => undefined);

async function open() {
  const engine = opened.use(await openPlanned(plan, stage, { threads: 1, memoryBytes }));
  opened.use(interrupting(cancelling.signal, engine));
  return engine.session();
}

obey<Writing, number>({
  carryOut: async (writing) => {
    const writer = await session;
    const timer = setInterval(() => {
      told[0] = writer.fraction() ?? -1;
    }, TELL_MS);
    try {
      return await writeRows(writer, writing);
    } finally {
      clearInterval(timer);
      told[0] = 0;
    }
  },
  interrupt: () => cancelling.abort(),
  [Symbol.asyncDispose]: async () => {
    await session.catch(() => undefined);
    await opened.disposeAsync();
  },
});
