import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Config } from '../src/job/config.ts';
import { KEYS, ServerGround } from './server-ground.ts';
import { withBrokenSource } from './walls-ground.ts';

const SOURCE = { type: 'duckdb', files: 'events.parquet' } as const;

describe('a server', () => {
  let ground: ServerGround;

  before(async () => {
    const datasets = {
      late: { source: SOURCE, key: ['id'], time: 'at', tenancy: 'shared', lookback: '20000d' },
      rows: { source: SOURCE, key: ['id'], time: 'at', tenancy: { column: 'tenant' } },
    } satisfies Config['datasets'];
    ground = await ServerGround.open({ rows: 500, config: { datasets } });
  });

  after(() => ground[Symbol.asyncDispose]());

  const create = (body: object, headers: Record<string, string> = {}, key = KEYS.acme) =>
    ground.call('POST', '/v1/jobs', { body: { format: 'csv', ...body }, headers, key });

  it('counts the lookback once, when a job is accepted', async () => {
    const asked = await Promise.all(Array.from({ length: 10 }, () => create({ dataset: 'late' })));
    for (const { json } of asked) assert.equal((await ground.settled(json.run.id)).state, 'succeeded');
    const again = await ground.call('POST', `/v1/jobs/${asked[0]?.json.id}/runs`);
    assert.equal(again.status, 202);
    assert.equal((await ground.settled(again.json.id)).state, 'succeeded');
    const tooEarly = await create({ dataset: 'late', window: { end: '1950-01-01' } });
    assert.deepEqual([tooEarly.status, tooEarly.json.pointer], [400, '/window/end']);
  });

  it('runs a job again once for one Idempotency-Key, and takes no body for it', async () => {
    const { json } = await create({ dataset: 'rows' });
    const path = `/v1/jobs/${json.id}/runs`;
    const headers = { 'idempotency-key': 'again-1' };
    const [one, two] = [await ground.call('POST', path, { headers }), await ground.call('POST', path, { headers })];
    assert.deepEqual([one.status, two.json.id], [202, one.json.id]);
    assert.equal((await ground.call('GET', path)).json.data.length, 2);
    const elsewhere = await create({ dataset: 'rows' }, headers);
    assert.deepEqual([elsewhere.status, elsewhere.json.code], [422, 'idempotency.mismatch']);
    assert.equal((await ground.call('POST', path, { body: { window: {} } })).status, 400);
    assert.equal((await ground.call('POST', path, { body: {} })).status, 202);
  });

  it('shows a request as it was sent', async () => {
    const body = { note: 'mine', format: { type: 'csv', delimiter: ';' }, dataset: 'rows' };
    const { json } = await ground.call('POST', '/v1/jobs', { body });
    assert.equal(JSON.stringify(json.request), JSON.stringify(body));
  });

  it('says of a broken source what a customer may know, and nothing of the machine', async () => {
    const { run, log } = await withBrokenSource(ground.folder, async () => {
      const { json } = await create({ dataset: 'rows' });
      const run = await ground.settled(json.run.id);
      return { run, log: (await ground.call('GET', `/v1/runs/${run.id}/log`)).text };
    });
    assert.equal(run.state, 'failed');
    assert.equal(run.error.code, 'source.refused');
    assert.deepEqual(run.files, []);
    for (const text of [JSON.stringify(run), log])
      assert.ok(!text.includes(ground.folder) && !text.includes('parquet'), text);
    const manifest = await ground.call('GET', `/v1/runs/${run.id}/manifest`);
    assert.deepEqual([manifest.status, manifest.json.code], [409, 'run.final']);
  });

  it('holds a tenant to its tier when it runs a job again', async () => {
    const window = { start: '2026-01-01', end: '2026-02-01' };
    const { json } = await create({ dataset: 'rows', window, tenant: 'acme' }, {}, KEYS.both);
    await ground.settled(json.run.id);
    assert.equal((await ground.call('POST', `/v1/jobs/${json.id}/runs`)).status, 202);
    await ground.moveTenant('acme', 'free');
    const refused = await ground.call('POST', `/v1/jobs/${json.id}/runs`);
    await ground.moveTenant('acme', 'enterprise');
    assert.deepEqual([refused.status, refused.json.code], [403, 'tier.range']);
  });
});
