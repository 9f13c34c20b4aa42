import { refuse } from '../../base/errors.ts';
import type { Ask } from '../../job/ask.ts';
import type { Caller, Desk } from '../desk.ts';
import { MAX_NAMES } from './columns.ts';
import { type DataGroup, dataColumn } from './fields.ts';
import { ACTIVITIES } from './shapes.ts';

interface KeysAsk {
  readonly group: DataGroup;
  readonly window: Ask['window'];
  readonly filter?: unknown;
  /** How old the answer may be, in ms; left out, the keys are looked up now. */
  readonly forMs?: number;
}

/** The keys that rows have in a group, by their bytes. One more than `MAX_NAMES` where there are more. */
export async function findKeys(desk: Desk, caller: Caller, ask: KeysAsk): Promise<readonly string[]> {
  const { group, window, filter, forMs } = ask;
  const rows = await desk.read(caller, {
    dataset: ACTIVITIES.name,
    window,
    ...(filter === undefined ? {} : { filter }),
    columns: [{ name: 'key', keysOf: dataColumn(group) }],
    distinct: true,
    limit: MAX_NAMES + 1,
    ...(forMs === undefined ? {} : { forMs }),
  });
  return rows.map(({ key }) => String(key));
}

/** The keys as columns of an export. Throws `request.invalid` for more than can be columns. */
export function checkKeys(keys: readonly string[]): readonly string[] {
  if (keys.length > MAX_NAMES)
    throw refuse(
      '/custom_all',
      `The rows of this range and filter have more than ${MAX_NAMES} custom fields; allowed are ${MAX_NAMES}: name those you want in select.custom.`,
    );
  if (keys.some((key) => key.includes('\0')))
    throw refuse(
      '/custom_all',
      'The rows of this range and filter have a custom field with a NUL in its name; name those you want in select.custom.',
    );
  return keys;
}
