import assert from 'node:assert/strict';
import { it } from 'node:test';
import { anyText, fc } from '../../test/draws.ts';
import { HOSTILE } from '../../test/hostile.ts';
import { type ColumnType, nameOf } from './type.ts';
import { parseType } from './type-name.ts';

const name = fc.oneof(anyText({ minLength: 1, maxLength: 10 }), fc.constantFrom(...HOSTILE.filter(Boolean)));

const simple: fc.Arbitrary<ColumnType> = fc.oneof(
  fc.constantFrom<ColumnType>(
    ...(['bool', 'text', 'bytes', 'uuid', 'date', 'time', 'json'] as const).map((is) => ({ is })),
    { is: 'integer', bits: 32 },
    { is: 'integer', bits: 64 },
    { is: 'float', bits: 32 },
    { is: 'float', bits: 64 },
    { is: 'timestamp', unit: 'us' },
    { is: 'timestamp', unit: 'ns' },
    { is: 'instant', unit: 'us' },
    { is: 'instant', unit: 'ms' },
  ),
  fc
    .integer({ min: 1, max: 38 })
    .chain((precision) =>
      fc.integer({ min: 0, max: precision }).map((scale) => ({ is: 'decimal' as const, precision, scale })),
    ),
);

const { type } = fc.letrec<{ type: ColumnType }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 5, depthSize: 'medium' },
    simple,
    tie('type').map((of) => ({ is: 'list' as const, of })),
    fc.tuple(simple, tie('type')).map(([key, value]) => ({ is: 'map' as const, key, value })),
    fc
      .array(fc.record({ name, type: tie('type') }, { noNullPrototype: true }), { minLength: 1, maxLength: 3 })
      .map((fields) => ({ is: 'struct' as const, fields })),
  ),
}));

const parse = (text: string) => parseType(text, '/type');

it('reads every type by the name it is given', () => {
  fc.assert(
    fc.property(type, (each) => assert.deepEqual(parse(nameOf(each)), each)),
    { numRuns: 2000 },
  );
});

it('reads names as people write them', () => {
  assert.deepEqual(parse(' decimal( 18 , 4 ) '), { is: 'decimal', precision: 18, scale: 4 });
  assert.deepEqual(parse('map(text,list(int64))'), parse('map( text , list( int64 ))'));
  assert.deepEqual(parse('struct(a int64, "b c" text)'), parse('struct(a int64,"b c"  text)'));
  assert.deepEqual(parse('timestamp(us)'), { is: 'timestamp', unit: 'us' });
});

it('refuses what is no type, at its place and without delay', () => {
  const refused = [
    ...HOSTILE.filter((text) => text !== 'json'),
    'int',
    'INT64',
    'int64; drop table x',
    'decimal',
    'decimal()',
    'decimal(0,0)',
    'decimal(39,0)',
    'decimal(3,4)',
    'decimal(-1,0)',
    'decimal(1,2,3)',
    'decimal(1)',
    'list()',
    'list',
    'list(int64',
    'list int64)',
    'list(int64, int64)',
    'list(int64))',
    'map(text)',
    'map(text, text, text)',
    'struct()',
    'struct(a)',
    'struct(a int64,)',
    'struct("" int64)',
    'struct("a int64)',
    'struct(a"b int64)',
    'constructor',
    '__proto__',
    `${'list('.repeat(17)}text${')'.repeat(17)}`,
    `${'list('.repeat(100_000)}text${')'.repeat(100_000)}`,
    `struct(${'a '.repeat(50_000)}`,
    `struct(${'('.repeat(50_000)})`,
  ];
  for (const text of refused) {
    assert.throws(() => parse(text), { code: 'request.invalid', pointer: '/type' }, text.slice(0, 60));
  }
});
