import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { column } from '../../../test/dataset-column.ts';
import { draws, fc } from '../../../test/draws.ts';
import { HOSTILE, ILL_FORMED } from '../../../test/hostile.ts';
import { COLUMNS } from '../../../test/ironclad/activities.ts';
import { Fault } from '../../base/errors.ts';
import { parseType } from '../../column/type-name.ts';
import type { Dataset } from '../../dataset/dataset.ts';
import { readFilter } from '../../dataset/filter.ts';
import { filterSql } from '../../dataset/filter-sql.ts';
import { fieldsOf } from './filter-fields.ts';
import { readJsonFilter } from './filter-json.ts';
import { readStringFilter } from './filter-string.ts';

const fields = fieldsOf(COLUMNS);
const dataset: Dataset = {
  name: 'ironclad.activities',
  columns: COLUMNS.map(({ name, type }) => column(name, parseType(type, ''))),
  key: ['id'],
  time: 'created_time',
  tenancy: 'shared',
  lookbackDays: null,
};

const read = (filter: unknown) => readJsonFilter(filter, fields);

function refused(filter: unknown, pointer: string, message: RegExp): void {
  assert.throws(() => read(filter), { code: 'request.invalid', pointer: `/filter${pointer}`, message });
}

function refusedText(text: string, message: RegExp): void {
  assert.throws(() => readStringFilter(text, fields), { code: 'request.invalid', pointer: '/filter', message });
}

function tower(levels: number, build: (inner: object) => object, top: object = { contract: 1 }): object {
  return Array.from({ length: levels - 1 }).reduce<object>((inner) => build(inner), top);
}

const items = (count: number) => Array.from({ length: count }, (_, at) => at);

describe('the core’s filter', () => {
  it('is made of the published sample', () => {
    const sample = {
      contract: { _id: 1 },
      and: [{ version_number: { $gt: 1 } }, { version_number: { $lte: 3 } }],
    };
    assert.deepEqual(read(sample), {
      contract: { eq: 1 },
      and: [{ version_number: { gt: 1 } }, { version_number: { lte: 3 } }],
    });
    assert.deepEqual(readStringFilter('created_time>=2020-10-10 and event_type==agreed', fields), {
      and: [{ created_time: { gte: '2020-10-10' } }, { event_type: { eq: 'agreed' } }],
    });
  });

  it('has paths, moments in UTC, and equality that looks into lists within JSON', () => {
    assert.deepEqual(read({ custom_data: { address: { city: 'x' } } }), {
      'custom_data.address.city': { anyOf: ['x'] },
    });
    assert.deepEqual(read({ 'custom_data.a': { $ne: 1, $gt: 0 } }), { 'custom_data.a': { noneOf: [1], gt: 0 } });
    assert.deepEqual(read({ event_time: { $in: ['2022-10-06T10:00', '2022-10-06', null] } }), {
      event_time: { in: ['2022-10-06T10:00Z', '2022-10-06', null] },
    });
  });

  it('keeps both where one field is asked twice in the same way', () => {
    assert.deepEqual(read({ contract: 1, 'contract._id': 2, $and: [{ group: 3 }] }), {
      contract: { eq: 1 },
      and: [{ group: { eq: 3 } }, { contract: { eq: 2 } }],
    });
    assert.deepEqual(read({ 'custom_data.a': { $eq: 1, $in: [1, 2] } }), {
      'custom_data.a': { anyOf: [1] },
      and: [{ 'custom_data.a': { anyOf: [1, 2] } }],
    });
  });

  it('asks for columns of the shape alone', () => {
    const few = fieldsOf(COLUMNS.filter(({ name }) => name !== 'contract_title' && name !== 'group_key'));
    assert.throws(() => readJsonFilter({ contract: { title: 'x' } }, few), {
      pointer: '/filter/contract/title',
      message: '"title" is not a field of contract; allowed are contract._id.',
    });
    assert.throws(() => readJsonFilter({ group_key: 'x' }, few), {
      message: /"group_key" is not a field; allowed are id,/,
    });
  });
});

