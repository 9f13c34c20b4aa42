import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Db } from '../src/db/db.ts';
import { RIGHTS } from '../src/tenant/principal.ts';
import { Tenants } from '../src/tenant/queries.ts';
import { KEYS, ServerGround } from './server-ground.ts';

const BOTH = 'dk_test_speaks_both';
const source = { type: 'duckdb', files: 'events.parquet' } as const;

describe('datasets of dialects', () => {
  let ground: ServerGround;

  before(async () => {
    const events = { source, tenancy: { column: 'tenant' } } as const;
    const columns = [{ name: 'token', from: 'note' }, { name: 'tenant' }];
    ground = await ServerGround.open({
      rows: 100,
      config: {
        datasets: {
          events,
          'batch.targets': { source, columns, tenancy: { column: 'tenant' } },
          'batch.installs': { source, columns: [{ name: 'tenant' }], tenancy: { column: 'tenant' } },
        },
        tiers: { enterprise: {}, free: {}, plain: { dialects: ['native'] } },
      },
      dispatches: false,
    });
    await using db = await Db.open({ dataFolder: ground.dataFolder, url: null });
    const key = { name: 'both', key: BOTH, tenants: ['acme'], rights: RIGHTS, dialects: ['native', 'batch'] };
    await new Tenants(db).putKey(key);
  });

  after(() => ground[Symbol.asyncDispose]());

  const names = async (key: string) =>
    (await ground.call('GET', '/v1/datasets', { key })).json.data.map(({ name }: { name: string }) => name);
  const create = (dataset: string, key: string) =>
    ground.call('POST', '/v1/jobs', { key, body: { dataset, format: 'csv' } });

  it('are not there for keys that do not speak the dialect', async () => {
    assert.deepEqual(await names(KEYS.acme), ['events']);
    const answer = async (name: string) => {
      const answers = [await ground.call('GET', `/v1/datasets/${name}`), await create(name, KEYS.acme)];
      return answers.map(({ status, json: { requestId: _, ...body } }) => ({ status, body }));
    };
    const [one, created] = await answer('batch.targets');
    assert.deepEqual([one, created], await answer('batch.nothing'));
    assert.deepEqual([one?.status, one?.body.code, created?.status], [404, 'dataset.unknown', 404]);
    assert.match(one?.body.detail, /there are events\.$/);
  });

  it('are there for keys that do, as far as the tier does', async () => {
    assert.deepEqual(await names(BOTH), ['batch.targets', 'events']);
    assert.equal((await create('batch.targets', BOTH)).status, 202);
    await ground.moveTenant('acme', 'plain');
    const { status, json } = await create('batch.targets', BOTH);
    assert.deepEqual([status, json.code], [403, 'tier.dialect']);
    assert.equal((await create('events', BOTH)).status, 202);
  });

  it('answer as what cannot be read when they are declared wrongly', async () => {
    await ground.moveTenant('acme', 'enterprise');
    const { status, json } = await create('batch.installs', BOTH);
    assert.deepEqual([status, json.code], [422, 'source.refused']);
  });
});

describe('jobs that came by a dialect', () => {
  let ground: ServerGround;
  let id: string;
  let run: string;

  before(async () => {
    const columns = ['install_id', 'custom_id', 'advertising_id', 'smart_segment'].map((name) => ({
      name,
      from: 'note',
    }));
    const moments = ['install_date', 'last_start_date'].map((name) => ({ name, from: 'at' }));
    const declared = [...columns, ...moments, { name: 'is_optin_push', from: 'kind' }, { name: 'tenant' }];
    ground = await ServerGround.open({
      rows: 10,
      config: {
        datasets: { 'batch.installs': { source, columns: declared, tenancy: { column: 'tenant' } } },
        tiers: { enterprise: {}, free: {} },
      },
      dispatches: false,
    });
    await using db = await Db.open({ dataFolder: ground.dataFolder, url: null });
    const key = { name: 'both', key: BOTH, tenants: ['acme'], rights: RIGHTS };
    await new Tenants(db).putKey({ ...key, dialects: ['native', 'batch'] });
    const headers = { 'x-authorization': BOTH };
    const path = '/batch/1.0/acme/export/userbase';
    const created = await ground.call('POST', path, { key: null, headers, body: { ids: ['install_id'] } });
    assert.equal(created.status, 202);
    const { json } = await ground.call('GET', '/v1/jobs', { key: BOTH });
    [
      {
        id,
        run: { id: run },
      },
    ] = json.data;
  });

  after(() => ground[Symbol.asyncDispose]());

  it('are not there for keys that do not speak it', async () => {
    assert.deepEqual((await ground.call('GET', '/v1/jobs')).json.data, []);
    const routes = [
      `GET /v1/jobs/${id}`,
      `GET /v1/jobs/${id}/runs`,
      `POST /v1/jobs/${id}/runs`,
      `DELETE /v1/jobs/${id}`,
    ];
    routes.push(
      ...['', '/manifest', '/log'].map((part) => `GET /v1/runs/${run}${part}`),
      `POST /v1/runs/${run}/cancel`,
    );
    for (const route of routes) {
      const [method = '', path = ''] = route.split(' ');
      const { status, json } = await ground.call(method, path);
      assert.deepEqual([status, json.code], [404, path.startsWith('/v1/jobs') ? 'job.unknown' : 'run.unknown'], route);
    }
  });

  it('are carried out once', async () => {
    assert.equal((await ground.call('GET', `/v1/runs/${run}`, { key: BOTH })).status, 200);
    const { status, json } = await ground.call('POST', `/v1/jobs/${id}/runs`, { key: BOTH });
    assert.deepEqual([status, json.code], [409, 'run.final']);
    assert.equal((await ground.call('DELETE', `/v1/jobs/${id}`, { key: BOTH })).status, 204);
  });
});
