import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fc } from '../../test/draws.ts';
import { HOSTILE } from '../../test/hostile.ts';
import { parseInstant } from './parse-instant.ts';

const read = (value: unknown) => parseInstant(value, '/at');

it('reads instants with a zone, and dates as UTC midnight', () => {
  const cases = {
    '2026-01-31T12:00:00Z': '2026-01-31T12:00:00.000000Z',
    '2026-01-31t12:00:00z': '2026-01-31T12:00:00.000000Z',
    '2026-01-31 12:00:00Z': '2026-01-31T12:00:00.000000Z',
    '2026-01-31T12:00Z': '2026-01-31T12:00:00.000000Z',
    '2026-01-31': '2026-01-31T00:00:00.000000Z',
    '2026-01-31T12:00:00.1Z': '2026-01-31T12:00:00.100000Z',
    '2026-01-31T12:00:00.123456Z': '2026-01-31T12:00:00.123456Z',
    '2026-01-31T12:00:00.123456000Z': '2026-01-31T12:00:00.123456Z',
    '2026-01-31T12:00:00+02:00': '2026-01-31T10:00:00.000000Z',
    '2026-01-31T12:00:00-0930': '2026-01-31T21:30:00.000000Z',
    '2026-01-01T00:30:00.000001+01:00': '2025-12-31T23:30:00.000001Z',
    '1969-12-31T23:59:59.999999Z': '1969-12-31T23:59:59.999999Z',
    '2024-02-29': '2024-02-29T00:00:00.000000Z',
    '0001-01-01': '0001-01-01T00:00:00.000000Z',
    '9999-12-31T23:59:59.999999Z': '9999-12-31T23:59:59.999999Z',
  };
  for (const [text, instant] of Object.entries(cases)) assert.equal(read(text), instant, text);
});

it('refuses what is no instant, or not one for sure', () => {
  const refused = [
    '2026-01-31T12:00:00',
    '2026-02-29',
    '2026-02-30T00:00:00Z',
    '2026-13-01',
    '2026-00-10',
    '2026-01-00',
    '2026-01-31T24:00:00Z',
    '2026-01-31T12:60:00Z',
    '2026-01-31T12:00:60Z',
    '2026-01-31T12:00:00.1234567Z',
    '2026-01-31T12:00:00.Z',
    '2026-01-31T12:00:00+16:00',
    '2026-01-31T12:00:00+01:60',
    '2026-01-31Z',
    '26-01-31',
    '02026-01-31',
    '+2026-01-31',
    '0000-01-01',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    ' 2026-01-31',
    '2026-01-31\n',
    '２０２６-01-31',
    1769860800000,
    null,
    undefined,
    ['2026-01-31'],
    new Date(0),
    ...HOSTILE,
  ];
  for (const value of refused) {
    assert.throws(() => read(value), { code: 'request.invalid', pointer: '/at' }, JSON.stringify(value));
  }
});

it('is exact for every microsecond and zone', () => {
  const times = fc.tuple(
    fc.date({ min: new Date('0002-01-01'), max: new Date('9998-12-31'), noInvalidDate: true }),
    fc.integer({ min: 0, max: 999 }),
    fc.integer({ min: -899, max: 899 }),
  );
  fc.assert(
    fc.property(times, ([date, micros, zone]) => {
      const local = new Date(date.getTime() + zone * 60_000).toISOString().slice(0, -1);
      const minutes = String(Math.abs(zone) % 60).padStart(2, '0');
      const hours = String(Math.trunc(Math.abs(zone) / 60)).padStart(2, '0');
      const fraction = String(micros).padStart(3, '0');
      const text = `${local}${fraction}${zone < 0 ? '-' : '+'}${hours}:${minutes}`;
      assert.equal(read(text), `${date.toISOString().slice(0, -1)}${fraction}Z`);
    }),
  );
});

it('orders as text as the instants are ordered', () => {
  const instant = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
  fc.assert(
    fc.property(instant, instant, (left, right) => {
      assert.equal(read(left.toISOString()) < read(right.toISOString()), left < right);
    }),
  );
});
