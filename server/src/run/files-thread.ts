/** Joins the segments of an output on a thread of its own, while the process's own thread writes the next ones. */
import { workerData } from 'node:worker_threads';
import { obey } from '../base/beside.ts';
import type { Joined, JoinOrder } from './files-beside.ts';
import { OutputFiles, type OutputGround } from './output-files.ts';
import type { PlannedOutput } from './plan.ts';

const { ground, output } = workerData as { ground: Omit<OutputGround, 'signal'>; output: PlannedOutput };
// Only documents heed it, and those are never made here.
const files = new OutputFiles({ ...ground, signal: new AbortController().signal }, output);

obey<JoinOrder, Joined>({
  carryOut: async (order) => {
    if (order.order === 'append') await files.append(order.segment);
    const finished = order.order === 'finish' ? await files.finish() : [];
    return { rows: files.rows, bytes: files.bytes, finished };
  },
  [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
});
