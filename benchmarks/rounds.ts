import { type Cell, type Group, oursWords } from './cells.ts';
import { type CommandRun, failureWords, runOther, runOurs } from './command-run.ts';
import type { Ground } from './ground.ts';

/** What one command did in all rounds. After a failure it runs no more. */
export interface Side {
  readonly words: readonly string[];
  readonly runs: CommandRun[];
  failure: string | null;
}

/** A cell of ours with what it is compared with; the other side is the same in all cells of a group. */
export interface Result {
  readonly cell: Cell;
  readonly rows: number;
  readonly ours: Side;
  readonly other: Side | null;
}

/** Runs all commands of a group in turn, round by round. The first round of a comparison only warms up. */
export async function runGroup(
  group: Group,
  { ground, rows, runs }: { ground: Ground; rows: number; runs: number },
): Promise<Result[]> {
  const { source, cells, other } = group;
  const input = await ground.input(source, rows);
  const othersInput = await ground.input(other?.source ?? source, rows);
  const words = (output: string) => other?.words(othersInput, output) ?? [];
  const side = (theWords: readonly string[]): Side => ({ words: theWords, runs: [], failure: null });
  const theirs = other && side(words('OUT'));
  const results = cells.map((cell) => ({
    cell,
    rows,
    ours: side(oursWords(cell, source, ground, input)),
    other: theirs,
  }));
  // What is only watched is not worth as much time.
  const [first, last] = theirs ? [0, runs] : [1, Math.ceil(runs / 2)];
  for (let round = first; round <= last; round++) {
    for (const { ours } of results) {
      await take(ours, round, () => runOurs(ours.words, ground.folder, rows));
    }
    if (theirs) await take(theirs, round, () => runOther(words, ground.folder));
  }
  return results;
}

async function take(side: Side, round: number, run: () => Promise<CommandRun>): Promise<void> {
  if (side.failure !== null) return;
  try {
    const done = await run();
    if (round > 0) side.runs.push(done);
  } catch (error) {
    side.failure = failureWords(error);
  }
}
