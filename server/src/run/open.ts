import { Fault } from '../base/errors.ts';
import { Engine } from '../source/engine.ts';
import type { SourceOptions } from '../source/options.ts';
import type { LiveReader } from '../source/source.ts';
import { loadSource } from '../source/sources.ts';
import type { Plan } from './plan.ts';

/** What an engine may use. */
export interface Means {
  readonly threads: number;
  readonly memoryBytes: number;
  /** As the engine has them. */
  readonly sessions?: number;
  readonly keepsFiles?: boolean;
}

/** An engine that can read the plan's input and write into the stage (or nowhere) and do nothing else. */
export function openPlanned(plan: Plan, stage: string | null, means: Means): Promise<Engine> {
  const paths = plan.source.inputs.map(({ path }) => path);
  const [database] = paths;
  const isTable = plan.source.kind === 'table' && database !== undefined;
  return Engine.open({
    ...means,
    stageFolder: stage,
    files: isTable ? [] : paths,
    ...(isTable ? { database } : {}),
  });
}

interface Opened extends Means {
  readonly engine: Engine;
}

/** The engine of a run. Opening one takes 25 ms of a processor, so a step takes over the one before's that may use as much. */
export class PlannedEngine implements AsyncDisposable {
  readonly #plan: Plan;
  readonly #stage: string;
  #opened: Opened | null = null;

  constructor(plan: Plan, stage: string) {
    this.#plan = plan;
    this.#stage = stage;
  }

  /** It is open until another is asked for, or this is disposed. It has all memory of the run but where less is asked for. */
  async with(threads: number, memoryBytes: number = this.#plan.limits.memoryBytes): Promise<Engine> {
    const opened = this.#opened;
    if (opened?.threads === threads && opened.memoryBytes === memoryBytes) return opened.engine;
    await this[Symbol.asyncDispose]();
    // Only lanes have several at a time.
    const sessions = this.#plan.limits.threads;
    const engine = await openPlanned(this.#plan, this.#stage, { threads, memoryBytes, sessions });
    this.#opened = { threads, memoryBytes, engine };
    return engine;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = this.#opened;
    this.#opened = null;
    await opened?.engine[Symbol.asyncDispose]();
  }
}

/** Connections to the plan's live relation, one for each thread at most. */
export async function openLive(plan: Plan, access: SourceOptions, signal: AbortSignal): Promise<LiveReader> {
  const { open } = await loadSource(plan.source.type);
  if (!open || access.type !== plan.source.type)
    throw new Fault('source.changed', 'The dataset is read from another kind of source than was planned.');
  return open({ shape: plan.source, options: access, lanes: plan.limits.threads, signal });
}

/** An interrupt that comes between two statements stops neither, so it is repeated this often. */
const REPEAT_MS = 50;

/** Interrupts the engine once the signal has fired, until disposed. */
export function interrupting(signal: AbortSignal, engine: Engine): Disposable {
  let timer: NodeJS.Timeout | undefined;
  const interrupt = () => {
    engine.interrupt();
    timer = setInterval(() => engine.interrupt(), REPEAT_MS);
  };
  if (signal.aborted) interrupt();
  else signal.addEventListener('abort', interrupt);
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
      signal.removeEventListener('abort', interrupt);
    },
  };
}
