import type { ColumnType } from '../src/column/type.ts';
import { HOSTILE } from './hostile.ts';

/** A value as each database's SQL writes it, and the text docs/values.md promises for it. */
interface Cell {
  readonly postgres: string;
  readonly duckdb: string;
  readonly text: string;
}

/** A column both databases can have. Rows that have no cell of it are NULL. */
export interface CellColumn {
  readonly name: string;
  readonly postgres: string;
  readonly duckdb: string;
  readonly type: ColumnType;
  readonly cells: readonly Cell[];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A value both read from the same text. */
function same(written: string, text = written): Cell {
  return { postgres: quoted(written), duckdb: quoted(written), text };
}

function two(postgres: string, duckdb: string, text: string): Cell {
  return { postgres: quoted(postgres), duckdb: quoted(duckdb), text };
}

/** Bytes, from their hexadecimal digits. */
function bytes(hex: string): Cell {
  const text = Buffer.from(hex, 'hex').toString('base64');
  return { postgres: quoted(`\\x${hex}`), duckdb: `unhex('${hex}')`, text };
}

// PostgreSQL's text cannot hold NUL.
const TEXTS = [
  ...HOSTILE.filter((text) => !text.includes('\0') && text.isWellFormed()),
  '',
  ' ',
  '\\N',
  '\\.',
  'NULL',
  '"',
  ',',
  '\r\n',
  '\t',
  'é漢🚚',
];

const MOMENTS = [
  same('2026-01-31 23:59:59.123456', '2026-01-31T23:59:59.123456'),
  same('2026-01-31 00:00:00', '2026-01-31T00:00:00.000000'),
  same('1969-12-31 23:59:59.999999', '1969-12-31T23:59:59.999999'),
  same('0001-01-01 00:00:00', '0001-01-01T00:00:00.000000'),
  same('9999-12-31 23:59:59.999999', '9999-12-31T23:59:59.999999'),
  same('10000-01-01 00:00:00', '+010000-01-01T00:00:00.000000'),
  same('294246-12-31 23:59:59.5', '+294246-12-31T23:59:59.500000'),
  two('0001-12-31 23:00:00 BC', '0001-12-31 (BC) 23:00:00', '0000-12-31T23:00:00.000000'),
  two('0044-03-15 12:00:00.25 BC', '0044-03-15 (BC) 12:00:00.25', '-000043-03-15T12:00:00.250000'),
  two('4713-01-01 00:00:00 BC', '4713-01-01 (BC) 00:00:00', '-004712-01-01T00:00:00.000000'),
];

const INFINITIES = [same('infinity'), same('-infinity')];

const INSTANTS = [
  ...MOMENTS.map(({ postgres, duckdb, text }) => ({
    postgres: postgres.endsWith(" BC'") ? postgres.replace(" BC'", "+00 BC'") : postgres.replace(/'$/, "+00'"),
    duckdb: duckdb.replace(/'$/, "+00'"),
    text: `${text}Z`,
  })),
  same('2026-06-30 12:00:00+05:30', '2026-06-30T06:30:00.000000Z'),
  ...INFINITIES,
];

const DATES = [
  same('2026-01-31'),
  same('0001-01-01'),
  same('9999-12-31'),
  same('10000-01-01', '+010000-01-01'),
  same('5874897-12-31', '+5874897-12-31'),
  two('0001-01-01 BC', '0001-01-01 (BC)', '0000-01-01'),
  two('0044-03-15 BC', '0044-03-15 (BC)', '-000043-03-15'),
  ...INFINITIES,
];

const FLOATS = [
  same('0', '0.0'),
  same('1', '1.0'),
  same('-2.5'),
  same('0.1'),
  same('0.0001'),
  same('1e-05'),
  same('1000000', '1000000.0'),
  same('NaN'),
  same('Infinity'),
  same('-Infinity'),
];

const DOUBLES = [
  ...FLOATS,
  same('100000000000000', '100000000000000.0'),
  same('1e15', '1000000000000000.0'),
  same('1234567890123456.5'),
  same('9999999999999998', '9999999999999998.0'),
  same('1e16', '1e+16'),
  same('1.7976931348623157e+308'),
  same('5e-324'),
  same('-0', '-0.0'),
];

const DECIMALS = ['0.0000', '-0.0001', '99999999999999.9999', '-99999999999999.9999', '1.1000'].map((text) =>
  same(text),
);

const JSONS = ['{"a": 1.10,  "b":[null,"x\\"y"]}', '12345678901234567890.123456789', '"é"', 'null', '[]'];

function column(
  name: string,
  [postgres, duckdb]: readonly [string, string],
  type: ColumnType,
  cells: readonly Cell[],
): CellColumn {
  return { name, postgres, duckdb, type, cells };
}

/** Extremes of every type, under names that have to be quoted. */
export const CELL_COLUMNS: readonly CellColumn[] = [
  column(
    'id',
    ['int4', 'INTEGER'],
    { is: 'integer', bits: 32 },
    Array.from({ length: TEXTS.length + 1 }, (_, at) => same(String(at))),
  ),
  column('Upper "quoted" name.with dot', ['boolean', 'BOOLEAN'], { is: 'bool' }, [same('true'), same('false')]),
  column('int2', ['int2', 'SMALLINT'], { is: 'integer', bits: 32 }, [same('-32768'), same('32767')]),
  column('int4', ['int4', 'INTEGER'], { is: 'integer', bits: 32 }, [same('-2147483648'), same('2147483647')]),
  column('int8 🚚', ['int8', 'BIGINT'], { is: 'integer', bits: 64 }, [
    same('-9223372036854775808'),
    same('9223372036854775807'),
  ]),
  column('numeric', ['numeric(18,4)', 'DECIMAL(18,4)'], { is: 'decimal', precision: 18, scale: 4 }, DECIMALS),
  column('fraction', ['numeric(4,4)', 'DECIMAL(4,4)'], { is: 'decimal', precision: 4, scale: 4 }, [
    same('0.5000'),
    same('-0.9999'),
  ]),
  column('huge', ['numeric(38,0)', 'DECIMAL(38,0)'], { is: 'decimal', precision: 38, scale: 0 }, [
    same('9'.repeat(38)),
    same(`-${'9'.repeat(38)}`),
  ]),
  column('float4', ['float4', 'FLOAT'], { is: 'float', bits: 32 }, [
    ...FLOATS,
    same('16777216', '16777216.0'),
    same('1234567.5'),
    same('3.4028235e+38'),
  ]),
  column('float8', ['float8', 'DOUBLE'], { is: 'float', bits: 64 }, DOUBLES),
  column(
    'text',
    ['text', 'VARCHAR'],
    { is: 'text' },
    TEXTS.map((text) => same(text)),
  ),
  column("it's", ['bytea', 'BLOB'], { is: 'bytes' }, [bytes(''), bytes('00ff5c22'), bytes('ab'.repeat(200))]),
  column('uuid', ['uuid', 'UUID'], { is: 'uuid' }, [
    same('00000000-0000-0000-0000-000000000000'),
    same('FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF', 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
  ]),
  column('date', ['date', 'DATE'], { is: 'date' }, DATES),
  column('time', ['time', 'TIME'], { is: 'time' }, [
    same('00:00:00', '00:00:00.000000'),
    same('23:59:59.999999'),
    same('24:00:00', '24:00:00.000000'),
  ]),
  column('timestamp', ['timestamp', 'TIMESTAMP'], { is: 'timestamp', unit: 'us' }, [...MOMENTS, ...INFINITIES]),
  column('timestamptz', ['timestamptz', 'TIMESTAMPTZ'], { is: 'instant', unit: 'us' }, INSTANTS),
  column(
    'json',
    ['json', 'JSON'],
    { is: 'json' },
    JSONS.map((text) => same(text)),
  ),
  column('int8[]', ['int8[]', 'BIGINT[]'], { is: 'list', of: { is: 'integer', bits: 64 } }, [
    two('{}', '[]', '[]'),
    two('{9007199254740993,NULL}', '[9007199254740993, NULL]', '[9007199254740993,null]'),
  ]),
  column(
    'numeric[]',
    ['numeric(20,4)[]', 'DECIMAL(20,4)[]'],
    { is: 'list', of: { is: 'decimal', precision: 20, scale: 4 } },
    [two('{1234567890123456.7890}', '[1234567890123456.7890]', '[1234567890123456.7890]')],
  ),
  column('text[]', ['text[]', 'VARCHAR[]'], { is: 'list', of: { is: 'text' } }, [
    two('{"","NULL",NULL,"a\\"b,{"}', '["", "NULL", NULL, "a\\"b,{"]', '["","NULL",null,"a\\"b,{"]'),
  ]),
  column('timestamptz[]', ['timestamptz[]', 'TIMESTAMPTZ[]'], { is: 'list', of: { is: 'instant', unit: 'us' } }, [
    two(
      '{"0044-03-15 12:00:00+00 BC",infinity}',
      '["0044-03-15 (BC) 12:00:00+00", "infinity"]',
      '["-000043-03-15T12:00:00.000000Z","infinity"]',
    ),
  ]),
  column('bytea[]', ['bytea[]', 'BLOB[]'], { is: 'list', of: { is: 'bytes' } }, [
    { postgres: `array['\\x00ff'::bytea, null]`, duckdb: `[unhex('00ff'), null]`, text: '["AP8=",null]' },
  ]),
];

/** Statements that make the table, one row for each place in the longest list of cells. */
export function tableStatements(kind: 'postgres' | 'duckdb', name: string): string[] {
  const names = CELL_COLUMNS.map((each) => `"${each.name.replaceAll('"', '""')}"`);
  const rows = Math.max(...CELL_COLUMNS.map(({ cells }) => cells.length));
  const values = Array.from(
    { length: rows },
    (_, row) => `(${CELL_COLUMNS.map((each) => `${each.cells[row]?.[kind] ?? 'null'}::${each[kind]}`).join(', ')})`,
  );
  return [
    `create table ${name} (${CELL_COLUMNS.map((each, at) => `${names[at]} ${each[kind]}`).join(', ')})`,
    `insert into ${name} values ${values.join(', ')}`,
  ];
}

/** What a reading of the table has to give, column by column in the order of id. */
export function expectedTexts({ cells }: CellColumn): (string | null)[] {
  const rows = Math.max(...CELL_COLUMNS.map((each) => each.cells.length));
  return Array.from({ length: rows }, (_, row) => cells[row]?.text ?? null);
}
