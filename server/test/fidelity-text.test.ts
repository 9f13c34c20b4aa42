import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { ColumnType } from '../src/column/type.ts';
import { parseType } from '../src/column/type-name.ts';
import { calmTable, nestedCalmTable, type Table } from './arbitrary-table.ts';
import type { Expected } from './compare-pairs.ts';
import { fc } from './draws.ts';
import { FidelityGround, manyLines, whyNoReaders } from './fidelity-ground.ts';
import type { Value } from './model.ts';
import { carriedOut, exported, format, planOf } from './table-export.ts';
import { csvText, jsonlText } from './text-files.ts';

/** Random files of each test; the soak draws many, and DRAYAGE_FIDELITY_RUNS says how many. */
const RUNS = Number(process.env.DRAYAGE_FIDELITY_RUNS ?? (process.env.DRAYAGE_SOAK === undefined ? 2 : 100));

const BOUNDED = {
  numRuns: RUNS,
  interruptAfterTimeLimit: Math.max(60_000, RUNS * 5000),
  markInterruptAsFailure: false,
};

const FORMATS = [
  format({ type: 'csv', nullText: '' }),
  format({ type: 'json', nonFinite: 'string' }),
  format({ type: 'parquet', compression: 'zstd' }),
];

const OTHERS = [
  format({ type: 'csv', nullText: '' }),
  format({ type: 'xml' }),
  format({ type: 'avro', codec: 'deflate' }),
];

