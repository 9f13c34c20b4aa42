import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { readExportArgs } from '../src/cli/export-args.ts';
import { readExportFlags } from '../src/cli/export-flags.ts';
import { readInput } from '../src/cli/export-input.ts';
import { findSubject } from '../src/cli/subject.ts';
import { describeSource } from '../src/run/describe.ts';
import { execute } from '../src/run/execute.ts';
import { filesFolder, type OutputResult } from '../src/run/execution.ts';
import { makePlan, type Plan, type PlanAsk } from '../src/run/plan.ts';

export const LIMITS = { threads: 2, memoryBytes: 300 * 1024 * 1024 };

/** A folder of a test's own with everything below it removed on dispose. */
export class Yard implements Disposable {
  readonly root: string = realpathSync(mkdtempSync(join(tmpdir(), 'drayage-yard-')));
  readonly source: string = this.folder('source');
  readonly other: string = this.folder('other');
  #stages = 0;

  folder(name: string): string {
    const path = join(this.root, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** A new, empty stage. */
  stage(): string {
    this.#stages++;
    return this.folder(join('stages', String(this.#stages)));
  }

  get lastStage(): string {
    return join(this.root, 'stages', String(this.#stages));
  }

  write(name: string, content: string | Uint8Array): string {
    const path = join(this.source, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  /** Every path outside the stages with what it holds. */
  snapshot(): string {
    const outside = readdirSync(this.root).filter((name) => name !== 'stages');
    return outside
      .flatMap((name) => [name, ...entriesBelow(this.root, join(this.root, name))])
      .map((path) => `${path}\t${contentOf(join(this.root, path))}`)
      .join('\n');
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

function entriesBelow(root: string, folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return [relative(root, path), ...(entry.isDirectory() ? entriesBelow(root, path) : [])];
    })
    .sort();
}

function contentOf(path: string): string {
  const entry = lstatSync(path);
  if (entry.isSymbolicLink()) return `-> ${readlinkSync(path)}`;
  return entry.isFile() ? `${statSync(path).mtimeMs} ${readFileSync(path, 'base64')}` : 'folder';
}

export interface Exported {
  readonly plan: Plan;
  readonly results: readonly OutputResult[];
  readonly text: string;
}

/** Carries a plan out and gives the first output's bytes. */
export async function carryOut(plan: Plan, stage: string): Promise<Exported> {
  const results = await execute({ plan, stage, signal: new AbortController().signal, report: () => {} });
  return { plan, results, text: readFileSync(join(filesFolder(stage), plan.outputs[0]?.path ?? ''), 'utf8') };
}

/** The way of the command line, from its arguments to the finished files, in this process. */
export async function exportByArgs(args: readonly string[], stage: string): Promise<Exported> {
  return carryOut(await planByArgs(args), stage);
}

/** The same way as far as the plan. */
export async function planByArgs(args: readonly string[], describe = describeSource): Promise<Plan> {
  const flags = readExportFlags([...args, '--explain']);
  const read = readExportArgs(flags);
  const subject = await findSubject(readInput(flags).named);
  const { shape, engine } = await describe(subject.ask, LIMITS);
  const { filter, columns, order, distinct, window, format, compression } = read;
  const ask: PlanAsk = {
    window,
    distinct,
    outputs: [{ format, compression }],
    ...(filter === undefined ? {} : { filter }),
    ...(columns === undefined ? {} : { columns }),
    ...(order === undefined ? {} : { order }),
  };
  return makePlan(ask, {
    dataset: subject.dataset(shape),
    scope: subject.scope,
    shape,
    engine,
    limits: LIMITS,
    now: '2026-01-01T00:00:00.000Z',
  });
}
