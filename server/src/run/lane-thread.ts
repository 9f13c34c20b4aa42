/** Writes segments on a thread of its own, by an engine of its own. */
import { loadBindings } from '../source/connection.ts';
import type { Session } from '../source/engine.ts';
import { obey } from './beside.ts';
import type { LaneGround, LaneOrder } from './lane-threads.ts';
import { interrupting, openPlanned } from './open.ts';
import type { Writing } from './segment-sql.ts';
import { type Written, writeRows } from './write-rows.ts';

/** How often the share that is done is told. */
const TELL_MS = 100;

interface Hand {
  readonly session: Session;
  readonly heldBytes: number;
  /** Of one number. */
  readonly told: Float64Array;
}

const cancelling = new AbortController();
const opened = new AsyncDisposableStack();
let hand: Promise<Hand> | null = null;

async function open({ plan, stage, memoryBytes, heldBytes, fraction }: LaneGround): Promise<Hand> {
  const engine = opened.use(await openPlanned(plan, stage, { threads: 1, memoryBytes }));
  opened.use(interrupting(cancelling.signal, engine));
  return { session: await engine.session(), heldBytes, told: new Float64Array(fraction) };
}

async function write({ session, heldBytes, told }: Hand, writing: Writing): Promise<Written> {
  const timer = setInterval(() => {
    told[0] = session.fraction() ?? -1;
  }, TELL_MS);
  try {
    return await writeRows(session, writing, heldBytes);
  } finally {
    clearInterval(timer);
    told[0] = 0;
  }
}

obey<LaneOrder, Written>({
  carryOut: async ({ ground, writing }) => {
    if (ground !== null) hand = open(ground);
    if (hand === null) throw new Error('A segment came before the ground of its lane.');
    return await write(await hand, writing);
  },
  along: ({ held }) => held?.blocks.map(({ buffer }) => buffer) ?? [],
  interrupt: () => cancelling.abort(),
  [Symbol.asyncDispose]: async () => {
    await hand?.catch(() => undefined);
    await opened.disposeAsync();
  },
});

// Before the first order comes, which may be long after.
await loadBindings();
