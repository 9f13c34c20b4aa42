import { open } from 'node:fs/promises';
import { Beside } from '../../base/beside.ts';
import type { PinnedFile } from '../source.ts';
import { type FoundRows, pieceBytesOf } from './file-pieces.ts';
import { JsonLines } from './json-lines.ts';
import { feedLines, readable } from './line-files.ts';
import { isPacked } from './unpacked.ts';

/** Files are read in stretches of about so many bytes, whoever reads them: where they are cut depends on nothing else. */
const STRETCH_BYTES = 32 * 1024 * 1024;

/** A thread takes 60 ms to start: so many stretches are worth it. */
const STRETCHES_BESIDE = 2;

/** More threads read faster than most disks give. */
const MAX_THREADS = 8;

/** Whole lines of a file. */
export interface Stretch {
  readonly path: string;
  readonly fromByte: number;
  /** Infinite for the end of the file. */
  readonly toByte: number;
  /** Of a piece at least. */
  readonly pieceBytes: number;
}

/** What is in the lines of a file, or of a stretch of it. */
export interface ScannedLines extends FoundRows {
  readonly columns: JsonLines['columns'];
}

/** Reads all lines of a file, by several threads where it is large. Throws what `feedLines` throws. */
export async function scanFile({ path, sizeBytes }: PinnedFile, threads: number): Promise<ScannedLines> {
  const stretches = await stretchesOf(path, sizeBytes);
  const few = Math.min(threads, MAX_THREADS, Math.floor(stretches.length / STRETCHES_BESIDE));
  const scanned = few > 1 ? await scanBeside(stretches, few) : await scanInTurn(stretches);
  return scanned.reduce(joined);
}

/** What becomes of one stretch. */
export async function scanStretch({ pieceBytes, ...stretch }: Stretch): Promise<ScannedLines> {
  using lines = new JsonLines([], true);
  const cuts = [{ row: 0, byte: stretch.fromByte }];
  let rows = 0;
  const bytes = await feedLines({
    ...stretch,
    lines,
    take: ({ start, end, nextByte }) => {
      rows += lines.read(start, end).rows;
      if (nextByte - (cuts.at(-1)?.byte ?? 0) >= pieceBytes) cuts.push({ row: rows, byte: nextByte });
      return true;
    },
  });
  const { columns, longest } = lines;
  return { columns, rowBytes: longest, rows, bytes, cuts: cuts.slice(1) };
}

async function scanInTurn(stretches: readonly Stretch[]): Promise<ScannedLines[]> {
  const scanned: ScannedLines[] = [];
  for (const stretch of stretches) scanned.push(await scanStretch(stretch));
  return scanned;
}

/** Each thread takes the next stretch. What fails first in the file is what is thrown. */
async function scanBeside(stretches: readonly Stretch[], count: number): Promise<ScannedLines[]> {
  await using opened = new AsyncDisposableStack();
  const threads = Array.from({ length: count }, () =>
    opened.use(new Beside<Stretch, ScannedLines>(new URL('./scan-thread.ts', import.meta.url), null)),
  );
  const scanned: Promise<ScannedLines>[] = [];
  const waiting = stretches.entries();
  await Promise.all(
    threads.map(async (thread) => {
      for (const [at, stretch] of waiting) {
        const done = thread.order(stretch);
        scanned[at] = done;
        const [{ status }] = await Promise.allSettled([done]);
        if (status === 'rejected') return;
      }
    }),
  );
  const all: ScannedLines[] = [];
  for (const each of scanned) all.push(await each);
  return all;
}

function joined(before: ScannedLines, next: ScannedLines): ScannedLines {
  const { rows: row, bytes: byte } = before;
  const cuts = next.cuts.map((cut) => ({ row: cut.row + row, byte: cut.byte }));
  return {
    columns: joinColumns(before.columns, next.columns),
    rowBytes: Math.max(before.rowBytes, next.rowBytes),
    rows: row + next.rows,
    bytes: byte + next.bytes,
    cuts: [...before.cuts, { row, byte }, ...cuts],
  };
}

/** In the order they first appear. */
export function joinColumns(before: JsonLines['columns'], next: JsonLines['columns']): JsonLines['columns'] {
  const holds = new Map(before.map((column) => [column.name, column.holds]));
  for (const { name, holds: more } of next) {
    const held = holds.get(name) ?? 'nothing';
    holds.set(name, held === 'nothing' || more === 'others' ? more : held);
  }
  return Array.from(holds, ([name, held]) => ({ name, holds: held }));
}

async function stretchesOf(path: string, sizeBytes: number): Promise<Stretch[]> {
  const pieceBytes = pieceBytesOf(path, sizeBytes);
  if (isPacked(path)) return [{ path, fromByte: 0, toByte: Number.POSITIVE_INFINITY, pieceBytes }];
  const starts = [0, ...(await readable(path, lineStarts(path, sizeBytes)))];
  return starts.map((fromByte, at) => ({
    path,
    fromByte,
    toByte: starts[at + 1] ?? Number.POSITIVE_INFINITY,
    pieceBytes,
  }));
}

/** Where the first line behind each stretch's bytes begins. */
async function lineStarts(path: string, sizeBytes: number): Promise<number[]> {
  const starts: number[] = [];
  if (sizeBytes < 2 * STRETCH_BYTES) return starts;
  const block = Buffer.allocUnsafe(64 * 1024);
  await using file = await open(path);
  for (let at = STRETCH_BYTES; at < sizeBytes; ) {
    const { bytesRead } = await file.read(block, 0, block.length, at);
    const end = block.subarray(0, bytesRead).indexOf('\n');
    if (bytesRead === 0) break;
    if (end >= 0) starts.push(at + end + 1);
    at += end >= 0 ? STRETCH_BYTES : bytesRead;
  }
  return starts.filter((start) => start < sizeBytes);
}
