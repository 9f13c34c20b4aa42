import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Fault } from '../src/base/errors.ts';
import type { ColumnType } from '../src/column/type.ts';
import type { PdfOptions } from '../src/format/options.ts';
import { checkDocument } from '../src/format/pdf/read-record.ts';
import { setBatch } from '../src/format/pdf/set-batch.ts';
import { execute } from '../src/run/execute.ts';
import { startCommand } from './command-line.ts';
import { layout, ONE_PAGE, rowOf, SCRIPTS } from './pdf-ground.ts';
import { whyNo } from './source-server.ts';
import { carriedOut, planOf } from './table-export.ts';

const skip = whyNo('pdftotext', 'pdffonts', 'pdfinfo', 'pdfdetach', 'unzip', 'qpdf', 'python3');

let folder = '';

before(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'drayage-pdf-')));
});

after(() => rmSync(folder, { recursive: true, force: true }));

const JSON_TYPE: ColumnType = { is: 'json' };

interface Made {
  readonly rows: readonly object[];
  readonly layout: PdfOptions;
  readonly types?: Readonly<Record<string, ColumnType>>;
}

function plan({ rows, layout: format, types = {} }: Made) {
  const file = join(mkdtempSync(join(folder, 'rows-')), 'rows.jsonl');
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return planOf({ file, types }, { outputs: [{ format, compression: { type: 'none' } }] });
}

/** Exports the rows and gives the path of the zip. */
async function zipOf(made: Made): Promise<string> {
  const [zip = ''] = await carriedOut(await plan(made), folder);
  return zip;
}

/** Exports the rows and gives a folder with what the zip holds. */
async function unzipped(made: Made): Promise<string> {
  const into = mkdtempSync(join(folder, 'unzipped-'));
  said('unzip', ['-q', await zipOf(made), '-d', into]);
  return into;
}

function said(program: string, words: readonly string[]): string {
  return execFileSync(program, [...words], { encoding: 'utf8', maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'pipe'] });
}

function textOf(pdf: string, words: readonly string[] = []): string {
  return withoutMarks(said('pdftotext', [...words, pdf, '-']));
}

/** Without what pdftotext puts around text that runs from right to left. */
function withoutMarks(text: string): string {
  return text.replace(/[\u202a-\u202e]/g, '');
}

