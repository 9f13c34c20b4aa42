import { readOperand, readText } from '../column/operand.ts';
import { identifier } from '../column/sql.ts';
import type { ColumnType } from '../column/type.ts';
import type { DatasetColumn } from './dataset.ts';
import type { Filter, Test } from './filter.ts';
import { COMPARISONS, readItems, readWanted } from './filter-operand.ts';

/**
 * Source column → its type's name in PostgreSQL (`pg_type.typname`: int8, text, timestamptz, bpchar;
 * for numeric with its precision and scale: `numeric(10,2)`), for columns whose values are read
 * without any change and whose text is compared byte by byte (a deterministic collation, UTF-8).
 */
export type NaturalTypes = ReadonlyMap<string, string>;

/**
 * SQL (PostgreSQL) of a filter over the source's own columns, true for exactly the rows for which
 * DuckDB's SQL is true; null where that cannot be said. Like there, the result may be NULL where it
 * counts as false.
 */
export function postgresSql(filter: Filter, natural: NaturalTypes): string | null {
  if (filter.is === 'test') return testSql(filter, natural);
  if (filter.is === 'not') return complement(postgresSql(filter.of, natural));
  if (filter.of.length === 0) return 'true';
  const parts = filter.of.map((each) => postgresSql(each, natural));
  return parts.includes(null) ? null : `(${parts.join(` ${filter.is} `)})`;
}

function testSql(test: Test, natural: NaturalTypes): string | null {
  if (test.verb === 'ne') return complement(testSql({ ...test, verb: 'eq' }, natural));
  if (test.verb === 'nin') return complement(testSql({ ...test, verb: 'in' }, natural));
  const { type, from } = test.column;
  if (test.path.length > 0 || !isPair(type, natural.get(from))) return null;
  return columnTest(test, identifier(from));
}

function complement(sql: string | null): string | null {
  return sql === null ? null : `((${sql}) is not true)`;
}

function columnTest(test: Test, column: string): string | null {
  const { verb, operand, pointer } = test;
  const { type } = test.column;
  const comparison = COMPARISONS[verb];
  if (verb === 'exists') return `${column} is ${readWanted(test) ? 'not ' : ''}null`;
  if (verb === 'eq' && operand === null) return `${column} is null`;
  if (verb === 'in') return membership(test, column);
  if (type.is === 'text') return textTest(test, column);
  return comparison ? compare(column, comparison, postgresOperand(type, operand, pointer)) : null;
}

function compare(column: string, comparison: string, operand: string | null): string | null {
  return operand === null ? null : `${column} ${comparison} ${operand}`;
}

function textTest({ verb, operand, pointer }: Test, column: string): string | null {
  readText(operand, pointer);
  const text = String(operand);
  const comparison = COMPARISONS[verb];
  if (comparison) return compareText(column, comparison, text);
  if (verb !== 'contains' && verb !== 'startsWith') return null;
  if (text.includes('\0')) return 'false';
  return verb === 'contains'
    ? `strpos(${column}, ${textLiteral(text)}) > 0`
    : `starts_with(${column}, ${textLiteral(text)})`;
}

/** Equality is by bytes under every deterministic collation, and without `collate` any index serves it. */
function compareText(column: string, comparison: string, text: string): string {
  const nul = text.indexOf('\0');
  if (comparison === '=') return nul < 0 ? `${column} = ${textLiteral(text)}` : 'false';
  if (nul < 0) return `${column} collate "C" ${comparison} ${textLiteral(text)}`;
  // No text of PostgreSQL holds NUL, so none lies between what stands before the first NUL and the whole.
  return `${column} collate "C" ${comparison.startsWith('>') ? '>' : '<='} ${textLiteral(text.slice(0, nul))}`;
}

function membership(test: Test, column: string): string | null {
  const { type } = test.column;
  const items = readItems(test);
  const operands = items.flatMap((item, at) =>
    item === null || (type.is === 'text' && String(item).includes('\0'))
      ? []
      : [postgresOperand(type, item, `${test.pointer}/${at}`)],
  );
  if (operands.includes(null)) return null;
  const isIn = operands.length === 0 ? 'false' : `${column} in (${operands.join(', ')})`;
  return items.includes(null) ? `(${isIn} or ${column} is null)` : isIn;
}

/** An order by the column, NULLs last, that is DuckDB's; null where that cannot be said. */
export function postgresOrder(
  { type, from }: Pick<DatasetColumn, 'type' | 'from'>,
  direction: 'asc' | 'desc',
  natural: NaturalTypes,
): string | null {
  if (!isPair(type, natural.get(from))) return null;
  return `${identifier(from)}${type.is === 'text' ? ' collate "C"' : ''} ${direction} nulls last`;
}

/** What DuckDB's literals may look like to mean the same in PostgreSQL. */
const SAME_LITERAL =
  /^(?:true|false|'[-+.:\w ]*'::(?:INTEGER|BIGINT|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|UUID|DATE|TIME|TIMESTAMP|TIMESTAMPTZ))$/;

/** An operand as a literal of PostgreSQL; null for one that is not known to mean the same there. */
function postgresOperand(type: ColumnType, operand: unknown, pointer: string): string | null {
  const sql = readOperand(type, operand, pointer);
  if (type.is === 'text') return textLiteral(String(operand));
  if (!SAME_LITERAL.test(sql)) return null;
  // PostgreSQL's FLOAT has 64 bits.
  return sql.replace(/::FLOAT$/, '::float4').replace(/::DOUBLE$/, '::float8');
}

/** A text without NUL as a literal of PostgreSQL, whatever `standard_conforming_strings` is. */
export function textLiteral(text: string): string {
  if (text.includes('\0')) throw new RangeError('PostgreSQL has no text with NUL.');
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return quoted.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

/** Whether the column's values and their order are the same in both. */
function isPair(type: ColumnType, name: string | undefined): boolean {
  if (name === undefined) return false;
  switch (type.is) {
    case 'integer':
      return name === 'int2' || name === 'int4' || (type.bits === 64 && name === 'int8');
    case 'float':
      return name === (type.bits === 32 ? 'float4' : 'float8');
    case 'decimal':
      return isWithin(type, /^numeric\((\d+),(\d+)\)$/.exec(name));
    case 'text':
      return name === 'text' || name === 'varchar';
    case 'timestamp':
      return name === 'timestamp' && type.unit === 'us';
    case 'instant':
      return name === 'timestamptz';
    case 'bool':
    case 'uuid':
    case 'date':
    case 'time':
      return name === type.is;
    default:
      return false;
  }
}

/** Values with more decimals than declared would be rounded on the way into DuckDB. */
function isWithin(type: ColumnType & { is: 'decimal' }, numeric: RegExpExecArray | null): boolean {
  if (numeric === null) return false;
  const [precision, scale] = [Number(numeric[1]), Number(numeric[2])];
  return scale <= type.scale && precision - scale <= type.precision - type.scale;
}
