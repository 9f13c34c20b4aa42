/** Writes segments on a thread of its own, by an engine of its own. */
import { workerData } from 'node:worker_threads';
import { obey } from '../base/beside.ts';
import { loadBindings } from '../source/connection.ts';
import type { Session } from '../source/engine.ts';
import { writeSegment } from './land.ts';
import type { LaneGround, LaneOrder } from './lane-beside.ts';
import { interrupting, openPlanned } from './open.ts';
import type { Plan } from './plan.ts';
import type { Writing } from './segment-sql.ts';
import type { Written } from './write-rows.ts';

/** How often the share that is done is told. */
const TELL_MS = 100;

interface Hand extends AsyncDisposable {
  readonly plan: Plan;
  readonly session: Session;
  readonly heldBytes: number;
}

const told: Float64Array = workerData;
const cancelling = new AbortController();
let hand: Hand | null = null;

async function open({ plan, stage, memoryBytes, heldBytes }: LaneGround): Promise<Hand> {
  await using opened = new AsyncDisposableStack();
  // Nothing is read twice here. Parquet to JSON lines peaked at 330 → 386 MB (4 and 20 M rows), without at 339 → 357.
  const means = { threads: 1, memoryBytes, sessions: 1, keepsFiles: false };
  const engine = opened.use(await openPlanned(plan, stage, means));
  opened.use(interrupting(cancelling.signal, engine));
  const session = await engine.session();
  const kept = opened.move();
  return { plan, session, heldBytes, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function write({ plan, session, heldBytes }: Hand, writing: Writing): Promise<Written> {
  const timer = setInterval(() => {
    told[0] = session.fraction() ?? -1;
  }, TELL_MS);
  try {
    return await writeSegment(session, writing, { plan, signal: cancelling.signal, heldBytes });
  } finally {
    clearInterval(timer);
    told[0] = 0;
  }
}

async function close(): Promise<void> {
  await hand?.[Symbol.asyncDispose]();
  hand = null;
}

obey<LaneOrder, Written | null>({
  carryOut: async (order) => {
    if ('ground' in order) {
      await close();
      hand = await open(order.ground);
      return null;
    }
    if (hand === null) throw new Error('A segment came before the ground of its lane.');
    return await write(hand, order.writing);
  },
  along: (written) => written?.held?.blocks.map(({ buffer }) => buffer) ?? [],
  interrupt: () => cancelling.abort(),
  [Symbol.asyncDispose]: close,
});

// Before the first order comes, which may be long after.
await loadBindings();
