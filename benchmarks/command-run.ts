import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Measured, measure } from './measure.ts';

/** Longer words would make a table unreadable. */
const MAX_FAILURE_CHARS = 300;

/** A command that did its work once. */
export interface CommandRun extends Measured {
  readonly bytes: number;
}

/** Runs our command into a new folder and removes what it made. Throws unless its manifest has all the rows. */
export async function runOurs(words: readonly string[], folder: string, rows: number): Promise<CommandRun> {
  const output = join(folder, 'ours');
  rmSync(output, { recursive: true, force: true });
  const measured = await measure([...words, '--to', output]);
  const manifest = JSON.parse(readFileSync(join(output, 'manifest.json'), 'utf8'));
  const written = manifest.outputs[0].rowsWritten;
  if (written !== rows) throw new Error(`the manifest has ${written} rows instead of ${rows}`);
  const files = readdirSync(output).filter((name) => name !== 'manifest.json');
  const bytes = files.reduce((sum, name) => sum + statSync(join(output, name)).size, 0);
  rmSync(output, { recursive: true });
  return { ...measured, bytes };
}

/** Runs a command of others that writes one file, and removes it. Throws when there is none, or an empty one. */
export async function runOther(words: (output: string) => readonly string[], folder: string): Promise<CommandRun> {
  const output = join(folder, 'other');
  rmSync(output, { force: true });
  const measured = await measure(words(output));
  const bytes = existsSync(output) ? statSync(output).size : 0;
  if (bytes === 0) throw new Error('it wrote nothing');
  rmSync(output);
  return { ...measured, bytes };
}

/** Why something failed, short enough for a cell of a table; paths are those within the project. */
export function failureWords(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  const inside = words.replaceAll(fileURLToPath(new URL('../', import.meta.url)), '');
  return inside.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').slice(0, MAX_FAILURE_CHARS);
}
