import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { Fault } from '../src/base/errors.ts';
import { UsageError } from '../src/cli/command.ts';
import { parseType } from '../src/column/type-name.ts';
import type { Dataset, Scope } from '../src/dataset/dataset.ts';
import { type FormatOptions, formatOptions } from '../src/format/options.ts';
import { describeSource } from '../src/run/describe.ts';
import { filesFolder } from '../src/run/execution.ts';
import { hashPlan, makePlan, type Plan, type PlanAsk } from '../src/run/plan.ts';
import type { SourceShape } from '../src/source/source.ts';
import { carryOut, type Exported, exportByArgs, LIMITS, planByArgs, Yard } from './export-path.ts';
import { HOSTILE, ILL_FORMED } from './hostile.ts';

let yard: Yard;
beforeEach(() => {
  yard = new Yard();
});
afterEach(() => yard[Symbol.dispose]());

const ENGINE = { duckdb: 'v1.5.6', node: '24', zlib: '1', zstd: '1', arch: 'x64' };
const NOW = '2026-06-01T00:00:00.000Z';

/** What only we write: a message that shows it shows our SQL, our code or somebody's files. */
const OURS =
  /read_(csv|parquet|ndjson)|json_extract|is not true|nulls last|::(VARCHAR|DOUBLE)|LINE \d+:|\n {4}at |Error:|__drayage_stage/;

/** Runs it and gives what came of it: an export, or a refusal whose message is fit for a customer. */
async function attempt<Made>(work: () => Promise<Made>): Promise<Made | Fault | UsageError> {
  const before = yard.snapshot();
  try {
    return await work();
  } catch (error) {
    assert.ok(
      error instanceof Fault || error instanceof UsageError,
      error instanceof Error ? error.stack : String(error),
    );
    if (error instanceof Fault) assert.match(error.code, /^(request|source|value|auth|dataset)\./, error.message);
    assert.doesNotMatch(error.message, OURS);
    assert.ok(!error.message.includes('/stages/'), error.message);
    return error;
  } finally {
    assert.equal(yard.snapshot(), before);
  }
}

function exported<Made>(result: Made | Fault | UsageError): Made {
  if (result instanceof Error) assert.fail(`refused: ${result.message} ${String(result.cause ?? '')}`);
  return result;
}

function refused(result: unknown): Fault | UsageError {
  assert.ok(result instanceof Fault || result instanceof UsageError, 'it was not refused');
  return result;
}

function objects(text: string): unknown[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** RFC 4180, with the one difference that tells NULL from "": an unquoted empty cell is null. */
function cells(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/g)) {
    if (end === '' && quoted === undefined && plain === '') break;
    rows.at(-1)?.push(quoted === undefined ? plain || null : quoted.replaceAll('""', '"'));
    if (end === '\n') rows.push([]);
  }
  return rows.filter((row) => row.length > 0);
}

async function describeFile(files: string | string[], types: Record<string, string> = {}): Promise<SourceShape> {
  const declared = Object.fromEntries(Object.entries(types).map(([name, type]) => [name, parseType(type, '/types')]));
  return (await describeSource({ options: { type: 'duckdb', files }, types: declared, folder: yard.root }, LIMITS))
    .shape;
}

function datasetOf(shape: SourceShape, more: Partial<Dataset> = {}): Dataset {
  const columns = shape.columns.map(({ name, type, nullable }) => ({
    name,
    type,
    nullable,
    from: name,
    description: null,
    hidden: false,
  }));
  return { name: 'rows', columns, key: ['id'], time: null, tenancy: 'shared', lookbackDays: null, ...more };
}

function run(ask: PlanAsk, dataset: Dataset, shape: SourceShape, scope: Scope = { is: 'shared' }): Promise<Exported> {
  const plan = makePlan(ask, { dataset, scope, shape, engine: ENGINE, limits: LIMITS, now: NOW });
  assert.ok(plan.outputs.every(({ path }) => basename(path) === path && !path.startsWith('.')));
  return carryOut(plan, yard.stage());
}

const output = (type: string, options: object = {}) => ({
  format: formatOptions.parse({ type, ...options }),
  compression: { type: 'none' } as const,
});

