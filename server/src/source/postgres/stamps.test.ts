import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/draws.ts';
import { type Stamp, Stamps } from './stamps.ts';

/** What PostgreSQL sends of a moment, and what is promised of it; null where the text stays as it is. */
const MOMENTS: readonly (readonly [string, string])[] = [
  ['2026-01-31 23:59:59.123456', '2026-01-31T23:59:59.123456'],
  ['2026-01-31 23:59:59.1', '2026-01-31T23:59:59.100000'],
  ['2026-01-31 00:00:00', '2026-01-31T00:00:00.000000'],
  ['10000-01-01 00:00:00', '+010000-01-01T00:00:00.000000'],
  ['294246-12-31 23:59:59.5', '+294246-12-31T23:59:59.500000'],
];

const CASES = MOMENTS.flatMap(([sent, text]): [Stamp, string, string][] => [
  ['timestamp', sent, text],
  ['instant', `${sent}+00`, `${text}Z`],
]).concat([
  ['timestamp', '0044-03-15 12:00:00.25 BC', '-000043-03-15T12:00:00.250000'],
  ['instant', '0044-03-15 12:00:00.25+00 BC', '-000043-03-15T12:00:00.250000Z'],
  ['instant', '0001-12-31 23:00:00+00 BC', '0000-12-31T23:00:00.000000Z'],
  ['instant', 'infinity', 'infinity'],
  ['timestamp', '-infinity', '-infinity'],
  ['instant', '', ''],
  ['instant', 'NULL', 'NULL'],
  ['uuid', '0f8fad5b-d9cb-469f-a165-70867728950e', '0f8fad5b-d9cb-469f-a165-70867728950e'],
  ['uuid', '', ''],
  [null, '"2026-01-31 00:00:00, ""x""\n"', '"2026-01-31 00:00:00, ""x""\n"'],
  [null, '2026-01-31 00:00:00+00', '2026-01-31 00:00:00+00'],
]);

const cells = fc.array(fc.constantFrom(...CASES), { minLength: 1, maxLength: 6 });

test('moments are rewritten wherever a row is cut, and nothing else is', () => {
  fc.assert(
    fc.property(cells, fc.array(fc.nat(20), { maxLength: 30 }), fc.boolean(), (row, cuts, isSemicolon) => {
      const delimiter = isSemicolon ? ';' : ',';
      const stamps = new Stamps(
        row.map(([stamp]) => stamp),
        delimiter,
      );
      const sent = Buffer.from(`${row.map(([, cell]) => cell).join(delimiter)}\n`);
      for (let turn = 0; turn < 2; turn++) {
        let at = 0;
        for (const length of cuts) {
          stamps.take(sent, at, Math.min(sent.length, at + length));
          at = Math.min(sent.length, at + length);
        }
        stamps.take(sent, at, sent.length);
        stamps.endRow();
      }
      const text = `${row.map(([, , cell]) => cell).join(delimiter)}\n`;
      assert.equal(stamps.pending.toString(), text + text);
      stamps.drop(text.length);
      assert.equal(stamps.pending.toString(), text);
    }),
  );
});

test('delimiters and NULL texts that moments could hold are told', () => {
  for (const [delimiter, nullText] of [
    [',', ''],
    ['\t', 'NULL'],
    [';', '\\N'],
  ] as const)
    assert.equal(Stamps.areClear(delimiter, nullText), true, delimiter + nullText);
  for (const [delimiter, nullText] of [
    ['-', ''],
    [' ', ''],
    ['.', ''],
    [',', '2026'],
    [',', 'infinity'],
    [',', '-'],
  ] as const)
    assert.equal(Stamps.areClear(delimiter, nullText), false, delimiter + nullText);
});
