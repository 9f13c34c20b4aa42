import { setImmediate as nextTurn } from 'node:timers/promises';
import { readEnvironment } from '../base/config.ts';
import type { EngineVersions, Limits } from '../run/plan.ts';
import type { Worker } from '../run/worker.ts';
import type { SourceShape } from '../source/source.ts';
import { UsageError } from './command.ts';
import type { ExportFlags } from './export-flags.ts';
import { readSize } from './size.ts';
import { findSubject, type Named, namesFiles, type Subject } from './subject.ts';

/** What is read, and by what means. */
export interface ExportInput {
  readonly subject: Subject;
  readonly shape: SourceShape;
  readonly engine: EngineVersions;
  readonly limits: Limits;
}

/** Bytes the engine may hold; the process around it takes about 150 MB more. */
const DEFAULT_MEMORY_BYTES = 300 * 1024 * 1024;
const MIN_MEMORY_BYTES = 64 * 1024 * 1024;

/** What is to be read, and with what. Throws UsageError for flags that mean neither. */
export function readInput({ subjects, values, threads }: ExportFlags): {
  readonly named: Named;
  readonly limits: Limits;
} {
  const { table, tenant, config, memory } = values;
  const memoryBytes = memory === undefined ? DEFAULT_MEMORY_BYTES : readMemory(memory);
  return {
    named: {
      subjects,
      table,
      tenant,
      config,
      allTenants: values['all-tenants'] ?? false,
      types: readTypes(values.types),
    },
    limits: { threads: threads ?? readEnvironment().threads, memoryBytes },
  };
}

/**
 * Gives what describes an export's input. Files by their path are ordered to be described at once, before anything else
 * is checked; any other input is looked up when it is asked for. What is asked rejects with UsageError for flags that name nothing.
 */
export async function orderInput(flags: ExportFlags, worker: Worker): Promise<() => Promise<ExportInput>> {
  if (!namesFiles(flags)) return () => describeInput(flags, worker);
  const input = describeInput(flags, worker);
  // Its error is met where the input is asked for.
  input.catch(() => undefined);
  // Then the order is sent.
  await nextTurn();
  return () => input;
}

async function describeInput(flags: ExportFlags, worker: Worker): Promise<ExportInput> {
  const { named, limits } = readInput(flags);
  const { format, order, distinct, explain } = flags.values;
  const subject = await findSubject(named);
  const isForLanes =
    ['csv', 'json', 'jsonl', 'xml'].includes(format ?? '') && order === undefined && !distinct && !explain;
  return { subject, limits, ...(await worker.describe(subject.ask, limits, isForLanes)) };
}

/** At commas outside of brackets. */
function splitOutside(text: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const char of text) {
    depth += Number(char === '(') - Number(char === ')');
    if (char === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts;
}

/** `a=int64,b=decimal(18,4)`: commas inside brackets belong to a type. */
function readTypes(text: string | undefined): Record<string, string> {
  const parts = text === undefined ? [] : splitOutside(text);
  return Object.fromEntries(
    parts.map((part) => {
      const at = part.indexOf('=');
      if (at <= 0) throw new UsageError(`--types takes name=type, …; "${part}" is not.`);
      return [part.slice(0, at).trim(), part.slice(at + 1).trim()];
    }),
  );
}

function readMemory(text: string): number {
  const bytes = readSize(text, '--memory');
  if (bytes < MIN_MEMORY_BYTES) throw new UsageError('--memory takes a size from 64MB, as 300MB or 2GB.');
  return bytes;
}
