import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { demoData } from '../src/cli/demo-data.ts';
import { readParquet } from './readers/parquet.ts';

const NOW = '2026-11-21T00:00:00.000Z';
const DAY_MICROS = 86_400_000_000n;

type Row = Readonly<Record<string, unknown>>;

const micros = (iso: string) => BigInt(Date.parse(iso)) * 1000n;
const SAMPLE = micros('2022-10-06');

describe("Ironclad's demo data", () => {
  let folder: string;
  let fixed: readonly Row[];
  let recent: readonly Row[];
  let versions: readonly Row[];

  async function rowsOf(name: string): Promise<readonly Row[]> {
    const { columns, rows } = await readParquet(join(folder, 'demo', `ironclad.${name}.parquet`));
    return rows.map((row) => Object.fromEntries(columns.map((column, at) => [column.name, row[at]])));
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'drayage ironclad '));
    const { signal } = new AbortController();
    await demoData({ dataFolder: folder, rows: 3000, now: NOW, signal, making: () => undefined });
    [fixed, recent, versions] = (await Promise.all(
      ['activities-fixed', 'activities-recent', 'contract_versions'].map(rowsOf),
    )) as [Row[], Row[], Row[]];
  });
  after(() => rm(folder, { recursive: true }));

  const of = (site: bigint, rows: readonly Row[] = fixed) => rows.filter((row) => row.site === site);
  const at = (row: Row) => row.created_time as bigint;
  const onSampleDay = (row: Row) => at(row) >= SAMPLE && at(row) < SAMPLE + DAY_MICROS;
  const valuesOf = (rows: readonly Row[], column: string) => [...new Set(rows.map((row) => row[column]))].sort();

  it("have the sample's day with its first and last moment, and what lies beside it, on both sites", () => {
    for (const site of [1n, 2n]) {
      const rows = of(site);
      for (const version of [1n, 2n, 3n, 4n]) {
        const own = rows.filter((row) => row.contract === 1n && row.version_number === version && onSampleDay(row));
        const times = own.map(at);
        assert.ok(times.includes(SAMPLE) && times.includes(SAMPLE + DAY_MICROS - 1000n), `${site} ${version}`);
      }
      assert.ok(rows.some((row) => row.contract === 1n && at(row) === SAMPLE + DAY_MICROS));
      assert.ok(rows.some((row) => row.contract === 2n && onSampleDay(row)));
      assert.ok(rows.some((row) => row.contract === 3n && onSampleDay(row)));
    }
  });

  it('fill the autumn of 2022 and the last 90 days, to the millisecond', () => {
    const days = (rows: readonly Row[]) => new Set(rows.map((row) => at(row) / DAY_MICROS)).size;
    for (const site of [1n, 2n]) {
      assert.ok(days(of(site)) > 80, `${days(of(site))}`);
      assert.ok(days(of(site, recent)) > 80);
    }
    for (const row of fixed) assert.ok(at(row) >= micros('2022-09-01') && at(row) < micros('2022-12-01'));
    for (const row of recent) assert.ok(at(row) >= micros(NOW) - 90n * DAY_MICROS && at(row) < micros(NOW));
    assert.ok([...fixed, ...recent].every((row) => at(row) % 1000n === 0n));
  });

  it('have ids of their own, and several rows to a batch and a session', () => {
    const rows = [...fixed, ...recent];
    for (const column of ['id', 'uuid']) assert.equal(valuesOf(rows, column).length, rows.length, column);
    for (const row of rows)
      for (const column of ['id', 'uuid', 'version', 'session']) assert.match(String(row[column]), /^[0-9a-f]{24}$/);
    for (const column of ['batch', 'session']) assert.ok(valuesOf(rows, column).length * 2 < rows.length, column);
    assert.ok(rows.every(({ batch }) => /^\d{13}$/.test(String(batch))));
  });

  it('have every kind of event on site 2 in October 2022', () => {
    const october = of(2n).filter((row) => at(row) >= micros('2022-10-01') && at(row) < micros('2022-11-01'));
    const kinds = ['agreed', 'disagreed', 'displayed', 'reminded', 'sent', 'updated', 'visited'];
    assert.deepEqual(valuesOf(october, 'event_type'), kinds);
  });

  it('have signers and custom data in several scripts, custom values of every JSON type', () => {
    const data = fixed.flatMap(({ custom_data }) => (typeof custom_data === 'string' ? [JSON.parse(custom_data)] : []));
    const types = new Set(
      data.flatMap((each) =>
        Object.values(each).map((value) => (value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value)),
      ),
    );
    assert.deepEqual([...types].sort(), ['boolean', 'list', 'null', 'number', 'object', 'string']);
    const texts = {
      signers: valuesOf(fixed, 'signer_id').join('\n'),
      names: data.map(({ first_name }) => first_name).join('\n'),
    };
    for (const [what, text] of Object.entries(texts))
      for (const script of ['Greek', 'Cyrillic', 'Hebrew', 'Arabic', 'Han', 'Hangul'])
        assert.match(text, new RegExp(`\\p{Script=${script}}`, 'u'), `${what} ${script}`);
  });

  it('have sites with and without days of their own, and texts of all versions but one', async () => {
    const sites = await rowsOf('sites');
    assert.deepEqual(
      sites.map(({ site, max_days }) => [site, max_days ?? null]),
      [
        [1n, 365n],
        [2n, null],
      ],
    );
    for (const row of [...fixed, ...recent]) {
      const own = versions.find(({ version }) => version === row.version);
      assert.deepEqual(
        [own?.site, own?.contract, own?.version_number, own?.title],
        [row.site, row.contract, row.version_number, row.contract_title],
      );
    }
    const without = versions.filter(({ text }) => text === null || text === undefined);
    assert.equal(without.length, 2);
  });
});
