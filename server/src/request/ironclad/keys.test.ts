import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkKeys } from './keys.ts';

test('keys that no column can be called are refused where all are wanted', () => {
  const keys = ['', 'a.b', 'VIP', 'vip', '=cmd', 'employee "no.", id'];
  assert.equal(checkKeys(keys), keys);
  assert.throws(() => checkKeys(['vip', 'a\0b']), { pointer: '/custom_all', message: /NUL in its name; name those/ });
});
