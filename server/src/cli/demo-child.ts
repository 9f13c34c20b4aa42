/** A process of its own for the engine that makes the demo data: the command line never loads it. */
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type FaultRecord, recordOf } from '../base/errors.ts';
import { Engine } from '../source/engine.ts';
import type { DemoSlice } from './demo-slice.ts';

export interface DemoOrder {
  readonly folder: string;
  readonly slices: readonly DemoSlice[];
}

export interface DemoReport {
  /** The fault that kept it from making the files, or null. */
  readonly fault: FaultRecord | null;
  /** Rows of each slice, as the engine tells them. */
  readonly rows: readonly number[];
}

const MEMORY_BYTES = 160 * 1024 * 1024;
/** Two, as the large slices are: the small ones follow on the engines that are open already. */
const LANES = 2;

process.once('message', (order: DemoOrder) => void carryOut(order));
// Both may reach the whole process group; the parent decides what they mean.
process.on('SIGINT', () => {}).on('SIGTERM', () => {});
// The parent has its answer or is gone; a native statement would keep the process.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

async function carryOut(order: DemoOrder): Promise<void> {
  const waiting = order.slices.entries();
  const rows: number[] = [];
  const fault = await Promise.all(
    Array.from({ length: LANES }, (_, lane) => make(order, { lane, waiting, rows })),
  ).then(
    () => null,
    (error: unknown) => recordOf(error),
  );
  process.send?.({ fault, rows } satisfies DemoReport);
}

interface Lane {
  readonly lane: number;
  /** What no lane has taken yet, by its place in the order. */
  readonly waiting: Iterable<[number, DemoSlice]>;
  readonly rows: number[];
}

/** On one thread, so that the bytes do not depend on timing. */
async function make({ folder }: DemoOrder, { lane, waiting, rows }: Lane): Promise<void> {
  const stage = join(folder, `${lane}.stage`);
  {
    await using engine = await Engine.open({ memoryBytes: MEMORY_BYTES, threads: 1, stageFolder: stage, files: [] });
    const session = await engine.session();
    const options = 'format parquet, compression zstd, row_group_size 122880';
    for (const [at, { file, sql }] of waiting) {
      rows[at] = await session.copy({ select: sql, path: join(stage, file), options });
      await rename(join(stage, file), join(folder, file));
    }
  }
  await rm(stage, { recursive: true });
}