const OPTIONS = [
  ['csv', 'delimiter'],
  ['csv', 'nullText'],
  ['csv', 'instants'],
  ['csv', 'lineEnd'],
  ['csv', 'type'],
  ['jsonl', 'instants'],
  ['jsonl', 'bigIntegers'],
  ['jsonl', 'nonFinite'],
  ['json', 'nested'],
] as const;

interface AcceptedOption {
  readonly option: string;
  readonly text: string;
  readonly format: FormatOptions;
}

/** What an accepted option must have come to. */
function checkOption({ option, text }: AcceptedOption, written: string): void {
  if (option === 'delimiter') assert.equal(written.split('\n')[0], ['id', 'at', 'x'].join(text));
  if (option === 'nullText') assert.equal(cells(written).at(-1)?.at(-1) ?? '', text);
}

/** The text as a part of a file's name. */
function fileName(text: string, at: number): string {
  return `${at}${text.replaceAll(/[/\0]/g, '').slice(0, 60)}`;
}

/** A text in its place among all of them, and the name of the column that stands for it. */
interface Placed {
  readonly text: string;
  readonly at: number;
  readonly name: string;
}

function placed(text: string, at: number): Placed {
  const isOurs = text === '' || text.includes('\0') || /^(tenant|id)$/.test(text);
  return { text, at, name: isOurs ? `plain ${at}` : text };
}

/** What the engine or we would refuse for a column's name, and so the others beside it. */
const ALONE = new Set(['__drayage_position', 'file_row_number']);

/** Texts far from each other in the list: those that differ in case alone stand side by side in it. */
function groupsOf(texts: readonly Placed[], count: number): Placed[][] {
  return Array.from({ length: count }, (_, group) => texts.filter((_, at) => at % count === group));
}

const IS_GLOB = /[*?[\]{}]/;

/** A file called by each of the texts, which all are names of columns and their values; the first is the tenant. */
function writeAround(texts: readonly Placed[]): string[] {
  const [{ text: tenant } = { text: '' }] = texts;
  const own = Object.fromEntries(texts.map(({ name, text }) => [name, text]));
  return texts.map(({ text, at, name }) => {
    const rows = [
      { id: at * 10, tenant, ...own },
      { id: at * 10 + 1, tenant, ...own, [name]: 'decoy' },
      { id: at * 10 + 2, tenant: 'other', ...own },
      { id: at * 10 + 3, tenant: `${tenant}'`, ...own },
    ];
    const file = fileName(text, at);
    return yard.write(
      `${IS_GLOB.test(file) ? at : file}.jsonl`,
      `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`,
    );
  });
}

async function exportAround(texts: readonly Placed[]): Promise<void> {
  const [first] = texts;
  assert.ok(first);
  const shape = await describeFile(writeAround(texts), { id: 'int64' });
  const names = texts.map(({ name }) => name);
  const ask: PlanAsk = {
    columns: [...names, 'id'],
    filter: {
      and: texts.map(({ name, text }) => ({ [name]: { eq: text } })),
      not: { or: names.map((name) => ({ [name]: { in: ['decoy', null] } })) },
    },
    order: names.map((name) => `-${name}`),
    distinct: first.at % 2 === 0,
    outputs: [output('jsonl'), output('csv')],
  };
  const dataset = datasetOf(shape, { tenancy: { column: 'tenant' } });
  const attempted = await attempt(() => run(ask, dataset, shape, { is: 'tenant', tenant: first.text }));
  // The staged file of a sorted run numbers its rows by that name.
  if (first.name === 'file_row_number' && attempted instanceof Fault) return;
  const result = exported(attempted);
  const own = Object.fromEntries(texts.map(({ name, text }) => [name, text]));
  assert.deepEqual(
    objects(result.text),
    texts.map(({ at }) => ({ ...own, id: at * 10 })),
  );
  assert.deepEqual(
    result.results.map(({ rowsWritten }) => rowsWritten),
    [texts.length, texts.length],
  );
  const csv = readFileSync(join(filesFolder(yard.lastStage), result.plan.outputs[1]?.path ?? ''), 'utf8');
  assert.deepEqual(cells(csv), [
    [...names, 'id'],
    ...texts.map(({ at }) => [...texts.map(({ text }) => text), `${at * 10}`]),
  ]);
}

