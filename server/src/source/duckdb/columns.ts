import { identifier } from '../../column/sql.ts';
import { type ColumnType, engineType } from '../../column/type.ts';
import { columnType } from '../engine-types.ts';
import type { DuckdbOptions } from '../options.ts';
import type { Rows } from '../read-rows.ts';
import type { DescribeAsk, PinnedFile, SourceColumn } from '../source.ts';

/** A describe ask whose files are found and pinned. */
export interface FilesAsk extends DescribeAsk {
  readonly options: DuckdbOptions;
  readonly inputs: readonly PinnedFile[];
}

/** The type declared for a source column, if any. A column may be called `constructor`. */
export function declaredType({ types }: DescribeAsk, name: string): ColumnType | undefined {
  return Object.hasOwn(types, name) ? types[name] : undefined;
}

/** Columns of a scan that carries types of its own; a declared type wins. `required` names columns that are never NULL. */
export function typedColumns(scan: Rows, ask: DescribeAsk, required: ReadonlySet<string>): SourceColumn[] {
  return scan.types.map((raw, at) => {
    const name = scan.names[at] ?? '';
    const type = declaredType(ask, name) ?? columnType(raw, name);
    const isAsIs = raw.sql === engineType(type) || type.is === 'json';
    const expression = isAsIs ? identifier(name) : `cast(${identifier(name)} as ${engineType(type)})`;
    return { name, type, nullable: !required.has(name), expression };
  });
}

/** SQL that turns a text into a value of the type; NULL stays NULL. */
export function fromText(text: string, type: ColumnType): string {
  if (type.is === 'text' || type.is === 'json') return text;
  if (type.is === 'bytes') return `from_base64(${text})`;
  if (type.is === 'list' || type.is === 'struct' || type.is === 'map')
    return `cast(${text}::JSON as ${engineType(type)})`;
  return `cast(${text} as ${engineType(type)})`;
}
