import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areClear } from './stamps.ts';

test('delimiters and NULL texts that moments could hold are told', () => {
  for (const [delimiter, nullText] of [
    [',', ''],
    ['\t', 'NULL'],
    [';', '\\N'],
  ] as const)
    assert.equal(areClear(delimiter, nullText), true, delimiter + nullText);
  for (const [delimiter, nullText] of [
    ['-', ''],
    [' ', ''],
    ['.', ''],
    [',', '2026'],
    [',', 'infinity'],
    [',', '-'],
  ] as const)
    assert.equal(areClear(delimiter, nullText), false, delimiter + nullText);
});