const FLAGS = [
  '--types',
  '--columns',
  '--order',
  '--where',
  '--start',
  '--end',
  '--table',
  '--delimiter',
  '--line-end',
  '--null-text',
  '--instants',
  '--compression',
  '--memory',
  '--threads',
  '--nested',
  '--format',
];

/** An accepted argument means itself. */
function assertMeant(plan: Plan, flag: string, text: string): void {
  const format = Object(plan.outputs[0]?.format);
  if (flag === '--null-text') assert.equal(format.nullText, text);
  else if (flag === '--delimiter') assert.equal(format.delimiter, text);
  else assert.equal(flag, '--table', `${flag} ${text}`);
}

describe('a hostile text in the place of', () => {
  const texts = HOSTILE.map(placed);
  const groups = groupsOf(
    texts.filter(({ text }) => !ALONE.has(text)),
    24,
  );
  for (const group of groups) {
    it(`everything at once: ${JSON.stringify(group.map(({ text }) => text.slice(0, 20)))}`, () => exportAround(group));
  }

  it('everything at once: names that are ours or the engine’s', async () => {
    for (const each of texts.filter(({ text }) => ALONE.has(text))) {
      if (each.text === '__drayage_position') await assert.rejects(exportAround([each]), { code: 'request.invalid' });
      else await exportAround([each]);
    }
  });

  it('a file name that the engine would take for a pattern', async () => {
    for (const { text, at } of texts) {
      const file = fileName(text, at);
      if (!IS_GLOB.test(file)) continue;
      const path = yard.write(`${file}.jsonl`, '{"id":1}\n');
      assert.match(
        refused(await attempt(() => exportByArgs([path, '--format', 'csv'], yard.stage()))).message,
        /rename it/,
      );
    }
  });

  it('a tenant that has no rows, or is no text, gives nothing or is refused', async () => {
    const shape = await describeFile(
      yard.write('tenants.jsonl', '{"id":1,"tenant":"acme"}\n{"id":2,"tenant":null}\n{"id":3}\n'),
    );
    const dataset = datasetOf(shape, { tenancy: { column: 'tenant' } });
    // That a tenant of any text gets its own rows alone the tests of queries see; these are the ones that could widen a condition.
    const widening = HOSTILE.filter((text) => /^$|^['"\\%_*\0]+$|or true|or '1'|null$/i.test(text));
    for (const tenant of [...widening, 'ACME', 'acme ', ' acme', 'acm_', 'acme%']) {
      const { text } = exported(
        await attempt(() => run({ outputs: [output('jsonl')] }, dataset, shape, { is: 'tenant', tenant })),
      );
      assert.equal(text, '', JSON.stringify(tenant));
    }
    for (const tenant of ILL_FORMED) {
      const fault = refused(
        await attempt(() => run({ outputs: [output('jsonl')] }, dataset, shape, { is: 'tenant', tenant })),
      );
      assert.equal((fault as Fault).pointer, '/tenant');
    }
  });

  it('a column choice, an order or a filter key is refused by its place', async () => {
    const shape = await describeFile(yard.write('keys.jsonl', '{"id":1,"data":{"a":1}}\n'));
    const asks = (text: string): readonly [string, Partial<PlanAsk>][] => [
      ['/columns/1', { columns: ['id', text] }],
      ['/order/0', { order: [text] }],
      ['/order/1', { order: ['id', `-${text}`] }],
      ['/filter/', { filter: { [text]: { eq: 1 } } }],
      ['/filter/', { filter: { or: [{ [text]: { exists: true } }] } }],
      ['/filter/id/', { filter: { id: { [text]: 1 } } }],
    ];
    for (const text of [...HOSTILE, ...ILL_FORMED]) {
      for (const [pointer, ask] of asks(text)) {
        const fault = refused(
          await attempt(() => run({ outputs: [output('jsonl')], ...ask }, datasetOf(shape), shape)),
        );
        assert.ok(
          fault instanceof Fault && fault.code === 'request.invalid' && fault.pointer?.startsWith(pointer),
          `${pointer}: ${fault.message}`,
        );
      }
    }
  });

  it('a bound of a window is refused by its place', async () => {
    const shape = await describeFile(yard.write('times.jsonl', '{"id":1,"at":"2026-01-01T00:00:00Z"}\n'), {
      at: 'instant',
    });
    for (const text of [
      ...HOSTILE,
      ...ILL_FORMED,
      "2026-01-01' or 1=1 --",
      '2026-01-01T00:00:00Z; select 1',
      '2026-01-01T00:00:00',
      '2026-13-01',
      '2026-02-30',
      '+02026-01-01',
    ]) {
      for (const side of ['start', 'end']) {
        const fault = refused(
          await attempt(() =>
            run({ window: { [side]: text }, outputs: [output('jsonl')] }, datasetOf(shape, { time: 'at' }), shape),
          ),
        );
        assert.equal((fault as Fault).pointer, `/window/${side}`);
      }
    }
  });

  it('an option of a format is refused, or written as it is', async () => {
    const path = yard.write('options.jsonl', '{"id":1,"at":"2026-01-01T00:00:00Z","x":null}\n');
    const shape = await describeFile(path, { id: 'int64', at: 'instant' });
    const texts = [...HOSTILE, ...ILL_FORMED, '%Y', '%d.%m.%Y %H:%M', '%A', "%Y'", '|', '\t', 'ab', '\\N'];
    const asked = texts.flatMap((text) =>
      OPTIONS.map(([type, option]) => ({ text, option, parsed: formatOptions.safeParse({ type, [option]: text }) })),
    );
    const accepted: AcceptedOption[] = asked.flatMap(({ text, option, parsed }) =>
      parsed.data ? [{ text, option, format: parsed.data }] : [],
    );
    assert.ok(accepted.length > 50 && accepted.length < asked.length);
    const exportInto = (formats: readonly FormatOptions[]) => {
      const outputs = formats.map((format) => ({ format, compression: { type: 'none' } as const }));
      return attempt(() => run({ outputs }, datasetOf(shape), shape));
    };
    const { wrong = [], right = [] } = Object.groupBy(accepted, ({ option, text }) =>
      option === 'nullText' && text.includes(',') ? 'wrong' : 'right',
    );
    for (const { format } of wrong)
      assert.match(refused(await exportInto([format])).message, /delimiter may not stand in nullText/);
    // One export has all of them as its outputs.
    const { plan } = exported(await exportInto(right.map(({ format }) => format)));
    for (const [at, each] of right.entries())
      checkOption(each, readFileSync(join(filesFolder(yard.lastStage), plan.outputs[at]?.path ?? ''), 'utf8'));
  });

  it('an argument of the command line is refused, or means itself', async () => {
    const path = yard.write('args.csv', 'id,t\n1,x\n');
    const known = await describeSource(
      { options: { type: 'duckdb', files: path }, types: {}, folder: yard.root },
      LIMITS,
    );
    const describing: typeof describeSource = (ask, limits) =>
      Object.keys(ask.types).length > 0 ? describeSource(ask, limits) : Promise.resolve(known);
    const plans = new Map<string, Plan>();
    for (const text of HOSTILE) {
      for (const flag of FLAGS) {
        const args = [path, ...(flag === '--format' ? [] : ['--format', 'csv']), flag, text];
        const plan = await attempt(() => planByArgs(args, describing));
        if (plan instanceof Error) continue;
        assertMeant(plan, flag, text);
        plans.set(hashPlan(plan), plan);
      }
    }
    // What an accepted one comes to is seen as an option of a format.
    for (const plan of [...plans.values()].filter((_, at) => at % 8 === 0)) {
      const { text } = exported(await attempt(() => carryOut(plan, yard.stage())));
      assert.equal(text.trim().split('\n').length, 2, JSON.stringify(plan.outputs));
    }
  });

  it('the name of a table is refused, or is that table', async () => {
    const breaking = HOSTILE.filter((text) => !text.includes('\0') && /["{.$]|^'|--/.test(text) && text.length < 100);
    const path = join(yard.source, 'tables.duckdb');
    const instance = await DuckDBInstance.create(path);
    const connection = await instance.connect();
    await connection.run('begin');
    for (const [at, text] of breaking.entries())
      await connection.run(`create table "${text.replaceAll('"', '""')}" as select 1 as column_${at}`);
    await connection.run('commit');
    connection.closeSync();
    instance.closeSync();
    for (const [at, table] of breaking.entries()) {
      const options = { type: 'duckdb', files: path, table } as const;
      const { shape } = await describeSource({ options, types: {}, folder: yard.root }, LIMITS);
      assert.deepEqual(
        shape.columns.map(({ name }) => name),
        [`column_${at}`],
        table,
      );
    }
    const wanted = await attempt(() => planByArgs([path, '--format', 'csv', '--table', "no' or 1=1 --"]));
    assert.match(refused(wanted).message, /Name one table/);
    const text = yard.write('no-table.csv', 'a\n1\n');
    const none = await attempt(() => planByArgs([text, '--format', 'csv', '--table', 'a']));
    assert.match(refused(none).message, /Only database files have tables; these files are read as csv/);
  });

  it('types of columns named like members of every object are taken, and no other', async () => {
    const path = yard.write('members.csv', 'constructor,toString,hasOwnProperty,is\n1,2,3,4\n');
    const { text } = exported(
      await attempt(() =>
        exportByArgs([path, '--format', 'jsonl', '--types', 'constructor=int64,is=decimal(9,2)'], yard.stage()),
      ),
    );
    assert.equal(text, '{"constructor":1,"toString":"2","hasOwnProperty":"3","is":4.00}\n');
  });
});

describe('a hostile path', () => {
  it('names its file, or is refused without a word of another', async () => {
    const stays = yard.write('stays.csv', 'secret\n42\n');
    const paths = [
      ...HOSTILE.map((text) => join(yard.source, 'none', text)),
      ...HOSTILE,
      ...ILL_FORMED,
      '/dev/zero',
      '/proc/self/environ',
      yard.source,
      `${yard.source}/`,
      'x'.repeat(70_000),
    ];
    for (const path of paths) {
      const fault = refused(await attempt(() => exportByArgs([path, '--format', 'csv'], yard.stage())));
      assert.ok(!fault.message.includes(stays), fault.message);
    }
  });

  it('with a pattern finds what the pattern says, whatever stands in the names', async () => {
    const names = [
      "it's.csv",
      'a"b.csv',
      'semi;colon.csv',
      '-- dash.csv',
      '$&.csv',
      '$1.csv',
      '%.csv',
      'line\nend.csv',
      'ünï.csv',
    ];
    for (const [at, name] of names.entries()) yard.write(`many/${name}`, `id\n${at}\n`);
    const { text } = exported(
      await attempt(() =>
        exportByArgs([join(yard.source, 'many', '*.csv'), '--format', 'jsonl', '--types', 'id=int64'], yard.stage()),
      ),
    );
    assert.deepEqual(
      objects(text)
        .map((row) => (row as { id: number }).id)
        .sort(),
      names.map((_, at) => at),
    );
  });
});

describe('names that data brings', () => {
  const cases: readonly [title: string, line: string, outcome: RegExp | object][] = [
    ['as placeholders', '{"{files}":1,"$&":2,"{stage}":3}', { '{files}': 1, '$&': 2, '{stage}': 3 }],
    [
      'as words of the engine',
      '{"members":1,"marked":2,"json":3,"lines":4,"relation":5,"rowid":6}',
      { members: 1, marked: 2, json: 3, lines: 4, relation: 5, rowid: 6 },
    ],
    ['as paths', '{"/":1,"~":2,"~1":3,"$.a":4,"a.b":5,"*":6}', { '/': 1, '~': 2, '~1': 3, '$.a': 4, 'a.b': 5, '*': 6 }],
    ['that are empty', '{"":1}', /empty name/],
    ['with NUL', '{"a\\u0000b":1}', /NUL/],
    ['that differ in case alone', '{"a":1,"A":2}', /upper and lower case/],
    ['that are ours', '{"__drayage_position":1}', /may not be called/],
    ['that are ours, in capitals', '{"__DRAYAGE_POSITION":1}', /upper and lower case/],
  ];
  for (const [at, [title, line, outcome]] of cases.entries()) {
    it(title, async () => {
      const path = yard.write(`names-${at}.jsonl`, `${line}\n`);
      const result = await attempt(() => exportByArgs([path, '--format', 'jsonl'], yard.stage()));
      if (outcome instanceof RegExp) assert.match(refused(result).message, outcome);
      else assert.deepEqual(objects(exported(result).text), [outcome]);
    });
  }
});
