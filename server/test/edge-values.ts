import { type Column, type ColumnType, engineType } from '../src/column/type.ts';

/** A type, SQL of values at its edges, and SQL that makes many more of a row's number i. */
type Edge = readonly [ColumnType, readonly string[], string];

export const EDGES: readonly Edge[] = [
  [{ is: 'bool' }, ['true', 'false'], 'i % 3 = 0'],
  [
    { is: 'integer', bits: 32 },
    ['-2147483648', '2147483647', '0', '-1', '99999999', '100000000'],
    '(i * 7919) % 2147483647',
  ],
  [
    { is: 'integer', bits: 64 },
    ['-9223372036854775808', '9223372036854775807', '0', '10000000000000000', '9999999999999999', '-100000000'],
    '(hash(i) >> (i % 63 + 1)) * (1 - 2 * (i % 2))',
  ],
  [{ is: 'decimal', precision: 4, scale: 1 }, ['-999.9', '999.9', '0.1', '-0.1', '0'], '((i * 31) % 9999) / 10'],
  [{ is: 'decimal', precision: 4, scale: 4 }, ['-0.9999', '0.0001', '0'], '((i * 31) % 9999) / 10000'],
  [{ is: 'decimal', precision: 9, scale: 0 }, ['-999999999', '999999999', '0'], 'i * 104729 % 999999999'],
  [{ is: 'decimal', precision: 18, scale: 4 }, ['-99999999999999.9999', '0.0001', '-1.5'], 'i * 1.0001'],
  [{ is: 'decimal', precision: 18, scale: 18 }, ['-0.999999999999999999', '0.000000001', '0'], '(i % 1000) / 1000'],
  [{ is: 'decimal', precision: 38, scale: 9 }, ['-12345678901234567890123456789.5', '0'], 'i / 7'],
  [
    { is: 'uuid' },
    [
      "'00000000-0000-0000-0000-000000000000'",
      "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
      "'80000000-0000-0000-8000-000000000001'",
    ],
    'md5(i::varchar)',
  ],
  [
    { is: 'date' },
    [
      "'0001-01-01'",
      "'0000-12-31'",
      "'9999-12-31'",
      "'10000-01-01'",
      "'0044-03-15 (BC)'",
      "'infinity'",
      "'-infinity'",
      "'2000-02-29'",
    ],
    "date '1600-03-01' + (i * 61)::integer",
  ],
  [
    { is: 'time' },
    ["'00:00:00'", "'24:00:00'", "'23:59:59.999999'"],
    "time '00:00:00' + to_microseconds(i * 7919000123 % 86400000000)",
  ],
  [
    { is: 'timestamp', unit: 'us' },
    [
      "'0001-01-01'",
      "'0000-12-31 23:59:59.999999'",
      "'9999-12-31 23:59:59.999999'",
      "'10000-01-01'",
      "'infinity'",
      "'-infinity'",
      "'294247-01-10 04:00:54.775806'",
      "'0044-03-15 (BC) 12:00:00.5'",
    ],
    "timestamp '1583-01-01' + to_microseconds(i * 987654321987)",
  ],
  [
    { is: 'instant', unit: 'us' },
    ["'0001-01-01 00:00:00+00'", "'290309-12-22 (BC) 00:00:00+00'", "'infinity'", "'1969-12-31 23:59:59.999999+00'"],
    "timestamptz '1900-01-01 00:00:00+00' + to_microseconds(i * 987654321987)",
  ],
  [{ is: 'json' }, [`'{"a": [1.10, "x"]}'`, `'"'`.replace('"', '1')], "json_object('i', i)"],
  [{ is: 'float', bits: 64 }, ["'nan'", '1e22', '0.1', "'-infinity'"], 'i / 7.0'],
];

/** 5,000 rows of a column an edge: the edges first, then others and NULL. */
export function edgeRows(edges: readonly Edge[]): { columns: Column[]; relation: string } {
  const columns = edges.map(([type], at): Column => ({ name: `c${at}`, type, nullable: true }));
  const items = edges.map(([type, values, many], at) => {
    const cast = (sql: string) => `(${sql})::${engineType(type)}`;
    const cases = values.map((edge, row) => `when ${row} then ${cast(edge)}`).join(' ');
    return `case when i >= 20 and i % 11 = ${at % 11} then null when i < 20 then case i ${cases} end else ${cast(many)} end as c${at}`;
  });
  return { columns, relation: `(select ${items.join(', ')} from range(5000) t(i))` };
}
