import { refuse } from '../../base/errors.ts';
import { foldName } from '../../dataset/dataset.ts';
import type { AskedColumn } from '../../dataset/query.ts';
import { CONNECTION, DATA_GROUPS, type DataGroup, dataColumn, STANDARD } from './fields.ts';
import type { Options } from './options.ts';

/** Names of each group of columns, in the order they are printed in. */
export type Selection = Readonly<Record<'standard' | DataGroup, readonly string[]>>;

/** Names that one group may have. */
export const MAX_NAMES = 2000;

/** The columns of a selection: standard ones under their own names, others behind their group's. */
export function columnsOf(selection: Selection, { booleans }: Options): readonly AskedColumn[] {
  const capitals = booleans === 'TRUE' ? { capitals: true } : {};
  const inside = DATA_GROUPS.flatMap((group) => {
    const column = dataColumn(group);
    return selection[group].map((name) => ({ name: `${column}.${name}`, column, path: [name], ...capitals }));
  });
  return [...selection.standard, ...tellApart(inside)];
}

/** Names that are one to the engine but for upper and lower case get another after the first, and keep theirs in the file. */
function tellApart<T extends { readonly name: string }>(columns: readonly T[]): readonly (T & { label?: string })[] {
  const taken = new Set(columns.map(({ name }) => foldName(name)));
  const seen = new Set<string>();
  return columns.map((column) => {
    const { name } = column;
    if (!seen.has(foldName(name))) {
      seen.add(foldName(name));
      return column;
    }
    let number = 2;
    while (taken.has(foldName(`${name} ${number}`))) number++;
    taken.add(foldName(`${name} ${number}`));
    return { ...column, name: `${name} ${number}`, label: name };
  });
}

/** The names, each once. Throws `request.invalid` for one that the group has not, at its place in `list`. */
export function readNames(group: keyof Selection, names: readonly string[], list: string): readonly string[] {
  return checkNames(group, names, (at) => `${list}/${at}`);
}

function checkNames(
  group: keyof Selection,
  names: readonly string[],
  placeOf: (at: number) => string,
): readonly string[] {
  const known = KNOWN[group];
  const at = known === undefined ? -1 : names.findIndex((name) => !known.includes(name));
  if (known !== undefined && at >= 0) {
    const name = names[at] ?? '';
    throw refuse(
      placeOf(at),
      `${name.length > 100 ? 'That name' : `"${name}"`} is no ${group} field; allowed are ${known.join(', ')}.`,
    );
  }
  const unsayable = names.findIndex((name) => name.includes('\0'));
  if (unsayable >= 0) throw refuse(placeOf(unsayable), 'The name has a NUL in it; allowed are names without.');
  return [...new Set(names)];
}

/** Groups whose names are the same for every site. */
const KNOWN: Partial<Record<keyof Selection, readonly string[]>> = { standard: STANDARD, connection: CONNECTION };

const NOTHING: Selection = { standard: [], connection: [], custom: [], render: [] };

/** Of the older export: what is always printed, before what is asked for. */
const ALWAYS = ['id', 'signer_id', 'created_time'];

/** Reads a list of fields with commas between, those of a group behind its name: `batch,connection_data.page_url`. */
export function readFields(text: string | undefined): Selection {
  if (text === undefined || text.trim() === '') return { ...NOTHING, standard: STANDARD };
  const selection: Record<keyof Selection, string[]> = {
    standard: [...ALWAYS],
    connection: [],
    custom: [],
    render: [],
  };
  for (const field of text.split(',').map((each) => each.trim())) {
    const group = DATA_GROUPS.find((each) => field.startsWith(`${dataColumn(each)}.`));
    const name = group ? field.slice(dataColumn(group).length + 1) : field;
    if (name === '') throw refuse('/fields', 'A field in it is empty; allowed are names with commas between.');
    selection[group ?? 'standard'].push(name);
  }
  const named = (group: keyof Selection) => checkNames(group, selection[group], () => '/fields');
  return {
    standard: named('standard'),
    connection: named('connection'),
    custom: named('custom'),
    render: named('render'),
  };
}
