import { identifier } from '../../column/sql.ts';
import type { ColumnType } from '../../column/type.ts';

/**
 * SQL (PostgreSQL) of the plain text of a column that is of its natural type, the same text
 * `plainText` gives in the engine; null where there is none: of several shortest texts of a float the
 * two do not choose the same.
 */
export function plainSql(name: string, type: ColumnType): string | null {
  const column = identifier(name);
  switch (type.is) {
    case 'bool':
      return `case when ${column} then 'true' when not ${column} then 'false' end`;
    case 'integer':
    case 'uuid':
      return column;
    case 'decimal':
      return `case when ${column} = 'NaN'::pg_catalog.numeric then ${refused(column, 'numeric')} else ${column} end`;
    case 'bytes':
      return `pg_catalog.replace(pg_catalog.encode(${column}, 'base64'), pg_catalog.chr(10), '')`;
    case 'date':
      return dateSql(column);
    case 'time':
      return `pg_catalog.to_char(${column}, 'HH24:MI:SS.US')`;
    case 'timestamp':
      return isoSql(column, 'timestamp', '');
    case 'instant':
      return isoSql(column, 'timestamptz', '"Z"');
    default:
      return null;
  }
}

/** SQL that fails with invalid_text_representation for every value it is asked of. */
export function refused(column: string, type: 'numeric' | 'int4'): string {
  return `pg_catalog.concat('refused: ', ${column})::pg_catalog.${type}`;
}

/** Dates reach further than what to_char takes, so the parts are cut out of PostgreSQL's own text, `0044-03-15 BC`. */
function dateSql(column: string): string {
  const usual = `${column}::pg_catalog.text`;
  const [year, month, day] = [1, 2, 3].map((at) => `pg_catalog.split_part(${usual}, '-', ${at})`);
  const first = `pg_catalog.date '0001-01-01'`;
  return momentSql(column, {
    first,
    end: `pg_catalog.date '10000-01-01'`,
    usual,
    year: `(case when ${column} < ${first} then 1 - ${year}::pg_catalog.int4 else ${year}::pg_catalog.int4 end)`,
    rest: `'-' || ${month} || '-' || pg_catalog.substr(${day}, 1, 2)`,
  });
}

/** to_char is the fastest of what PostgreSQL has for this: casting and then replacing the blank takes longer. */
function isoSql(column: string, type: 'timestamp' | 'timestamptz', zone: string): string {
  const pattern = `-MM-DD"T"HH24:MI:SS.US${zone}`;
  const offset = type === 'timestamptz' ? '+00' : '';
  const first = `pg_catalog.${type} '0001-01-01 00:00:00${offset}'`;
  return momentSql(column, {
    first,
    end: `pg_catalog.${type} '10000-01-01 00:00:00${offset}'`,
    usual: `pg_catalog.to_char(${column}, 'YYYY${pattern}')`,
    // There is no year 0 in PostgreSQL: 1 BC is year 0 of ISO.
    year: `(pg_catalog.date_part('year', ${column})::pg_catalog.int4 + case when ${column} < ${first} then 1 else 0 end)`,
    rest: `pg_catalog.to_char(${column}, '${pattern}')`,
  });
}

interface Moment {
  /** The first moment of the years 1 to 9999, and the first behind them. */
  readonly first: string;
  readonly end: string;
  /** The text within those years. */
  readonly usual: string;
  /** Of others, the year of ISO and the text behind it. */
  readonly year: string;
  readonly rest: string;
}

function momentSql(column: string, { first, end, usual, year, rest }: Moment): string {
  const digits = `pg_catalog.abs(${year})::pg_catalog.text`;
  const expanded = `case when ${year} < 0 then '-' else '+' end || pg_catalog.lpad(${digits}, greatest(6, pg_catalog.length(${digits})), '0')`;
  const years = `case when ${year} = 0 then '0000' else ${expanded} end`;
  return `case when ${column} >= ${first} and ${column} < ${end} then ${usual} when pg_catalog.isfinite(${column}) then ${years} || ${rest} else ${column}::pg_catalog.text end`;
}
