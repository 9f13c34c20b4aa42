import type { Caller, Desk } from '../desk.ts';
import { ACTIVITY_COLUMNS } from './fields.ts';
import { ACTIVITIES } from './shapes.ts';

export type Row = Readonly<Record<string, unknown>>;

/** The activities of the ids, in their order; none for an id of nobody. */
export async function findRows(desk: Desk, caller: Caller, ids: readonly string[]): Promise<readonly Row[]> {
  if (ids.length === 0) return [];
  const rows = await desk.read(caller, {
    dataset: ACTIVITIES.name,
    filter: { id: { in: ids } },
    columns: ACTIVITY_COLUMNS.map(({ name }) => name),
    limit: ids.length,
  });
  const byId = new Map(rows.map((row) => [String(row.id), row] as const));
  return ids.map((id) => byId.get(id)).filter((row) => row !== undefined);
}