function sha256Of(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function indexOf(into: string): string[][] {
  const lines = readFileSync(join(into, 'index.csv'), 'utf8').split('\n');
  assert.equal(lines.shift(), 'name,sha256,pages,bytes');
  assert.equal(lines.pop(), '');
  return lines.map((line) => line.split(','));
}

/** Left end of each word on its page, as poppler finds it. */
function placesOf(pdf: string): Map<string, { left: number; right: number }> {
  const words = withoutMarks(said('pdftotext', ['-bbox', pdf, '-'])).matchAll(
    /<word xMin="([\d.]+)".*? xMax="([\d.]+)".*?>(.*?)<\/word>/g,
  );
  return new Map(
    [...words].map(([, left, right, word = '']) => [inOrder(word), { left: Number(left), right: Number(right) }]),
  );
}

/** Words come as they are seen, from the left. */
function inOrder(word: string): string {
  return /^[\u0590-\u06ff]/.test(word) ? [...word].reverse().join('') : word;
}

/** More than two batches of a thread. */
const ROWS = Array.from({ length: 40 }, (_, at) => rowOf(at));

interface OnePages {
  readonly plan: Awaited<ReturnType<typeof plan>>;
  readonly zip: string;
  /** What the zip holds. Nothing may be changed in it. */
  readonly into: string;
}

let onePages: Promise<OnePages> | null = null;

/** `ROWS` as documents of one page, made on two threads, once for all tests. */
function madeOnePages(): Promise<OnePages> {
  onePages ??= makeOnePages();
  return onePages;
}

async function makeOnePages(): Promise<OnePages> {
  const made = await plan({ rows: ROWS, layout: ONE_PAGE });
  assert.equal(made.limits.threads, 2);
  const [zip = ''] = await carriedOut(made, folder);
  const into = mkdtempSync(join(folder, 'unzipped-'));
  said('unzip', ['-q', zip, '-d', into]);
  return { plan: made, zip, into };
}

describe('a zip of documents', { skip }, () => {
  test('holds one document a row and the index of them', async () => {
    const { zip, into } = await madeOnePages();
    assert.match(said('unzip', ['-tq', zip]), /No errors detected/);
    assert.match(said('python3', ['-m', 'zipfile', '-t', zip]), /Done testing/);
    const index = indexOf(into);
    assert.deepEqual(
      index.map(([name]) => name),
      ROWS.map(({ id }) => `${id}.pdf`),
    );
    assert.deepEqual(readdirSync(into).sort(), [...index.map(([name = '']) => name), 'index.csv'].sort());
    for (const [name = '', sha256, pages, bytes] of index) {
      const file = readFileSync(join(into, name));
      assert.deepEqual(checkDocument(file), { problem: null, sha256 });
      assert.equal(String(file.length), bytes);
      assert.equal(pages, '1');
    }
  });

  test('of no rows holds the index alone', async () => {
    const none = await plan({ rows: [{ id: 'a' }], layout: layout({ title: 'T', sections: [] }) });
    const [zip = ''] = await carriedOut({ ...none, query: { ...none.query, where: 'false' } }, folder);
    assert.equal(said('unzip', ['-p', zip]), 'name,sha256,pages,bytes\n');
  });

  test('has the same bytes on one thread and on two', async () => {
    const { plan: made, zip } = await madeOnePages();
    const zips = await carriedOut({ ...made, limits: { ...made.limits, threads: 1 } }, folder);
    assert.deepEqual(zips.map(sha256Of), [sha256Of(zip)]);
  });

  test('ends when the run is cancelled', async () => {
    const cancelling = new AbortController();
    const stage = mkdtempSync(join(folder, 'stage-'));
    const running = execute({
      plan: await plan({ rows: Array.from({ length: 600 }, (_, at) => rowOf(at)), layout: ONE_PAGE }),
      stage,
      signal: cancelling.signal,
      report: ({ rows }) => rows > 0 && cancelling.abort(),
    });
    await assert.rejects(running, (error) => error instanceof Fault && error.code === 'run.cancelled');
  });

  const refusals: [what: string, ids: readonly (string | null)[], words: RegExp][] = [
    ['NULL', ['a', null], /^Row 2 cannot name a document by id: it is NULL/],
    ['what was there before', ['a', 'b', 'a'], /^Row 3 cannot name a document by id: a.pdf is there already/],
  ];
  for (const [what, ids, words] of refusals) {
    test(`refuses ${what} as a name`, async () => {
      const running = zipOf({ rows: ids.map((id) => ({ id })), layout: layout({ title: 'T', sections: [] }) });
      await assert.rejects(running, (error: Fault) => error.code === 'value.refused' && words.test(error.message));
    });
  }

  const refusedIds: [what: string, id: string, words: RegExp][] = [
    ['a slash', 'b/c', /^Row 2 cannot name a document by id: it is "b\/c"; allowed are/],
    ['nothing', '', /^Row 2 cannot name a document by id: it is ""/],
    ['201 letters', 'x'.repeat(201), /^Row 2 cannot name/],
  ];
  for (const [what, id, words] of refusedIds) {
    test(`refuses ${what} as a name`, () => {
      const lines = ['a', id].map((each) => JSON.stringify({ id: each }));
      const result = setBatch({ lines, firstRow: 1, layout: layout({ title: 'T', sections: [] }) });
      assert.ok('fault' in result);
      assert.equal(result.fault.code, 'value.refused');
      assert.match(result.fault.message, words);
    });
  }
});

describe('a layout', () => {
  const made = (options: { readonly [option: string]: unknown }) =>
    plan({
      rows: [{ id: 'a', data: { tz: 'UTC' } }],
      layout: layout({ title: 'T', ...options }),
      types: { data: JSON_TYPE },
    });
  const refusals: [object: { readonly [option: string]: unknown }, pointer: string, words: RegExp][] = [
    [
      { name: 'key', sections: [] },
      '/format/name',
      /^key is not among the columns exported; allowed is a column of text, .*: id, data/,
    ],
    [{ name: 'data', sections: [] }, '/format/name', /^data is of type json/],
    [
      { sections: [{ title: 'S', entries: 'id' }] },
      '/format/sections/0/entries',
      /^id is of type text; allowed is a column of JSON/,
    ],
    [
      { sections: [{ title: 'S', fields: [{ label: 'L', column: 'x' }] }] },
      '/format/sections/0/fields/0/column',
      /^x is not/,
    ],
  ];
  for (const [options, pointer, words] of refusals) {
    test(`with ${JSON.stringify(options)} is refused`, async () => {
      await assert.rejects(made(options), (error: Fault) => {
        assert.equal(error.code, 'request.invalid');
        assert.equal(error.pointer, pointer);
        assert.match(error.message, words);
        return true;
      });
    });
  }

  test('has sections of one kind, and zones where they are used', () => {
    const title = 'S';
    const field = { label: 'L', column: 'id' };
    assert.throws(() => layout({ title: 'T', sections: [{ title }] }), /one of fields, entries and text/);
    assert.throws(() => layout({ title: 'T', sections: [{ title, text: 'a', entries: 'b' }] }), /one of fields/);
    const zoneless = { title, fields: [{ ...field, as: 'instantWithZone' }] };
    assert.throws(() => layout({ title: 'T', sections: [zoneless] }), /zone is for as instantWithZone/);
    assert.throws(() => layout({ title: 'a\nb', sections: [] }), /without control characters/);
  });
});

const HAN = '直骨角';

describe('a document', { skip }, () => {
  test('gives the text of every script back in order, with embedded subsets', async () => {
    const sections = [{ title: 'Scripts', entries: 'texts' }];
    const rows = [{ id: 'scripts', texts: SCRIPTS }];
    const into = await unzipped({ rows, layout: layout({ title: 'T', sections }), types: { texts: JSON_TYPE } });
    const pdf = join(into, 'scripts.pdf');
    const text = textOf(pdf);
    for (const [script, line] of Object.entries(SCRIPTS)) assert.ok(text.includes(line), `${script}: ${text}`);
    const fonts = said('pdffonts', [pdf]).trim().split('\n').slice(2);
    assert.equal(fonts.length, 23);
    for (const font of fonts) assert.match(font, /^[A-Z]{6}\+Noto\S+ +CID TrueType +Identity-H +yes yes yes/);
    said('qpdf', ['--check', pdf]);
  });

  const shapes: [language: string, font: string][] = [
    ['zh-Hant', 'TC'],
    ['zh-HK', 'TC'],
    ['ja', 'JP'],
    ['ko-KR', 'KR'],
  ];
  for (const [language, font] of shapes) {
    test(`in ${language} shows Han as NotoSans${font} has it`, async () => {
      const sections = [{ title: 'S', text: 'text' }];
      const into = await unzipped({
        rows: [{ id: 'han', text: HAN }],
        layout: layout({ title: 'T', language, sections }),
      });
      assert.match(said('pdffonts', [join(into, 'han.pdf')]), new RegExp(`\\+NotoSans${font}-Regular`));
    });
  }
});

const RTL = 'הגרסה של Terms version אושרה כאן';
const CLAUSES = 17_000;

const TEXTS = {
  han: HAN,
  rtl: `${RTL}\nSaid שלום עולם today`,
  joined: 'ههههه\nه\u200cه\u200cه\u200cه\u200cه',
  long: Array.from({ length: CLAUSES }, (_, at) => `Clause ${at + 1} of the contract, as it was shown.`).join('\n'),
};

describe('a document of one text', { skip }, () => {
  let into: string;

  before(async () => {
    const rows = Object.entries(TEXTS).map(([id, text]) => ({ id, text }));
    const sections = [{ title: 'S', text: 'text' }];
    into = await unzipped({ rows, layout: layout({ title: '证据 ไทย', language: 'en', sections }) });
  });

  test('in en shows Han as NotoSansSC has it', () => {
    assert.match(said('pdffonts', [join(into, 'han.pdf')]), /\+NotoSansSC-Regular/);
  });

  test('has Han as bold as its title', () => {
    const fonts = said('pdffonts', [join(into, 'rtl.pdf')]);
    for (const font of ['SC', 'Thai']) assert.match(fonts, new RegExp(`\\+NotoSans${font}-SemiBold`));
  });

  test('orders lines of both directions by UAX #9', () => {
    const places = placesOf(join(into, 'rtl.pdf'));
    const lefts = (words: readonly string[]) => words.map((word) => places.get(word)?.left ?? Number.NaN);
    for (const words of [
      ['כאן', 'אושרה', 'Terms', 'version', 'של', 'הגרסה'],
      ['Said', 'עולם', 'שלום', 'today'],
    ]) {
      const found = lefts(words);
      assert.ok(
        found.every((left, at) => at === 0 || left > (found[at - 1] ?? Number.NaN)),
        `${words}: ${found}`,
      );
    }
    // A paragraph that begins from the right stands on the right: A4 less the margin.
    assert.ok(Math.abs((places.get('הגרסה')?.right ?? 0) - (595 - 57)) < 2);
  });

  test('joins Arabic letters', () => {
    const widths = [...placesOf(join(into, 'joined.pdf'))]
      .filter(([word]) => word.startsWith('ه'))
      .map(([, { left, right }]) => right - left);
    assert.equal(widths.length, 2);
    assert.notEqual(Math.round(widths[0] ?? 0), Math.round(widths[1] ?? 0));
  });

  test('goes on for 300 pages', () => {
    const pdf = join(into, 'long.pdf');
    const pages = Number(indexOf(into).find(([name]) => name === 'long.pdf')?.[2]);
    assert.ok(pages >= 300, `${pages} pages`);
    assert.match(said('pdfinfo', [pdf]), new RegExp(`^Pages: +${pages}$`, 'm'));
    const text = textOf(pdf);
    assert.match(text.split('\f')[149] ?? '', new RegExp(`^150 / ${pages}$`, 'm'));
    assert.deepEqual(
      text.match(/^Clause \d+/gm),
      Array.from({ length: CLAUSES }, (_, at) => `Clause ${at + 1}`),
    );
  });
});

describe('the parts of a document', { skip }, () => {
  test('prints what is there and marks what is not', async () => {
    const sections = [
      {
        title: 'Fields',
        fields: [
          { label: 'Accepted', column: 'at', as: 'instant' },
          { label: 'Local', column: 'at', as: 'instantWithZone', zone: { column: 'data', path: ['tz'] } },
          { label: 'Nowhere', column: 'at', as: 'instantWithZone', zone: { column: 'data', path: ['no'] } },
          { label: 'Number', column: 'data', path: ['deep', 'n'] },
          { label: 'Absent', column: 'data', path: ['deep', 'x'] },
          { label: 'Null', column: 'none' },
        ],
      },
      { title: 'Custom data', entries: 'data' },
      { title: 'Left out', text: 'none' },
    ];
    const data = { tz: 'Asia/Kolkata', deep: { n: 1.5, list: [1, null] }, gone: null };
    const rows = [{ id: 'a', at: '2026-07-02T03:04:05.120Z', none: null, data }];
    const types: Record<string, ColumnType> = { data: JSON_TYPE, at: { is: 'instant', unit: 'us' } };
    const into = await unzipped({ rows, types, layout: layout({ title: 'T', subtitle: 'id', sections }) });
    const lines = textOf(join(into, 'a.pdf'), ['-layout'])
      .split('\n')
      .map((line) => line.trim().replace(/ {2,}/g, ' | '));
    for (const line of [
      'Accepted | 2026-07-02 03:04:05.12 UTC',
      'Local | 2026-07-02 08:34:05.12 +05:30 Asia/Kolkata',
      '(2026-07-02 03:04:05.12 UTC)',
      'Nowhere | 2026-07-02 03:04:05.12 UTC',
      'Number | 1.5',
      'Absent | –',
      'Null | –',
      'deep | {"n":1.5,"list":[1,null]}',
      'gone | –',
    ]) {
      assert.ok(lines.includes(line), `${line} in ${lines.join('\n')}`);
    }
    assert.ok(!lines.includes('Left out'));
  });

  test('attaches the record in the form that was hashed', async () => {
    const types: Record<string, ColumnType> = {
      ...{ data: JSON_TYPE, big: { is: 'integer', bits: 64 } },
      ...{ price: { is: 'decimal', precision: 20, scale: 2 } },
    };
    const data = { z: 1, a: [true, null, 'é\u2028'], __proto__x: {} };
    const rows = [{ id: 'a', big: '9223372036854775807', price: '1.10', data }];
    const into = await unzipped({ rows, types, layout: layout({ title: 'T', sections: [] }) });
    assert.deepEqual(readdirSync(into).sort(), ['a.pdf', 'index.csv']);
    const record = join(into, 'record.json');
    said('pdfdetach', ['-save', '1', '-o', record, join(into, 'a.pdf')]);
    const canonical =
      '{"big":"9223372036854775807","data":{"__proto__x":{},"a":[true,null,"é\u2028"],"z":1},"id":"a","price":"1.10"}';
    assert.equal(readFileSync(record, 'utf8'), canonical);
    const [[, sha256 = ''] = []] = indexOf(into);
    assert.equal(sha256Of(record), sha256);
    assert.ok(textOf(join(into, 'a.pdf')).includes(sha256));
  });

  const awkward: [what: string, text: string][] = [
    ['controls', 'a\u0000b\u0007c\u001b[31m\u0085d\u009f'],
    ['overrides', 'safe\u202egpj.exe\u202c \u2066isolated\u2069 \u202aembedded'],
    ['blanks alone', ' \t \n\n\u00a0\u3000'],
    ['a word of 10,000 letters', 'x'.repeat(10_000)],
    ['a word of 5,000 Arabic letters', 'ب'.repeat(5000)],
    ['2,000 marks on one letter', `z${'\u0301'.repeat(2000)}`],
    ['marks on nothing', '\u0301\u05b0\u064b'],
    ['10,000 letters of no width', '\u200d'.repeat(10_000)],
    ['emoji', '✅ 👍🏽 👩‍💻 🇩🇪 1️⃣ ❤️'],
    ['scripts without a font', 'สวัสดี ཀ ᚠ \u{10ffff}'],
    ['PDF syntax', '(\\) <</Type>> endstream endobj %%EOF'],
    ['levels in levels', 'אa'.repeat(500)],
  ];
  test('takes awkward text', async () => {
    const rows = awkward.map(([what, text], at) => ({ id: `t${at}`, what, text }));
    const sections = [
      { title: 'Text', text: 'text' },
      { title: 'Again', fields: [{ label: 'Text', column: 'text' }] },
    ];
    const into = await unzipped({ rows, layout: layout({ title: 'T', subtitle: 'what', sections }) });
    for (const [at, [what]] of awkward.entries()) {
      const pdf = join(into, `t${at}.pdf`);
      said('qpdf', ['--check', pdf]);
      assert.ok(textOf(pdf).includes(what), what);
      assert.equal(checkDocument(readFileSync(pdf)).problem, null, what);
    }
    assert.match(textOf(join(into, 't0.pdf')), /a�b�c�\[31m/);
    assert.match(textOf(join(into, 't1.pdf')), /safe�gpj\.exe/);
  });
});

describe('verify', { skip }, () => {
  test('tells a document with any byte changed', async () => {
    const { into } = await madeOnePages();
    const bytes = readFileSync(join(into, `${rowOf(1).id}.pdf`));
    assert.equal(checkDocument(bytes).problem, null);
    const places = [...Array.from({ length: 300 }, (_, at) => Math.floor((at * bytes.length) / 300)), bytes.length - 1];
    for (let at = bytes.length - 320; at < bytes.length; at++) places.push(at);
    for (const at of places) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.notEqual(checkDocument(changed).problem, null, `byte ${at}`);
    }
    for (const cut of [0, 10, bytes.length - 1]) assert.notEqual(checkDocument(bytes.subarray(0, cut)).problem, null);
    assert.notEqual(checkDocument(Buffer.concat([bytes, bytes])).problem, null);
  });

  test('tells a record that is not the one the hash was made of', async () => {
    const { into } = await madeOnePages();
    const text = readFileSync(join(into, `${rowOf(2).id}.pdf`), 'latin1');
    const other = text.replace(/(?<=RecordSHA256\()[0-9a-f]{64}/, 'f'.repeat(64));
    assert.match(
      checkDocument(Buffer.from(other, 'latin1')).problem ?? '',
      /^its record has the SHA-256 [0-9a-f]{64}, not f+$/,
    );
  });

  test('is a command', async () => {
    const { into } = await madeOnePages();
    const name = `${rowOf(3).id}.pdf`;
    const [, sha256] = indexOf(into).find(([each]) => each === name) ?? [];
    const cwd = mkdtempSync(join(folder, 'verified-'));
    copyFileSync(join(into, name), join(cwd, name));
    const intact = await startCommand(['verify', name], { cwd }).ended;
    assert.equal(intact.code, 0, intact.stderr);
    assert.match(intact.stdout, new RegExp(`^intact   ${name}\nThe attached record has the SHA-256 ${sha256}`));
    const bytes = readFileSync(join(cwd, name));
    bytes[900] = (bytes[900] ?? 0) ^ 1;
    writeFileSync(join(cwd, name), bytes);
    const changed = await startCommand(['verify', name, '--json'], { cwd }).ended;
    assert.equal(changed.code, 1, changed.stderr);
    assert.equal(JSON.parse(changed.stdout).intact, false);
    assert.equal(JSON.parse(changed.stdout).files[0].state, 'changed');
  });
});