describe('the limits of a filter', () => {
  it('50 levels, not 51, of each kind', () => {
    const not = (inner: object) => ({ not: inner });
    const or = (inner: object) => ({ $or: [inner] });
    const names = (inner: object) => ({ a: inner });
    assert.ok(read(tower(50, not)));
    refused(tower(51, not), '/not'.repeat(50), /deeper than 50 levels/);
    assert.ok(read(tower(50, or)));
    refused(tower(51, or), '/$or/0'.repeat(50), /deeper than 50 levels/);
    const last = { a: { $gt: 1 } };
    assert.ok(read({ custom_data: tower(49, names, last) }));
    refused({ custom_data: tower(50, names, last) }, `/custom_data${'/a'.repeat(49)}`, /deeper than 50 levels/);
    assert.ok(read({ [`custom_data${'.a'.repeat(49)}`]: 1 }));
    refused({ [`custom_data${'.a'.repeat(50)}`]: 1 }, `/custom_data${'.a'.repeat(50)}`, /more than 50 parts/);
    refused({ custom_data: { b: { [`c${'.a'.repeat(48)}`]: 1 } } }, `/custom_data/b/c${'.a'.repeat(48)}`, /50 parts/);
    refusedText(`event_type==x and custom_data${'.a'.repeat(50)}==1`, /^At character 19: .* 50 parts/);
    const twice = { contract: 1, 'contract._id': 1 };
    assert.ok(read(tower(49, not, twice)));
    refused(tower(50, not, twice), `${'/not'.repeat(49)}/contract._id`, /twice, which at level 50/);
  });

  it('10 000 items, not 10 001', () => {
    for (const [filter, pointer] of [
      [(count: number) => ({ contract: { _id: { $in: items(count) } } }), '/contract/_id/$in'],
      [(count: number) => ({ or: [{ 'custom_data.a': { $nin: items(count) } }] }), '/or/0/custom_data.a/$nin'],
    ] as const) {
      assert.ok(filterSql(readFilter(read(filter(10_000)), dataset)));
      refused(filter(10_001), pointer, /10001 items; allowed are 10000/);
    }
  });

  it('1 000 nodes, not 1 001', () => {
    const parts = (count: number) => ({ or: Array.from({ length: count }, () => ({ contract: 1 })) });
    assert.ok(readFilter(read({ ...parts(499), group: 1 }), dataset));
    refused({ ...parts(499), group: { $gt: 1, $lt: 2 } }, '/group/$lt', /more than 1000/);
    refused(parts(500), '/or/499/contract', /more than 1000/);
    const terms = (count: number) => Array.from({ length: count }, () => 'contract==1').join(' and ');
    assert.ok(readFilter(readStringFilter(terms(499), fields), dataset));
    refusedText(terms(500), new RegExp(`^At character ${499 * 16 + 11}: .*more than 1000`));
  });

  it('1 000 000 bytes, not one more', () => {
    const bytes = '{"session":{"eq":""}}'.length;
    assert.ok(readFilter(read({ session: 'x'.repeat(1_000_000 - bytes) }), dataset));
    refused({ session: 'x'.repeat(1_000_001 - bytes) }, '', /1000001 bytes; allowed are 1000000/);
    refusedText(`session==${'é'.repeat(500_000)}`, /1000009 bytes; allowed are 1000000/);
  });

  it('no depth that would exhaust the stack, wherever it lies', () => {
    const places = [
      '{"not":',
      '{"and":[',
      '{"$or":[{"and":[',
      '{"custom_data":{"a":',
      '{"contract":{"_id":',
      '{"contract":{"$eq":',
    ];
    const deeper = ['{"not":', '{"and":[', '{"a":', '[', '{"$not":', '{"$in":['];
    const closing = (text: string) =>
      [...text]
        .reverse()
        .map((each) => ({ '{': '}', '[': ']' })[each] ?? '')
        .join('');
    for (const place of places)
      for (const each of deeper) {
        const open = place + each.repeat(30_000);
        const filter = JSON.parse(`${open}{}${closing(open)}`);
        assert.throws(() => read(filter), { code: 'request.invalid', pointer: /^\/filter\// });
      }
  });

  it('no text that takes time by its square', () => {
    const blanks = ' '.repeat(900_000);
    refusedText(`session==a${blanks}b and x`, /^At character 900017: "x" is not a field/);
    refusedText(`session=="${'\\"'.repeat(400_000)}`, /^At character 10: The quote/);
    refusedText('and '.repeat(240_000), /^At character 1: "and" is not a field/);
    refusedText(`custom_data${'.a'.repeat(400_000)}==1`, /50 parts/);
    assert.ok(readStringFilter(`session==a${blanks}b`, fields));
  });
});

describe('the places of a filter', () => {
  it('where objects are wanted', () => {
    for (const each of [null, [], 'contract==1', 7, true])
      refused(each, '', /allowed is an object of fields, and, or, not/);
    refused({ and: [{ contract: 1 }, 7] }, '/and/1', /^7 is not allowed here; allowed is an object/);
    refused({ not: [{ contract: 1 }] }, '/not', /^A list is not allowed here/);
    for (const each of [[], {}, null]) refused({ $or: each }, '/$or', /a list of at least one filter/);
    refused({ and: [{}], $and: [{}] }, '/$and', /twice, with \$ and without/);
  });

  it('of fields and operators that there are none of', () => {
    refused({ nothing: 1 }, '/nothing', /^"nothing" is not a field; allowed are id, .*custom_data\.\*.*contract\._id/);
    refused({ nothing: { $like: 1 } }, '/nothing', /is not a field/);
    refused({ 'a/b~c': 1 }, '/a~1b~0c', /is not a field/);
    refused({ ['x'.repeat(5000)]: 1 }, `/${'x'.repeat(5000)}`, /^That name is not a field/);
    refused({ 'signer_id.x': 1 }, '/signer_id.x', /"signer_id" has no names inside/);
    refused(
      { contract: { name: 1 } },
      '/contract/name',
      /"name" is not a field of contract; allowed are contract\._id, contract\.title/,
    );
    refused(
      { version_number: { $like: 1 } },
      '/version_number/$like',
      /"\$like" is not an operator; allowed are \$eq, .*\$regex/,
    );
    refused({ version_number: { gt: 1 } }, '/version_number/gt', /"gt" is not an operator/);
    refused({ version_number: { $not: { $gt: 1 } } }, '/version_number/$not', /stands around fields/);
    refused({ contract: { _id: 1, $gt: 2 } }, '/contract/_id', /"_id" is not an operator/);
    refused({ $gt: 1 }, '/$gt', /"\$gt" is not allowed here; allowed are fields, and, or, not/);
    refused({ $nor: [] }, '/$nor', /not allowed here/);
    refused({ contract: {} }, '/contract', /Nothing is asked/);
    refused({ custom_data: { a: {} } }, '/custom_data/a', /Nothing is asked/);
    refused({ 'custom_data.': 1 }, '/custom_data.', /A name inside custom_data is empty/);
    refused({ custom_data: { '': 1 } }, '/custom_data/', /A name inside custom_data is empty/);
    refused(JSON.parse('{"__proto__":1}'), '/__proto__', /is not a field/);
    refused({ constructor: { name: 'x' } }, '/constructor', /is not a field/);
  });

  it('of operands that do not fit', () => {
    refused({ contract: 'one' }, '/contract', /int64; allowed is a whole number/);
    refused({ contract: { _id: { $in: [1, 'x'] } } }, '/contract/_id/$in/1', /whole number/);
    refused({ contract: { $gt: 2 ** 53 } }, '/contract/$gt', /beyond 2\^53; send it as a string/);
    refused({ batch: 1442324122234 }, '/batch', /allowed is text/);
    refused({ event_type: ['agreed'] }, '/event_type', /A list cannot be compared with; allowed is one value, or \$in/);
    refused({ 'custom_data.a': { $eq: {} } }, '/custom_data.a/$eq', /^An object is not allowed here/);
    refused({ custom_data: { a: 2 ** 53 } }, '/custom_data/a', /beyond 2\^53/);
    refused({ 'custom_data.a': { $nin: [1, [2]] } }, '/custom_data.a/$nin/1', /^A list is not allowed here/);
    refused({ contract: { $in: 1 } }, '/contract/$in', /^1 is not allowed here; allowed is a list/);
    refused({ contract: { $exists: 1 } }, '/contract/$exists', /true or false/);
    refused({ contract: { $lt: null } }, '/contract/$lt', /^null has no order/);
    refused({ 'custom_data.vip': { $gte: true } }, '/custom_data.vip/$gte', /^true has no order/);
    refused({ custom_data: 'x' }, '/custom_data', /holds values by name/);
    refused({ custom_data: { $eq: null } }, '/custom_data/$eq', /holds values by name/);
    refused({ contract: { $regex: '1' } }, '/contract/$regex', /needs text; contract is of type int64/);
    refused({ created_time: 'yesterday' }, '/created_time', /ISO 8601/);
    refused({ created_time: { $gt: 1664928000000 } }, '/created_time/$gt', /ISO 8601/);
    refused({ created_time: { $in: ['2022-10-06', '2022-02-30T00:00:00'] } }, '/created_time/$in/1', /no such date/);
    refused({ session: '\ud800' }, '/session', /not well-formed Unicode/);
    refused({ 'custom_data.\udfff': 1 }, '/custom_data.\udfff', /not well-formed Unicode/);
  });

  it('of regular expressions that RE2 does not take', () => {
    for (const each of ['(?=x)', '(?<!x)y', '(a)\\1', '(?<n>x)', '(', 'a**', '\\'])
      refused({ contract_title: { $regex: each } }, '/contract_title/$regex', /not a regular expression of RE2/);
    refused({ 'custom_data.a': { $regex: '(?=x)' } }, '/custom_data.a/$regex', /RE2/);
    refused({ contract_title: { $regex: 'x'.repeat(1001) } }, '/contract_title/$regex', /more than 1000 characters/);
    refused({ contract_title: { $regex: null } }, '/contract_title/$regex', /allowed is text/);
    refused({ or: [{ not: { contract: { title: { $regex: '[' } } } }] }, '/or/0/not/contract/title/$regex', /RE2/);
  });

  it('in text, as characters from 1', () => {
    refusedText('nothing==1', /^At character 1: "nothing" is not a field; allowed are id, /);
    refusedText('contract', /^At character 9: "contract" has no operator; allowed are ==, !=, >=, <=, >, <\.$/);
    refusedText('contract=1', /^At character 9: "=" is not an operator/);
    refusedText('contract===1', /^At character 9: "===" is not an operator/);
    refusedText('contract<>1', /^At character 9: "<>" is not an operator/);
    refusedText('contract==', /^At character 11: A value is missing/);
    refusedText('contract== and group==1', /^At character 12: A value is missing/);
    refusedText('contract==x', /^At character 11: .*whole number/);
    refusedText('contract==1 and', /^At character 16: A term is missing/);
    refusedText(' and contract==1', /^At character 2: "and" is not a field/);
    refusedText('event_type==agreed or contract==1', /^At character 20: Terms are joined by " and " alone/);
    refusedText(
      'contract_title==Terms and Conditions',
      /^At character 27: "Conditions" is not a field.*goes into quotes/,
    );
    refusedText('session=="a"b', /^At character 13: Behind a value in quotes/);
    refusedText('session=="a"and contract==1', /^At character 13: Behind a value in quotes/);
    refusedText('session=="a', /^At character 10: The quote that begins here has no end/);
    refusedText('session==😀 and created_time>=soon', /^At character 30: .*ISO 8601/);
    refusedText('created_time>null', /^At character 14: null has no order/);
    refusedText('session==\ud800', /not well-formed Unicode/);
  });
});

/** What becomes of a filter: it is refused in the promised way, or the core takes what is made of it. */
function outcome(body: unknown, make: () => unknown): 'refused' | 'taken' {
  let made: unknown;
  try {
    made = make();
  } catch (error) {
    assert.ok(error instanceof Fault && error.code === 'request.invalid', `${JSON.stringify(body)}: ${String(error)}`);
    assert.ok(leadsSomewhere({ filter: body }, error.pointer ?? ''), `${error.pointer} of ${JSON.stringify(body)}`);
    // What they sent is repeated between quotes.
    assert.doesNotMatch(error.message.replace(/"(?:[^"\\]|\\.)*"/g, ''), /::|json_|is not true|\bselect\b|\n {4}at /i);
    assert.ok(error.message.length < 1000);
    return 'refused';
  }
  assert.ok(filterSql(readFilter(made, dataset)));
  return 'taken';
}

function leadsSomewhere(body: unknown, pointer: string): boolean {
  const names = pointer.split('/').map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  return names.slice(1).reduce<unknown>((at, name) => inside(at, name), body) !== undefined && names[1] === 'filter';
}

function inside(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

const FIELDS = [
  ...COLUMNS.map(({ name }) => name),
  'contract._id',
  'custom_data.a',
  'render_data.b.c',
  '_id',
  'a.b',
  '',
];
const OPERATORS = ['$eq', '$ne', '$gt', '$gte', '$lt', '$lte', '$in', '$nin', '$exists', '$regex', '$like', '$'];
const WORDS = ['and', 'or', 'not', '$and', '$or', '$not'];
const STRINGS = ['2022-10-06', '2022-10-06T10:00', '1', 'agreed', '(?=x)', '[a-z]+', ...HOSTILE, ...ILL_FORMED];

const malformed = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 7, depthSize: 'large', withCrossShrink: true },
    {
      weight: 2,
      arbitrary: fc.oneof(
        fc.constantFrom<unknown>(null, true, 2 ** 53, -1.5),
        fc.integer(),
        fc.double({ noNaN: true }),
      ),
    },
    { weight: 2, arbitrary: fc.constantFrom(...STRINGS) },
    { weight: 2, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
    {
      weight: 8,
      arbitrary: fc.dictionary(fc.constantFrom(...FIELDS, ...OPERATORS, ...WORDS, ...HOSTILE), tie('value'), {
        maxKeys: 2,
      }),
    },
  ),
})).value;

