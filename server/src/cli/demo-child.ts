/** A process of its own for the engine that makes the demo data: the command line never loads it. */
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type FaultRecord, recordOf } from '../base/errors.ts';
import { Engine } from '../source/engine.ts';
import type { DemoSlice } from './demo-events.ts';

export interface DemoOrder {
  readonly folder: string;
  readonly slices: readonly DemoSlice[];
}

/** The fault that kept it from making the files, or null. */
export interface DemoReport {
  readonly fault: FaultRecord | null;
}

const MEMORY_BYTES = 160 * 1024 * 1024;

process.once('message', (order: DemoOrder) => void carryOut(order));
// Both may reach the whole process group; the parent decides what they mean.
process.on('SIGINT', () => {}).on('SIGTERM', () => {});
// The parent has its answer or is gone; a native statement would keep the process.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

async function carryOut({ folder, slices }: DemoOrder): Promise<void> {
  const failed = await Promise.all(slices.map((slice) => make(slice, folder))).then(
    () => null,
    (error: unknown) => recordOf(error),
  );
  process.send?.({ fault: failed } satisfies DemoReport);
}

/** On one thread, so that the bytes do not depend on timing. */
async function make({ file, sql }: DemoSlice, folder: string): Promise<void> {
  const stage = join(folder, `${file}.stage`);
  {
    await using engine = await Engine.open({ memoryBytes: MEMORY_BYTES, threads: 1, stageFolder: stage, files: [] });
    const session = await engine.session();
    const options = 'format parquet, compression zstd, row_group_size 122880';
    await session.copy({ select: sql, path: join(stage, file), options });
  }
  await rename(join(stage, file), join(folder, file));
  await rm(stage, { recursive: true });
}
