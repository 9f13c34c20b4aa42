import type { ColumnType } from '../src/column/type.ts';
import type { DatasetColumn } from '../src/dataset/dataset.ts';

/** A column that is called in its source as here. */
export function column(name: string, type: ColumnType, hidden = false): DatasetColumn {
  return { name, type, nullable: true, from: name, description: null, hidden };
}