describe('whatever is sent', () => {
  it('as JSON is refused at a place that is there, or taken by the core', () => {
    const field = fc.tuple(fc.constantFrom(...FIELDS), malformed).map(([name, value]) => ({ [name]: value }));
    const outcomes = new Set<string>();
    const filter = fc.oneof(
      malformed,
      field,
      fc.array(field, { minLength: 1, maxLength: 3 }).map((and) => ({ and })),
    );
    fc.assert(
      fc.property(filter, (body) => void outcomes.add(outcome(body, () => read(body)))),
      { numRuns: draws({ few: 3000, many: 200_000 }) },
    );
    assert.deepEqual([...outcomes].sort(), ['refused', 'taken']);
  });

  it('as text is refused at a character that is there, or taken by the core', () => {
    const term = fc.constantFrom('contract==1', "session=='a and b'", 'custom_data.a>=2', 'created_time<2022-10-06');
    const shard = fc.constantFrom(
      ...FIELDS,
      ...STRINGS,
      '==',
      '!=',
      '>',
      '<=',
      '=',
      '"',
      "'",
      '\\',
      ' ',
      ' and ',
      'AND',
      '😀',
    );
    const outcomes = new Set<string>();
    fc.assert(
      fc.property(fc.array(fc.oneof(term, fc.constant(' and '), shard), { maxLength: 8 }), (shards) => {
        const text = shards.join('');
        const came = outcome(text, () => readStringFilter(text, fields));
        outcomes.add(came);
        if (came === 'taken' || !text.isWellFormed()) return;
        const [, at = ''] = /^At character (\d+): /.exec(messageOf(() => readStringFilter(text, fields))) ?? [];
        assert.ok(Number(at) >= 1 && Number(at) <= [...text].length + 1, text);
      }),
      { numRuns: draws({ few: 3000, many: 200_000 }) },
    );
    assert.deepEqual([...outcomes].sort(), ['refused', 'taken']);
  });
});

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return String((error as Error).message);
  }
  return '';
}