suite('every value of a text file survives', { skip: whyNoReaders() }, () => {
  let ground: FidelityGround;
  let files = 0;

  before(async () => {
    ground = await FidelityGround.open();
  });

  after(() => ground[Symbol.asyncDispose]());

  async function written(ending: string, content: string): Promise<string> {
    const file = join(ground.folder, `${files++}.${ending}`);
    await writeFile(file, content);
    return file;
  }

  test('CSV with declared types', async () => {
    const dialect = fc.record({
      delimiter: fc.constantFrom(',', ';', '\t'),
      lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
      quotesAll: fc.boolean(),
      blanks: fc.constantFrom('', ' ', '   '),
    });
    // A header with line ends in it is refused.
    const tables = calmTable.map((table) => named(table, (name) => name.replaceAll(/[\r\n]/g, ' ')));
    const property = fc.asyncProperty(tables, dialect, async (table, { delimiter, ...rest }) => {
      const file = await written('csv', csvText(table, { delimiter, ...rest }));
      await ground.assertExports({ file, delimiter, types: typesOf(table) }, FORMATS, table);
    });
    await fc.assert(property, BOUNDED);
  });

  test('JSON lines with declared types', async () => {
    const property = fc.asyncProperty(calmTable, fc.boolean(), async (table, leavesOut) => {
      const file = await written('jsonl', jsonlText(table, leavesOut));
      await ground.assertExports({ file, types: typesOf(table) }, OTHERS, table);
    });
    await fc.assert(property, BOUNDED);
  });

  test('JSON lines with declared lists, structs and maps', async () => {
    const property = fc.asyncProperty(nestedCalmTable, async (table) => {
      const file = await written('jsonl', jsonlText(table, false));
      await ground.assertExports({ file, types: typesOf(table) }, OTHERS, table);
    });
    await fc.assert(property, BOUNDED);
  });

  test('CSV that says nothing of types is text, whatever it looks like', async () => {
    const cells = [
      '1.10',
      '007',
      '12345678901234567890',
      'true',
      '2026-01-31',
      '1e5',
      'NULL',
      'null',
      'NaN',
      '{"a": 1.10}',
      ' x ',
      '',
    ];
    const file = await written(
      'csv',
      `id,cell\n${cells.map((cell, at) => `${at},"${cell.replaceAll('"', '""')}"`).join('\n')}\n98,\n`,
    );
    await ground.assertExports({ file }, [...FORMATS, ...OTHERS], {
      rows: cells.length + 1,
      columns: [
        { name: 'id', type: { is: 'text' }, values: [...cells.map((_, at) => `${at}`), '98'] },
        { name: 'cell', type: { is: 'text' }, values: [...cells, null] },
      ],
    });
  });

  /** The engine guesses what is quoted wherever it begins to read in the middle of a file, which is every 16 MB. */
  for (const lineEnd of ['\n', '\r\n']) {
    test(`CSV of 17 MB whose texts have many lines, each row ended by ${JSON.stringify(lineEnd)}`, async () => {
      const table = manyLines(2500);
      const file = await written('csv', csvText(table, { delimiter: ',', lineEnd, quotesAll: true }));
      assert.ok((await stat(file)).size > 17e6);
      await ground.assertExports({ file }, lineEnd === '\n' ? FORMATS : OTHERS.slice(0, 1), table);
    });
  }

  test('the first line of a CSV, whatever it looks like, names its columns', async () => {
    const headers: readonly (readonly [string, string, string])[] = [
      ['#id,b', '#id', 'b'],
      ['1,2', '1', '2'],
      [' a , b', ' a ', ' b'],
      [' "a, b"  ,  "c" ', 'a, b', 'c'],
      ['"x ""y""",z', 'x "y"', 'z'],
      ['a,A', 'a', 'A_1'],
      ['id,', 'id', 'column1'],
      ['\u{feff}a,b', 'a', 'b'],
      ['2026-01-01,true', '2026-01-01', 'true'],
    ];
    for (const [header, first, second] of headers) {
      const file = await written('csv', `${header}\n#3,\n"a\nb","c\r\n"\n`);
      await ground.assertExports({ file }, FORMATS, {
        rows: 2,
        columns: [
          { name: first, type: { is: 'text' }, values: ['#3', 'a\nb'] },
          { name: second, type: { is: 'text' }, values: [null, 'c\r\n'] },
        ],
      });
    }
  });

  test('a CSV whose lines do not fit its first one is refused', async () => {
    const wrong = ['', '\na,b\n1,2\n', 'a,b\n1,2,3\n', 'a,b\n1\n', 'a,"b\nc"\n1,2\n', '"a,b\n1,2\n', 'a,b\n"1,2\n'];
    for (const content of wrong) {
      const file = await written('csv', content);
      await assert.rejects(
        exported({ file }, FORMATS, ground.folder),
        { code: 'source.refused' },
        JSON.stringify(content),
      );
    }
  });

  test('a row of a CSV that has other cells than the first one is told by its number', async () => {
    const file = await written('csv', `a,b\n${'1,2\n'.repeat(3000)}1\n${'1,2\n'.repeat(3000)}`);
    const message = `A row has more or fewer cells than the first line. It is row 3001 of ${basename(file)}.`;
    for (const more of [{}, { order: ['-a'] }]) {
      const ask = {
        outputs: FORMATS.map((each) => ({ format: each, compression: { type: 'none' } as const })),
        ...more,
      };
      const plan = await planOf({ file }, ask);
      await assert.rejects(carriedOut(plan, ground.folder), { code: 'source.refused', message });
    }
  });

  test('bytes that are no UTF-8 are refused, and the line is named', async () => {
    const wrong = [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0xbd], [0xf4, 0x90, 0x80, 0x80], [0x80]];
    for (const [at, bytes] of wrong.entries()) {
      const [ending, start, end] =
        at % 2 === 0
          ? ['csv', `id,cell\n${'1,x\n'.repeat(40_000)}2,a`, 'b\n3,y\n']
          : ['jsonl', '{"cell":"x"}\n{"cell":"a', 'b"}\n'];
      const file = join(ground.folder, `${files++}.${ending}`);
      await writeFile(file, Buffer.concat([Buffer.from(start), Buffer.from(bytes), Buffer.from(end)]));
      const line = at % 2 === 0 ? 40_002 : 2;
      const message = `A text is not valid UTF-8. It stands in line ${line} of ${basename(file)}.`;
      await assert.rejects(exported({ file }, FORMATS, ground.folder), { code: 'value.refused', message }, `${bytes}`);
    }
  });

  test('JSON lines that say nothing of types keep the text of numbers', async () => {
    const numbers = [
      '1.10',
      '-0',
      '12345678901234567890.123456789',
      '1E+5',
      '0.10e-7',
      '9007199254740993',
      '-1',
      '1e400',
    ];
    const lines = numbers.map(
      (text, at) => `{"number":${text},"mixed":${at % 2 ? `"${text}"` : `{"a":[${text}, -7 ,"7"]}`},"text":"${text}"}`,
    );
    const file = await written('jsonl', `${lines.join('\n')}\n{"text":null}\n`);
    const json = (text: string, tree: unknown) => ({ text, tree }) as Value;
    const holds: Expected = {
      rows: numbers.length + 1,
      columns: [
        { name: 'number', type: { is: 'json' }, values: [...numbers.map((n) => json(n, { n })), null] },
        {
          name: 'mixed',
          type: { is: 'json' },
          values: [
            ...numbers.map((n, at) =>
              at % 2
                ? json(`"${n}"`, { s: n })
                : json(`{"a":[${n}, -7 ,"7"]}`, { o: [['a', { a: [{ n }, { n: '-7' }, { s: '7' }] }]] }),
            ),
            null,
          ],
        },
        { name: 'text', type: { is: 'text' }, values: [...numbers, null] },
      ],
    };
    await ground.assertExports({ file }, [...FORMATS, ...OTHERS], holds);
  });

  test('declared numbers and instants of JSON lines are exact', async () => {
    const lines = [
      '{"amount":12345678901234.5678,"id":9007199254740993,"at":"2026-01-31T12:00:00.123456+02:00","ratio":0.1}',
      '{"amount":"-0.0001","id":"-9223372036854775808","at":"1969-12-31T23:59:59.999999Z","ratio":1e-5}',
      '{"amount":1e3,"id":0,"at":"2026-01-31 00:00:00Z","ratio":5e-324}',
      '{"amount":null}',
    ];
    const file = await written('jsonl', lines.join('\n'));
    const columns = [
      { name: 'amount', type: parseType('decimal(38,4)', ''), values: [123456789012345678n, -1n, 10_000_000n, null] },
      { name: 'id', type: parseType('int64', ''), values: [9007199254740993n, -(2n ** 63n), 0n, null] },
      { name: 'at', type: parseType('instant', ''), values: [1769853600123456n, -1n, 1769817600000000n, null] },
      { name: 'ratio', type: parseType('float64', ''), values: [0.1, 1e-5, 5e-324, null] },
    ];
    await ground.assertExports({ file, types: typesOf({ columns, rows: 4 }) }, [...FORMATS, ...OTHERS], {
      columns,
      rows: 4,
    });
  });
});

function named({ columns, rows }: Table, rename: (name: string) => string): Table {
  return { rows, columns: columns.map((column) => ({ ...column, name: rename(column.name) })) };
}

function typesOf({ columns }: Expected | Table): Readonly<Record<string, ColumnType>> {
  return Object.fromEntries(columns.map(({ name, type }) => [name, type]));
}
