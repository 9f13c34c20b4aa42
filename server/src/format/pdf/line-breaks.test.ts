import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineBreaks } from './line-breaks.ts';

/** The text cut at every place where a line may end. */
function cut(text: string): string[] {
  const ends = [...lineBreaks(text)];
  return ends.map((end, at) => text.slice(ends[at - 1] ?? 0, end));
}

test('lines end between words, also where no blank parts them', () => {
  assert.deepEqual(cut('See the terms-of-use.'), ['See ', 'the ', 'terms-', 'of-', 'use.']);
  assert.deepEqual(cut('ยอมรับเงื่อนไข'), ['ยอมรับ', 'เงื่อนไข']);
  assert.deepEqual(cut('ok ภาษาไทย. ok'), ['ok ', 'ภาษา', 'ไทย. ', 'ok']);
  assert.deepEqual(cut('ຍອມຮັບເງື່ອນໄຂ'), ['ຍອມຮັບ', 'ເງື່ອນໄຂ']);
  assert.deepEqual(cut('ព្រះរាជាណាចក្រកម្ពុជា'), ['ព្រះរាជាណាចក្រ', 'កម្ពុជា']);
  assert.deepEqual(cut(''), []);
});

test('each place comes once, in order', () => {
  const places = [...lineBreaks('กขค ง จฉ ຜູ້ໃຊ້ 中文 a-b ไทย')];
  assert.deepEqual(
    places,
    [...new Set(places)].toSorted((a, b) => a - b),
  );
});
