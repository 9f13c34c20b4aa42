import { refuse } from '../base/errors.ts';
import type { ColumnDeclaration, DatasetDeclaration } from './declaration.ts';

/** A dataset that a dialect asks for: a dataset of the configuration of the same name fills it. */
export interface Shape {
  /** `shoal.events`: the dialect, a dot, and what the rows are. */
  readonly name: string;
  readonly columns: readonly ShapeColumn[];
  /** Columns that together are different in every row. */
  readonly key: readonly string[];
  /** The column windows are cut on, or null for rows without a time. */
  readonly time: string | null;
}

export interface ShapeColumn {
  readonly name: string;
  /** As a configuration names types: `int64`, `instant(ms)`, `list(int64)`, … */
  readonly type: string;
  readonly description?: string;
}

/**
 * A declaration with all that its shape says filled in: columns it leaves out, types, key and time.
 * Columns beyond the shape's stay. Throws `request.invalid` where it says otherwise than the shape.
 */
export function fillShape<D extends DatasetDeclaration>(declaration: D, shape: Shape): D {
  const declared = declaration.columns ?? [];
  const own = shape.columns.map((column): ColumnDeclaration => {
    const at = declared.findIndex(({ name }) => name === column.name);
    return fillColumn(declared[at], column, `/columns/${at}`);
  });
  const others = declared.filter(({ name }) => !shape.columns.some((column) => column.name === name));
  if (declaration.key && !isSame(declaration.key, shape.key))
    throw refuse('/key', `The key of ${shape.name} is ${shape.key.join(', ')}; leave it out.`);
  if (declaration.time !== undefined && declaration.time !== shape.time)
    throw refuse('/time', `The time of ${shape.name} is ${shape.time ?? 'none'}; leave it out.`);
  const time = shape.time === null ? {} : { time: shape.time };
  return { ...declaration, columns: [...own, ...others], key: [...shape.key], ...time };
}

function fillColumn(declared: ColumnDeclaration | undefined, shape: ShapeColumn, pointer: string): ColumnDeclaration {
  const { name, type, description } = shape;
  if (declared?.hidden) throw refuse(`${pointer}/hidden`, `"${name}" is exported, so it cannot be hidden.`);
  if (declared?.type !== undefined && declared.type !== type)
    throw refuse(`${pointer}/type`, `"${name}" is of type ${type} here; leave the type out.`);
  return { ...(description === undefined ? {} : { description }), ...declared, name, type };
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((each, at) => each === others[at]);
}
