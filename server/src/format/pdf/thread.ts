/** A thread of its own, so that the process stays free to hear a cancel, and a second core has work. */
import { parentPort } from 'node:worker_threads';
import { type Batch, setBatch } from './set-batch.ts';

parentPort?.on('message', (batch: Batch) => {
  const result = setBatch(batch);
  const memory = 'documents' in result ? result.documents.map(({ bytes }) => bytes.buffer) : [];
  parentPort?.postMessage(result, memory);
});
