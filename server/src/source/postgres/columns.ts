import { identifier } from '../../column/sql.ts';
import { type ColumnType, engineType, isNested } from '../../column/type.ts';
import { landedText } from '../landed-text.ts';
import type { LiveColumn, Sent, SourceColumn } from '../source.ts';
import type { Attribute, CatalogType, Relation } from './catalog.ts';
import { sentText, sentValue } from './cells.ts';

const SIMPLE: Readonly<Record<string, ColumnType>> = {
  bool: { is: 'bool' },
  int2: { is: 'integer', bits: 32 },
  int4: { is: 'integer', bits: 32 },
  int8: { is: 'integer', bits: 64 },
  oid: { is: 'integer', bits: 64 },
  float4: { is: 'float', bits: 32 },
  float8: { is: 'float', bits: 64 },
  bytea: { is: 'bytes' },
  uuid: { is: 'uuid' },
  date: { is: 'date' },
  time: { is: 'time' },
  timestamp: { is: 'timestamp', unit: 'us' },
  timestamptz: { is: 'instant', unit: 'us' },
  json: { is: 'json' },
  jsonb: { is: 'json' },
};

/** Bytes a type's modifier counts before the value. */
const MODIFIER_OFFSET = 4;

/** Most digits a decimal of the engine holds. */
const MAX_DIGITS = 38;

/** A column as a plan has it, and as this source reads it. */
export interface ReadColumn {
  readonly column: SourceColumn;
  readonly live: LiveColumn;
}

/** A column with its declared type, or else the one it has by itself. */
export function readColumn(attribute: Attribute, relation: Relation, declared: ColumnType | undefined): ReadColumn {
  const { name, type: from, isRequired } = attribute;
  const natural = naturalType(from);
  const type = declared ?? natural;
  const landed = landedSql(name, from, type);
  const isNatural = type.is === natural.is && engineType(type) === engineType(natural);
  return {
    column: { name, type, nullable: !isRequired, expression: fromLanded(cellText(name, from), from, type) },
    live: {
      name,
      landed,
      plain: plainOf(attribute, { type, isNatural, landed, encoding: relation.encoding }),
      natural: isNatural ? comparedAs(attribute, type, relation.encoding) : null,
    },
  };
}

/** The type's name where conditions mean the same to the server; text of no known bytes, or equal to other text, is none. */
function comparedAs({ type: from, isDeterministic }: Attribute, type: ColumnType, encoding: string): string | null {
  if (type.is === 'text' && !(isDeterministic && encoding === 'UTF8')) return null;
  if (type.is === 'decimal') return `numeric(${type.precision},${type.scale})`;
  return from.name === '' || from.item ? null : from.name;
}

function naturalType(from: CatalogType): ColumnType {
  if (from.item) return from.item.isComposite ? { is: 'json' } : { is: 'list', of: naturalType(from.item) };
  if (from.isComposite) return { is: 'json' };
  if (from.name === 'numeric') return decimalType(from.typmod) ?? { is: 'text' };
  return (Object.hasOwn(SIMPLE, from.name) ? SIMPLE[from.name] : undefined) ?? { is: 'text' };
}

/** Null for a numeric without bounds, and for bounds no decimal of the engine has. */
function decimalType(typmod: number): ColumnType | null {
  if (typmod < MODIFIER_OFFSET) return null;
  const bits = typmod - MODIFIER_OFFSET;
  const precision = (bits >> 16) & 0xffff;
  // Eleven bits with a sign.
  const scale = ((bits & 0x7ff) ^ 1024) - 1024;
  return precision <= MAX_DIGITS && scale >= 0 && scale <= precision ? { is: 'decimal', precision, scale } : null;
}

/** SQL (PostgreSQL) of what lands: the text PostgreSQL itself gives, or JSON where that is no value's text. */
function landedSql(name: string, from: CatalogType, type: ColumnType): string {
  const column = identifier(name);
  if (type.is === 'text') return column;
  if (from.item) return isListed(from, type) ? itemsSql(column, from.item) : `pg_catalog.to_json(${column})`;
  if (from.isComposite) return `pg_catalog.to_json(${column})`;
  if (from.name === 'numeric') return exactSql(column, from, type);
  return column;
}

