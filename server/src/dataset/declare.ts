import { Fault, refuse } from '../base/errors.ts';
import { type Column, type ColumnType, nameOf } from '../column/type.ts';
import { parseType } from '../column/type-name.ts';
import { type Dataset, type DatasetColumn, firstRepeated } from './dataset.ts';
import type { ColumnDeclaration, DatasetDeclaration } from './declaration.ts';

/** Types the declaration states, by source column. Throws `request.invalid` for a type there is not. */
export function declaredTypes(declaration: DatasetDeclaration): Record<string, ColumnType> {
  return Object.fromEntries(
    (declaration.columns ?? []).flatMap(({ name, from = name, type }, at) =>
      type === undefined ? [] : [[from, parseType(type, `/columns/${at}/type`)]],
    ),
  );
}

/** The dataset a declaration and the source's columns make together. Throws `request.invalid` where they do not fit. */
export function declareDataset(name: string, declaration: DatasetDeclaration, found: readonly Column[]): Dataset {
  const columns = declaration.columns?.map((column, at) => declareColumn(column, at, found)) ?? found.map(plain);
  const names = columns.map((column) => column.name);
  const twice = firstRepeated(names);
  if (twice !== undefined)
    throw refuse(`/columns/${names.indexOf(twice)}`, `"${twice}" is declared twice, apart from upper and lower case.`);
  const { tenancy, key = [], time = null } = declaration;
  const referred = [...key, ...(time === null ? [] : [time]), ...(tenancy === 'shared' ? [] : [tenancy.column])];
  const missing = referred.find((each) => !names.includes(each));
  if (missing !== undefined)
    throw new Fault('request.invalid', `Dataset ${name} has no column "${missing}" for its key, time or tenancy.`);
  checkTenancy(columns, tenancy);
  return {
    name,
    columns,
    key,
    time,
    tenancy,
    lookbackDays: declaration.lookback ? Number.parseInt(declaration.lookback, 10) : null,
  };
}

/** No tenant's name equals a value of these, so every request would be refused. */
const NAMELESS: ReadonlySet<ColumnType['is']> = new Set(['bool', 'bytes', 'json', 'list', 'struct', 'map']);

function checkTenancy(columns: readonly DatasetColumn[], tenancy: Dataset['tenancy']): void {
  const type = tenancy === 'shared' ? undefined : columns.find(({ name }) => name === tenancy.column)?.type;
  if (type && NAMELESS.has(type.is))
    throw refuse(
      '/tenancy/column',
      `The column is of type ${nameOf(type)}, which no tenant's name can be compared with; declare its type under columns, as text or int64.`,
    );
}

function declareColumn(column: ColumnDeclaration, at: number, found: readonly Column[]): DatasetColumn {
  const from = column.from ?? column.name;
  const origin = found.find((each) => each.name === from);
  if (!origin) {
    throw refuse(
      `/columns/${at}`,
      `The source has no column "${from}"; it has ${found
        .map((each) => each.name)
        .slice(0, 40)
        .join(', ')}.`,
    );
  }
  return {
    ...plain(origin),
    name: column.name,
    description: column.description ?? null,
    hidden: column.hidden ?? false,
  };
}

function plain({ name, type, nullable }: Column): DatasetColumn {
  return { name, type, nullable, from: name, description: null, hidden: false };
}
