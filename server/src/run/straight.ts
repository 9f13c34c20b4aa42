import { ISO } from '../column/instant.ts';
import { jsonHead } from '../column/text.ts';
import type { ColumnType } from '../column/type.ts';
import { isMade } from '../dataset/query.ts';
import type { CsvOptions, JsonlOptions, JsonOptions } from '../format/options.ts';
import {
  type CsvRows,
  type JsonMember,
  type JsonRows,
  type LiveRead,
  MAX_COLUMNS,
  MAX_HEADS_BYTES,
  type Piece,
} from '../source/source.ts';
import type { Plan, PlannedOutput } from './plan.ts';

/** How a live source writes an output's segments itself, in the very bytes the engine would; null where it cannot. */
export function straightRows(plan: Plan, output: PlannedOutput): CsvRows | JsonRows | null {
  const { format, columns } = output;
  if (plan.live === null || plan.live.landing !== null || columns !== undefined || !isPlain(plan)) return null;
  if (format.type === 'csv') return csvRows(plan, format);
  return format.type === 'json' || format.type === 'jsonl' ? jsonRows(plan, format) : null;
}

function isPlain(plan: Plan): boolean {
  const live = plan.source.live?.columns ?? [];
  const hasPlain = (wanted: string) => live.some(({ name, plain }) => name === wanted && plain !== null);
  const { columns } = plan.query;
  return columns.length <= MAX_COLUMNS && !columns.some(isMade) && straightRead(plan, null).columns.every(hasPlain);
}

/** The query's columns as the live source knows them. */
export function straightRead({ query, relation, live }: Plan, piece: Piece | null): LiveRead {
  const columns = query.columns.map(({ name }) => relation.find((column) => column.name === name)?.from ?? name);
  return { columns, where: live?.where ?? null, piece };
}

function csvRows(plan: Plan, format: CsvOptions): CsvRows | null {
  const { delimiter, nullText = '', lineEnd, formulaGuard, decimalComma, instants } = format;
  const isOrdinary = lineEnd === 'lf' && !formulaGuard && !decimalComma;
  return isOrdinary && areIso(plan, instants) ? { as: 'csv', text: 'plain', delimiter, nullText } : null;
}

function jsonRows(plan: Plan, format: JsonOptions | JsonlOptions): JsonRows | null {
  if (!areIso(plan, format.instants)) return null;
  const members = plan.query.columns.flatMap(({ name, type }, at): JsonMember[] => {
    const is = memberKind(type, format);
    return is === null ? [] : [{ head: jsonHead(name, at), is }];
  });
  const headBytes = members.reduce((sum, { head }) => sum + Buffer.byteLength(head) + '"'.length, 0);
  if (members.length < plan.query.columns.length || headBytes > MAX_HEADS_BYTES) return null;
  return { as: 'json', members, after: format.type === 'json' ? ',' : '' };
}

/** What a plain text becomes; null where JSON is made of the value otherwise. */
function memberKind(type: ColumnType, { nested, bigIntegers }: JsonOptions | JsonlOptions): JsonMember['is'] | null {
  switch (type.is) {
    case 'bool':
    case 'decimal':
      return 'bare';
    case 'integer':
      return type.bits === 64 && bigIntegers === 'string' ? 'string' : 'bare';
    case 'json':
      return nested === 'structure' ? 'json' : null;
    case 'float':
    case 'list':
    case 'struct':
    case 'map':
      return null;
    default:
      return 'string';
  }
}

function areIso({ query }: Plan, instants: string): boolean {
  return instants === ISO || !query.columns.some(({ type }) => type.is === 'instant');
}
