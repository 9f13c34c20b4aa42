import type { Column } from '../column/type.ts';

/** A column of a dataset: what readers see, and where it comes from. */
export interface DatasetColumn extends Column {
  /** Its name in the source's relation. */
  readonly from: string;
  readonly description: string | null;
  /** Never exported, filtered or ordered by; answered like a column that does not exist. */
  readonly hidden: boolean;
}

/** Whose rows they are: told by a column, or everybody's. */
type Tenancy = 'shared' | { readonly column: string };

/** A named relation with all that is declared of it. */
export interface Dataset {
  readonly name: string;
  readonly columns: readonly DatasetColumn[];
  /** Columns that together are different in every row; empty when none is known. */
  readonly key: readonly string[];
  /** The instant, timestamp or date column windows are cut on. */
  readonly time: string | null;
  readonly tenancy: Tenancy;
  /** How far back rows are offered, in days; null for no limit. */
  readonly lookbackDays: number | null;
}

/** What rows a plan may see. There is no default: a plan without a scope cannot be made. */
export type Scope =
  | { readonly is: 'tenant'; readonly tenant: string }
  | { readonly is: 'shared' }
  /** Every row; only the command line can make it. */
  | { readonly is: 'operator' };

/** The rows of a dataset that a tenant's job may see. */
export function scopeOf(dataset: Dataset, tenant: string): Scope {
  return dataset.tenancy === 'shared' ? { is: 'shared' } : { is: 'tenant', tenant };
}

/** The engine takes names that differ only in the case of ASCII letters for one and the same. */
export function foldName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** A name that is one to the engine with one before it. */
export function firstRepeated(names: readonly string[]): string | undefined {
  const folded = names.map(foldName);
  return names.find((_, at) => folded.indexOf(folded[at] ?? '') !== at);
}

/** The columns a caller may name: neither hidden nor the tenancy column. */
export function visibleColumns(dataset: Dataset): readonly DatasetColumn[] {
  const tenancyColumn = dataset.tenancy === 'shared' ? null : dataset.tenancy.column;
  return dataset.columns.filter((column) => !column.hidden && column.name !== tenancyColumn);
}

/** The visible column of that name, or undefined, alike for hidden and for unknown names. */
export function findVisible(dataset: Dataset, name: string): DatasetColumn | undefined {
  return visibleColumns(dataset).find((column) => column.name === name);
}

/** What to say of a name that is no visible column. */
export function unknownColumn(dataset: Dataset, name: string): string {
  const names = visibleColumns(dataset).map((column) => column.name);
  const listed = names.slice(0, 40).join(', ');
  const label = name.length > 100 ? 'That name' : `"${name}"`;
  return `${label} is not a column of ${dataset.name}; allowed are ${listed}${names.length > 40 ? ', …' : ''}.`;
}
