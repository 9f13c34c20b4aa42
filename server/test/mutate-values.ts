import { anyText, draws, fc } from './draws.ts';

/** A value that JSON.stringify would not write as it is. */
export class Raw {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Wrong for every property there is: none takes numbers that long, or lists and objects that deep. */
export const NEVER_RIGHT: readonly unknown[] = [
  new Raw('1e400'),
  new Raw('-1e400'),
  new Raw('9007199254740993'),
  new Raw('-9007199254740993'),
  new Raw('1'.repeat(60)),
  new Raw('0.12345678901234567890123'),
  new Raw(`${'['.repeat(5000)}${']'.repeat(5000)}`),
  new Raw(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`),
  new Raw(`${'['.repeat(210)}1e400${']'.repeat(210)}`),
];

/** No JSON at all, wherever it stands. */
export const NO_JSON = [
  'NaN',
  'Infinity',
  '-Infinity',
  'undefined',
  "'text'",
  '01',
  '.5',
  '+1',
  '0x10',
  '"a\nb"',
  '{a:1}',
];

/** Of every JSON type, with what loose readers would take for another. */
export const ALL_KINDS: readonly unknown[] = [
  ...[null, true, false, 0, 1, -1, 1.5, -0.5, 1e300, 2 ** 53 - 1],
  ...[
    '',
    ' ',
    'text',
    '5',
    '-1',
    'NaN',
    'null',
    'true',
    '[]',
    '{}',
    '\0',
    '\u{1f600}',
    'x'.repeat(600),
    'x'.repeat(5000),
  ],
  ...[[], [null], [1], [''], ['text'], [[]], [{}], ['a', 'a'], Array.from({ length: 2001 }, (_, at) => `c${at}`)],
  ...[
    {},
    { type: null },
    { type: 'text' },
    { type: ['csv'] },
    { length: 1 },
    { $ne: null },
    { '': '' },
    { toString: 1 },
  ],
];

export const ILL_FORMED = ['\ud800', 'text\udc00', '\udfff\ud800', 'a\ud83d'];

export const BAD_INSTANTS = [
  ...[
    '',
    ' ',
    'now',
    'yesterday',
    'NaN',
    'Invalid Date',
    '0',
    '1767225600',
    '1767225600000',
    '2026',
    '2026-01',
    '2026-1-1',
  ],
  ...['2026-13-01', '2026-00-01', '2026-01-32', '2026-02-30', '2026-04-31', '2025-02-29', '0000-01-01', '-2026-01-01'],
  ...['20260101', '2026-W01-1', '2026-001', '01.02.2026', '1/2/2026', '+010000-01-01', ' 2026-01-01', '2026-01-01 '],
  ...['2026-01-01T00', '2026-01-01T00:00', '2026-01-01T00:00:00', '2026-01-01T24:00:00Z', '2026-01-01T25:00:00Z'],
  ...['2026-01-01T00:60:00Z', '2026-01-01T00:00:60Z', '2026-01-01T00:00:00+16:00', '2026-01-01T00:00:00+00:60'],
  ...['2026-01-01T00:00:00.1234567Z', '2026-01-01T00:00:00.Z', '2026-01-01T00:00:00 UTC', '2026-01-01T00:00:00ZZ'],
  ...[
    '٢٠٢٦-٠١-٠١',
    '2026–01–01',
    '2026-01-01\n',
    '2026-01-01\0',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
  ],
];

const BAD_COLUMNS = [
  ...[
    'nope',
    'secret',
    '-secret',
    'tenant',
    '-tenant',
    'ID',
    'Id',
    'id ',
    ' id',
    '--id',
    '-',
    '*',
    'id,kind',
    'id; drop',
  ],
  ...[
    '"id"',
    'events.id',
    'data.n',
    'rowid',
    'filename',
    '__proto__',
    'constructor',
    'toString',
    'id\0',
    'i\u0064\u0301',
    '1',
  ],
];

const BAD_OPERANDS: Readonly<Record<string, readonly unknown[]>> = {
  id: [
    true,
    {},
    [],
    'abc',
    '',
    ' 1',
    '1.5',
    1.5,
    '1e3',
    '0x1',
    'NaN',
    '9223372036854775808',
    '-9223372036854775809',
    1e300,
  ],
  big: [false, { a: 1 }, [1], 'Infinity', '1,5', '１', '1 ', 2 ** 63, '99999999999999999999'],
  amount: [true, {}, [], 'abc', '', '1.2.3', '1,5', '.5', '5.', '+5', '1e', '1e99999', 'NaN', 'Infinity'],
  at: [...BAD_INSTANTS, 5, true, {}, []],
  kind: [5, true, {}, [], [['a']]],
  note: [0, false, { eq: 'x' }, ['x']],
  'data.n': [{}, [], { eq: 1 }, [1]],
  data: ['text', 5, true, [], {}],
};

const COMPARISONS = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'];

const BAD_SHAPES: readonly unknown[] = [
  ...[
    { and: [] },
    { or: [] },
    { and: {} },
    { or: 'x' },
    { and: null },
    { and: [5] },
    { or: [{}, null] },
    { and: [[]] },
  ],
  ...[
    { not: [] },
    { not: 5 },
    { not: null },
    { not: 'x' },
    { not: { nope: { eq: 1 } } },
    { AND: [{}] },
    { $and: [{}] },
  ],
  ...[{ id: {} }, { id: 5 }, { id: null }, { id: 'x' }, { id: [] }, { id: [{ eq: 1 }] }, { id: { eq: 1, nope: 1 } }],
  ...[{ and: Array.from({ length: 1001 }, () => ({ id: { eq: 1 } })) }, { id: { in: Array(10_001).fill(1) } }],
  nested({ id: { eq: 1 } }, 51),
  nested({ id: { eq: 1 } }, 90),
];

function nested(inner: object, levels: number): object {
  return levels === 0 ? inner : { not: nested(inner, levels - 1) };
}

/** Filters that are objects and yet wrong. */
function badFilters(): unknown[] {
  const operands = Object.entries(BAD_OPERANDS).flatMap(([column, values]) => [
    ...COMPARISONS.flatMap((verb) => values.map((value) => ({ [column]: { [verb]: value } }))),
    ...values.map((value) => ({ [column]: { in: [value] } })),
    ...['x', 5, null, {}, true].map((value) => ({ [column]: { nin: value } })),
    ...['true', 1, 0, null, [], {}].map((value) => ({ [column]: { exists: value } })),
    ...['gt', 'gte', 'lt', 'lte'].map((verb) => ({ [column]: { [verb]: null } })),
    ...['contains', 'startsWith', 'matches'].flatMap((verb) =>
      [5, null, true, [], {}].map((value) => ({ [column]: { [verb]: value } })),
    ),
    ...fc.sample(word, draws({ few: 3, many: 8 })).map((verb) => ({ [column]: { [`x${verb}`]: 1 } })),
  ]);
  const columns = BAD_COLUMNS.filter((name) => name !== 'data.n' && name !== '__proto__');
  const unknown = [...columns, ...WORDS].map((name) => ({ [name]: { eq: 1 } }));
  const onText = ['contains', 'startsWith', 'matches'].map((verb) => ({ id: { [verb]: 'x' } }));
  const onLists = ['id', 'kind', 'at'].map((name) => ({ [name]: { has: 'x' } }));
  return [...BAD_SHAPES, ...operands, ...unknown, ...onText, ...onLists, { note: { matches: 'x'.repeat(1001) } }];
}

/** Any text without half surrogates. */
export const word = anyText({ maxLength: 30 });

const WORDS = fc.sample(word, draws({ few: 8, many: 30 })).map((text) => `x${text}`);

const NAMES_AFTER_ID = BAD_COLUMNS.map((name) => ['id', name]);

const BAD_DELIMITERS = [
  '',
  'a',
  'Z',
  '0',
  '9',
  '"',
  '\n',
  '\r',
  '\0',
  'é',
  ',,',
  ';;',
  '\t\t',
  '\u{1f600}',
  '\x7f',
  ' ,',
];

const BAD_PATTERNS = [
  '',
  'ISO',
  'iso ',
  'epoch',
  'epoch_ns',
  '%',
  '%Q',
  '%A',
  'YYYY',
  '%Y"%m',
  '%Y\n',
  '%Y;%m',
  '%Y'.repeat(65),
  ...WORDS,
];

/** Values of the right type that mean nothing, by the property's pointer. */
export const BAD_MEANINGS: Readonly<Record<string, readonly unknown[]>> = {
  '/dataset': [...WORDS, 'EVENTS', 'events ', '../events', '__proto__', 'constructor'],
  '/tenant': [...WORDS, 'globex', 'ACME', 'acme ', '*', '%'],
  '/window/start': BAD_INSTANTS,
  '/window/end': [
    ...BAD_INSTANTS,
    '2026-01-01',
    '2025-12-31',
    '2025-12-31T23:59:59.999999Z',
    '2026-01-01T01:00:00+02:00',
  ],
  '/filter': badFilters(),
  '/columns': [...NAMES_AFTER_ID, ['id', 'id'], ['kind', 'id', 'kind']],
  '/columns/0': [...BAD_COLUMNS, ...WORDS],
  '/order': NAMES_AFTER_ID,
  '/order/0': [...BAD_COLUMNS, ...WORDS],
  '/format/delimiter': BAD_DELIMITERS,
  '/format/instants': BAD_PATTERNS,
  '/format/nullText': ['"', 'a"b', '\n', '\r', '\0', 'a\r\nb', ',', 'a,b', 'x'.repeat(101)],
  '/compression': ['GZIP', 'gzip ', 'ZSTD', 'deflate', 'br', 'none\0', ...WORDS],
};
