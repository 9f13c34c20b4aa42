/** Joins the segments of an output on a thread of its own, while the process's own thread writes the next ones. */
import { parentPort, workerData } from 'node:worker_threads';
import { type JoinOrder, type JoinReport, reportOf } from './files-beside.ts';
import { OutputFiles, type OutputGround } from './output-files.ts';
import type { PlannedOutput } from './plan.ts';

const { ground, output } = workerData as { ground: Omit<OutputGround, 'signal'>; output: PlannedOutput };
// Only documents heed it, and those are never made here.
const files = new OutputFiles({ ...ground, signal: new AbortController().signal }, output);

parentPort?.on('message', async (order: JoinOrder) => {
  parentPort?.postMessage(await carryOut(order));
  if (order.order === 'dispose') parentPort?.close();
});

async function carryOut(order: JoinOrder): Promise<JoinReport> {
  try {
    if (order.order === 'append') await files.append(order.segment);
    else if (order.order === 'dispose') await files[Symbol.asyncDispose]();
    const finished = order.order === 'finish' ? await files.finish() : [];
    return { report: 'done', rows: files.rows, bytes: files.bytes, finished };
  } catch (error) {
    return reportOf(error);
  }
}