/** Whether an array lands as its items' texts, so that no number goes through a float. */
function isListed(from: CatalogType, type: ColumnType): type is ColumnType & { is: 'list' } {
  return from.item !== null && !from.item.isComposite && type.is === 'list' && !isNested(type.of);
}

/** Arrays of arrays are of the same type as plain ones, but no list. A cast to text would cut the blanks off bpchar. */
function itemsSql(column: string, item: CatalogType): string {
  const items = item.name === 'bpchar' ? column : `${column}::pg_catalog.text[]`;
  return `case when pg_catalog.array_ndims(${column}) > 1 then pg_catalog.to_json(${refused(`pg_catalog.array_ndims(${column})`, 'int4')}) else pg_catalog.to_json(${items}) end`;
}

/** The engine would round digits away without a word. */
function exactSql(column: string, from: CatalogType, type: ColumnType): string {
  const has = decimalType(from.typmod);
  const scale = type.is === 'decimal' ? type.scale : type.is === 'integer' ? 0 : null;
  if (scale === null || (has?.is === 'decimal' && has.scale <= scale)) return column;
  return `case when ${column} = pg_catalog.round(${column}, ${scale}) then ${column} else ${refused(column, 'numeric')} end`;
}

/** SQL that fails with invalid_text_representation for every value it is asked of. */
function refused(column: string, type: 'numeric' | 'int4'): string {
  return `pg_catalog.concat('refused: ', ${column})::pg_catalog.${type}`;
}

/** SQL (DuckDB) of the text that PostgreSQL gave. */
function cellText(name: string, from: CatalogType): string {
  const isOneLine = Object.hasOwn(SIMPLE, from.name) && from.name !== 'json';
  return isOneLine || from.name === 'numeric' ? identifier(name) : landedText(identifier(name));
}

/** SQL (DuckDB) that makes the value of that text. */
function fromLanded(text: string, from: CatalogType, type: ColumnType): string {
  if (isListed(from, type)) {
    const items = `from_json(${text}, '["VARCHAR"]')`;
    const item = fromLanded('item', from.item ?? from, type.of);
    return item === 'item' ? items : `list_transform(${items}, lambda item: ${item})`;
  }
  switch (type.is) {
    case 'text':
    case 'json':
      return text;
    case 'bytes':
      return from.name === 'bytea' ? `unhex(substr(${text}, 3))` : `from_base64(${text})`;
    case 'date':
    case 'timestamp':
    case 'instant':
      return `cast(${beforeChrist(text)} as ${engineType(type)})`;
    case 'list':
    case 'struct':
    case 'map':
      return `cast(${text}::JSON as ${engineType(type)})`;
    default:
      return `cast(${text} as ${engineType(type)})`;
  }
}

/** PostgreSQL writes `0044-03-15 12:00:00 BC`, the engine reads `0044-03-15 (BC) 12:00:00`. */
function beforeChrist(text: string): string {
  return `case when ends_with(${text}, ' BC') then regexp_replace(${text}, '^(\\S+)(.*) BC$', '\\1 (BC)\\2') else ${text} end`;
}

interface PlainAsk {
  readonly type: ColumnType;
  readonly isNatural: boolean;
  readonly landed: string;
  readonly encoding: string;
}

function plainOf({ name, type: from }: Attribute, { type, isNatural, landed, encoding }: PlainAsk): Sent | null {
  const isText = type.is === 'text' || (type.is === 'json' && isNatural);
  // The server refuses what is no UTF-8. Of text whose encoding it does not know, the engine takes a second look.
  if (isText) return encoding === 'SQL_ASCII' ? null : sentText(landed, from.name);
  return isNatural ? sentValue(name, type, from.name) : null;
}
