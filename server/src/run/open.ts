import { Engine } from '../source/engine.ts';
import type { Plan } from './plan.ts';

/** An engine that can read the plan's input and write into the stage (or nowhere) and do nothing else. */
export function openPlanned(plan: Plan, stage: string | null, threads: number): Promise<Engine> {
  const paths = plan.source.inputs.map(({ path }) => path);
  const [database] = paths;
  const isTable = plan.source.kind === 'table' && database !== undefined;
  return Engine.open({
    memoryBytes: plan.limits.memoryBytes,
    threads,
    stageFolder: stage,
    files: isTable ? [] : paths,
    ...(isTable ? { database } : {}),
  });
}

/** Interrupts the engine when the signal fires, until disposed. */
export function interrupting(signal: AbortSignal, engine: Engine): Disposable {
  const interrupt = () => engine.interrupt();
  signal.addEventListener('abort', interrupt);
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', interrupt) };
}
