import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { hashKey } from '../src/tenant/principal.ts';
import { type Answer, KEYS, ServerGround } from './server-ground.ts';
import {
  changesOf,
  checkSilence,
  created,
  DAY,
  dump,
  finished,
  idOf,
  loggedServer,
  NOBODYS,
  nameOf,
  putKey,
  type Raw,
  raw,
  repeatsOf,
  said,
  withBrokenSource,
  withTenants,
} from './walls-ground.ts';

describe("another tenant's ids", () => {
  let ground: ServerGround;
  let jobs: Answer['json'][];
  let mine: Answer['json'];

  before(async () => {
    const options = { rows: 1000, dispatches: true };
    ground = await ServerGround.open(options);
    const [succeeded, failed, deleted] = [
      await finished(ground, KEYS.globex),
      await withBrokenSource(ground.folder, () => finished(ground, KEYS.globex)),
      await finished(ground, KEYS.globex),
    ];
    mine = await finished(ground, KEYS.acme);
    assert.deepEqual([succeeded.run.state, failed.run.state, mine.run.state], ['succeeded', 'failed', 'succeeded']);
    assert.equal((await ground.call('DELETE', `/v1/jobs/${deleted.id}`, { key: KEYS.globex })).status, 204);
    // From here on nothing runs, so that what waits goes on waiting.
    await ground.stop();
    options.dispatches = false;
    await ground.start();
    const queued = await created(ground, KEYS.globex, { note: 'theirs' });
    assert.equal(queued.state, 'queued');
    jobs = [succeeded, failed, deleted, queued];
  });

  after(() => ground[Symbol.asyncDispose]());

  const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
  const ROUTES = [
    ['job', '', 'GET HEAD DELETE'],
    ['job', '/runs', 'GET HEAD POST'],
    ['job', '/runs?limit=1', 'GET HEAD POST'],
    ['job', '/cancel', ''],
    ['run', '', 'GET HEAD'],
    ['run', '/cancel', 'POST'],
    ['run', '/manifest', 'GET HEAD'],
    ['run', '/log', 'GET HEAD'],
    ['run', '/files', ''],
  ] as const;

  const sameAnswers = async (method: string, paths: readonly string[], expected: Raw) => {
    for (const path of paths) assert.deepEqual(await raw(ground, method, path), expected, `${method} ${path}`);
  };

  for (const [kind, rest, known] of ROUTES)
    it(`are like nobody's: /v1/${kind}s/{id}${rest}`, async () => {
      const theirs = jobs.map(({ id, run }) => (kind === 'job' ? id : run.id));
      const paths = [...NOBODYS(kind), ...theirs].map((id) => `/v1/${kind}s/${id}${rest}`);
      const before = dump(ground);
      for (const method of METHODS) {
        const expected = await raw(ground, method, paths[0] ?? '');
        const isKnown = known.split(' ').includes(method);
        assert.equal(expected.status, isKnown || known === '' ? 404 : 405);
        if (isKnown && method !== 'HEAD') assert.equal(JSON.parse(expected.body).code, `${kind}.unknown`);
        await sameAnswers(method, paths, expected);
      }
      assert.deepEqual(dump(ground), before);
    });

  it('are known to their owner, so that the test above can fail', async () => {
    const key = KEYS.globex;
    const [succeeded, failed, deleted, queued] = jobs;
    for (const { id } of [succeeded, failed, queued]) {
      assert.equal((await ground.call('GET', `/v1/jobs/${id}`, { key })).status, 200);
      assert.equal((await ground.call('GET', `/v1/jobs/${id}/runs`, { key })).json.data.length, 1);
    }
    assert.equal((await ground.call('GET', `/v1/jobs/${deleted.id}`, { key })).status, 404);
    for (const { run } of jobs) assert.equal((await ground.call('GET', `/v1/runs/${run.id}/log`, { key })).status, 200);
    assert.equal((await ground.call('GET', `/v1/runs/${succeeded.run.id}/manifest`, { key })).status, 200);
    // A deleted job is to its owner, too, like one that never was.
    const [nobodys] = NOBODYS('job');
    for (const [method, rest] of [
      ['GET', ''],
      ['DELETE', ''],
      ['GET', '/runs'],
      ['POST', '/runs'],
    ] as const)
      assert.deepEqual(
        await raw(ground, method, `/v1/jobs/${deleted.id}${rest}`, { key }),
        await raw(ground, method, `/v1/jobs/${nobodys}${rest}`, { key }),
      );
  });

  it('as cursors show nothing of theirs', async () => {
    const cursor = (id: string) => Buffer.from(id).toString('base64url');
    const ids = ({ json }: Answer): string[] => json.data.map(({ id }: { id: string }) => id);
    for (const { id, run } of jobs) {
      const list = await ground.call('GET', `/v1/jobs?cursor=${cursor(id)}`);
      assert.equal(list.status, 200);
      assert.ok(ids(list).every((each) => each === mine.id));
      const runs = await ground.call('GET', `/v1/jobs/${mine.id}/runs?cursor=${cursor(run.id)}`);
      assert.equal(runs.status, 200);
      assert.ok(ids(runs).every((each) => each === mine.run.id));
    }
    const [{ id, run }] = jobs;
    for (const bad of [
      '',
      'x',
      '*',
      cursor('job_'),
      cursor(run.id),
      `${cursor(id)}=`,
      cursor(`${id}' or 1=1`),
      'a'.repeat(200),
    ]) {
      const answer = await ground.call('GET', `/v1/jobs?cursor=${bad}`);
      assert.equal(answer.status, 400, bad);
      assert.equal(answer.json.code, 'request.invalid');
    }
    assert.equal((await ground.call('GET', `/v1/jobs/${mine.id}/runs?cursor=${cursor(id)}`)).status, 400);
  });

  it('stand in no list, whatever is filtered by', async () => {
    const times = 'createdFrom=2000-01-01&createdTo=2999-01-01';
    for (const query of ['', 'state=succeeded', 'state=failed', 'state=queued', 'dataset=events', times]) {
      const { status, json } = await ground.call('GET', `/v1/jobs?limit=100&${query}`);
      assert.equal(status, 200);
      const expected = query.startsWith('state') && query !== 'state=succeeded' ? [] : [mine.id];
      assert.deepEqual(
        json.data.map(({ id }: { id: string }) => id),
        expected,
        query,
      );
      assert.equal(json.next, null);
    }
    const theirs = await ground.call('GET', '/v1/jobs?limit=2', { key: KEYS.globex });
    assert.equal(theirs.json.data.length, 2);
    const rest = await ground.call('GET', `/v1/jobs?cursor=${theirs.json.next}`, { key: KEYS.globex });
    assert.equal(rest.json.data.length, 1);
    const both = await ground.call('GET', '/v1/jobs', { key: KEYS.both });
    assert.equal(both.json.data.length, 4);
    for (const query of ['tenant=globex', 'tenant=nobody', 'tenant_id=globex'])
      assert.equal((await ground.call('GET', `/v1/jobs?${query}`)).status, 400);
  });

  it('are not told by an Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'one-for-all' };
    const [a, b] = [await created(ground, KEYS.acme, {}, headers), await created(ground, KEYS.globex, {}, headers)];
    assert.notEqual(a.id, b.id);
    assert.equal((await created(ground, KEYS.acme, {}, headers)).id, a.id);
    assert.equal((await created(ground, KEYS.globex, {}, headers)).id, b.id);
    const other = { body: { dataset: 'events', format: 'jsonl' }, headers };
    for (const key of [KEYS.acme, KEYS.globex])
      assert.equal((await ground.call('POST', '/v1/jobs', { ...other, key })).json.code, 'idempotency.mismatch');
    // A third tenant may use it with another body and learns nothing.
    assert.equal(
      (await ground.call('POST', '/v1/jobs', { ...other, key: KEYS.tiny, body: { ...other.body, ...DAY } })).status,
      202,
    );
    // A key of two tenants has it once for each.
    const named = (tenant: string) => created(ground, KEYS.both, { tenant }, { 'idempotency-key': 'two' });
    const [first, second] = [await named('acme'), await named('globex')];
    assert.notEqual(first.id, second.id);
    assert.equal((await named('acme')).id, first.id);
    assert.equal((await ground.call('GET', `/v1/jobs/${first.id}`, { key: KEYS.globex })).status, 404);
    assert.equal((await ground.call('GET', `/v1/jobs/${second.id}`, { key: KEYS.globex })).status, 200);
  });

  it("as names of tenants are like nobody's", async () => {
    const asked = async (key: string, tenant?: string) => {
      const body = { dataset: 'events', format: 'csv', tenant };
      const answer = await raw(ground, 'POST', '/v1/jobs', { key, body });
      return { ...answer, body: tenant === undefined ? answer.body : answer.body.replaceAll(tenant, '?') };
    };
    const before = dump(ground);
    for (const key of [KEYS.acme, KEYS.both]) {
      const unknown = await asked(key, 'nobody');
      assert.equal(unknown.status, 400);
      for (const tenant of ['tiny', ...(key === KEYS.acme ? ['globex'] : [])])
        assert.deepEqual(await asked(key, tenant), unknown);
    }
    assert.equal((await asked(KEYS.both)).status, 400);
    assert.deepEqual(dump(ground), before);
  });

  it('hidden columns and the tenant column are answered like no column', async () => {
    const asks: ((name: string) => object)[] = [
      (name) => ({ filter: { [name]: { eq: 'x' } } }),
      (name) => ({ filter: { [name]: { exists: 7 } } }),
      (name) => ({ filter: { [name]: 1 } }),
      (name) => ({ filter: { [`${name}.x`]: { eq: 'x' } } }),
      (name) => ({ filter: { 'data.x': { eq: 1 }, [`${name}.x.y`]: { nosuch: 'x' } } }),
      (name) => ({ filter: { and: [{ id: { eq: 1 } }, { or: [{ not: { [name]: { ne: 'acme' } } }] }] } }),
      (name) => ({ filter: { not: { not: { [name]: { in: [] } } } } }),
      (name) => ({ order: [name] }),
      (name) => ({ order: [`-${name}`] }),
      (name) => ({ order: ['id', `-${name}`] }),
      (name) => ({ columns: [name] }),
      (name) => ({ columns: ['id', name] }),
      (name) => ({ columns: [name], distinct: true }),
      (name) => ({ columns: ['id'], distinct: true, order: [name] }),
    ];
    const before = dump(ground);
    for (const ask of asks) {
      const asked = async (name: string) => {
        const body = { dataset: 'events', format: 'csv', ...ask(name) };
        const answer = await raw(ground, 'POST', '/v1/jobs', { body });
        // Names of one length, so that Content-Length tells of nothing else.
        return { ...answer, body: answer.body.replaceAll(name, '?') };
      };
      for (const [name, unknown] of [
        ['tenant', 'nobody'],
        ['secret', 'nobody'],
        ['TENANT', 'NOBODY'],
      ] as const) {
        const expected = await asked(unknown);
        assert.equal(expected.status, 400, JSON.stringify(ask(name)));
        assert.deepEqual(await asked(name), expected);
      }
    }
    const { json } = await ground.call('GET', '/v1/datasets/events');
    assert.equal(
      json.columns.some(({ name }: { name: string }) => ['tenant', 'secret'].includes(name)),
      false,
    );
    assert.deepEqual(dump(ground), before);
  });

  it('keys need tenants that exist', async () => {
    const before = dump(ground);
    for (const tenants of [[], ['nobody'], ['acme', 'nobody']])
      await assert.rejects(putKey(ground, { key: 'dk_test_none', tenants }), { code: 'request.invalid' });
    assert.deepEqual(dump(ground), before);
    const key = 'dk_test_twice';
    await putKey(ground, { key, tenants: ['acme', 'acme'] });
    assert.equal((await ground.call('GET', `/v1/jobs/${mine.id}`, { key })).status, 200);
  });

  it('rights end at what a key was given', async () => {
    await putKey(ground, { key: 'dk_test_reader', rights: ['read'] });
    await putKey(ground, { key: 'dk_test_writer', rights: ['write'] });
    await putKey(ground, { key: 'dk_test_other', dialects: ['other'] });
    const body = { dataset: 'events', format: 'csv' };
    const writes = [
      ['POST', '/v1/jobs', body],
      ['DELETE', `/v1/jobs/${mine.id}`],
      ['POST', `/v1/jobs/${mine.id}/runs`],
      ['POST', `/v1/runs/${mine.run.id}/cancel`],
    ] as const;
    const reads = [
      '/v1/jobs',
      `/v1/jobs/${mine.id}`,
      `/v1/jobs/${mine.id}/runs`,
      `/v1/runs/${mine.run.id}`,
      `/v1/runs/${mine.run.id}/manifest`,
      `/v1/runs/${mine.run.id}/log`,
    ];
    const before = dump(ground);
    for (const [method, path, sent] of writes) {
      const { status, json } = await ground.call(method, path, { key: 'dk_test_reader', body: sent });
      assert.deepEqual([status, json.code], [403, 'auth.forbidden'], `${method} ${path}`);
      // Whose it is makes no difference to who may not ask.
      const theirs = path.replace(mine.id, jobs[0].id).replace(mine.run.id, jobs[0].run.id);
      assert.deepEqual(
        await raw(ground, method, theirs, { key: 'dk_test_reader', body: sent }),
        await raw(ground, method, path, { key: 'dk_test_reader', body: sent }),
      );
    }
    for (const path of reads) {
      const { status, json } = await ground.call('GET', path, { key: 'dk_test_writer' });
      assert.deepEqual([status, json.code], [403, 'auth.forbidden'], path);
      assert.equal((await ground.call('GET', path, { key: 'dk_test_reader' })).status, 200, path);
      const other = await ground.call('GET', path, { key: 'dk_test_other' });
      assert.deepEqual([other.status, other.json.code], [403, 'auth.forbidden']);
    }
    assert.deepEqual(dump(ground), before);
    assert.equal((await created(ground, 'dk_test_writer')).state, 'queued');
  });

  it('tiers are held to, and what they refuse leaves nothing', async () => {
    const key = KEYS.tiny;
    const ask = (body: object) =>
      ground.call('POST', '/v1/jobs', { key, body: { dataset: 'events', format: 'csv', ...body } });
    while ((await ask(DAY)).status === 202);
    const before = dump(ground);
    assert.equal(before.runs?.filter((run) => (run as { tenant_id: string }).tenant_id === 'tiny').length, 5);
    for (const [body, status, code] of [
      [{ ...DAY, format: 'parquet' }, 403, 'tier.format'],
      [{ ...DAY, format: { type: 'parquet' } }, 403, 'tier.format'],
      [{}, 403, 'tier.range'],
      [{ window: { start: '2026-01-01' } }, 403, 'tier.range'],
      [{ window: { end: '2026-01-01' } }, 403, 'tier.range'],
      [{ window: { start: '2026-01-01', end: '2026-01-08T00:00:00.001Z' } }, 403, 'tier.range'],
      [{ window: { start: '2026-01-01', end: '2026-01-08' } }, 429, 'tier.queue'],
      [DAY, 429, 'tier.queue'],
    ] as const) {
      const { status: got, json, headers } = await ask(body);
      assert.deepEqual([got, json.code], [status, code], JSON.stringify(body));
      assert.equal(headers.get('retry-after'), status === 429 ? '5' : null);
    }
    assert.deepEqual(dump(ground), before);
    // Another's full queue is nobody else's.
    await created(ground, KEYS.acme);
  });
});

describe('rows and links', () => {
  let ground: ServerGround;
  const ROWS = 1000;
  const OWN = { acme: [0, 1, 2, 3, 4, 5], globex: [6, 7, 8], tiny: [9] };

  before(async () => {
    ground = await ServerGround.open({ rows: ROWS });
  });

  after(() => ground[Symbol.asyncDispose]());

  it('of each tenant are its own, all of them', async () => {
    const asks = [
      ...(['acme', 'globex', 'tiny'] as const).map((tenant) => ({ tenant, key: KEYS[tenant], body: DAY })),
      { tenant: 'acme', key: KEYS.both, body: { tenant: 'acme' } },
      { tenant: 'globex', key: KEYS.both, body: { tenant: 'globex' } },
      // No filter reaches over the wall.
      {
        tenant: 'globex',
        key: KEYS.globex,
        body: { filter: { or: [{ id: { gte: 0 } }, { not: { id: { gte: 0 } } }] } },
      },
    ] as const;
    for (const { tenant, key, body } of asks) {
      const job = await finished(ground, key, { ...body, order: ['id'] });
      const [file] = job.run.files;
      const { text } = await ground.call('GET', file.url, { key: null });
      const ids = [...text.matchAll(/^(\d+),/gm)].map(([, id]) => Number(id));
      const expected = Array.from({ length: ROWS }, (_, id) => id).filter((id) =>
        OWN[tenant].some((own) => own === id % 10),
      );
      assert.deepEqual(ids, expected, tenant);
      assert.equal(file.rows, expected.length);
      assert.doesNotMatch(text, /secret|acme|globex|tiny/);
    }
  });

  it('of changed links are refused alike, whatever was changed', async () => {
    const links = await Promise.all([
      finished(ground, KEYS.acme),
      finished(ground, KEYS.acme),
      finished(ground, KEYS.globex),
    ]);
    const [own, second, foreign] = links.map(({ run }) => new URL(run.files[0].url, ground.url));
    assert.ok(own && second && foreign);
    const query = own.search.slice(1);
    const at = (id: string, search: string) => `/v1/files/${id}/${nameOf(own)}?${search}`;
    const changed = changesOf(own, second, foreign);
    const expected = await raw(ground, 'GET', at(NOBODYS('file')[0] ?? '', query), { key: null });
    assert.deepEqual([expected.status, JSON.parse(expected.body).code], [403, 'link.invalid']);
    const before = dump(ground);
    for (const path of changed)
      for (const key of [null, KEYS.globex]) assert.deepEqual(await raw(ground, 'GET', path, { key }), expected, path);
    assert.deepEqual(dump(ground), before);
    const nobodys = NOBODYS('file')[0] ?? '';
    for (const twice of repeatsOf(own)) {
      const refused = await raw(ground, 'GET', at(nobodys, twice), { key: null });
      assert.equal(refused.status, 400);
      for (const id of [idOf(own), idOf(foreign)])
        assert.deepEqual(await raw(ground, 'GET', at(id, twice), { key: null }), refused);
    }
    // The name is signed with the rest.
    const renamed = await raw(ground, 'GET', `/v1/files/${idOf(own)}/${nameOf(foreign)}?${query}`, { key: null });
    assert.deepEqual(renamed, expected);
  });

  it('die with the key they were minted for, at once, and with no other', async () => {
    const key = 'dk_test_dies';
    const id = await putKey(ground, { key });
    const { run } = await finished(ground, key);
    const [{ url }] = run.files;
    const linkBy = async (holder: string) =>
      (await ground.call('GET', `/v1/runs/${run.id}`, { key: holder })).json.files[0].url;
    const others = await linkBy(KEYS.acme);
    assert.equal((await ground.call('GET', url, { key: null })).status, 200);
    assert.equal(await withTenants(ground, (tenants) => tenants.revokeKey(id)), true);
    for (const [method, path] of [
      ['GET', '/v1/jobs'],
      ['GET', `/v1/runs/${run.id}`],
      ['POST', '/v1/jobs'],
      ['HEAD', '/v1/datasets'],
    ] as const) {
      const dead = await raw(ground, method, path, { key });
      assert.equal(dead.status, 401);
      assert.deepEqual(dead, await raw(ground, method, path, { key: 'dk_nobody' }));
    }
    const link = await raw(ground, 'GET', url, { key: null });
    assert.deepEqual([link.status, JSON.parse(link.body).code], [403, 'link.invalid']);
    assert.deepEqual(link, await raw(ground, 'GET', `${url}x`, { key: null }));
    for (const alive of [others, await linkBy(KEYS.acme), await linkBy(KEYS.both)])
      assert.equal((await ground.call('GET', alive, { key: null })).status, 200);
  });

  it('die for a tenant the key loses, and with its right to read', async () => {
    const key = 'dk_test_moves';
    await putKey(ground, { key, tenants: ['acme', 'globex'] });
    const urls = await Promise.all(
      ['acme', 'globex'].map(async (tenant) => (await finished(ground, key, { tenant })).run.files[0].url),
    );
    const statuses = () => Promise.all(urls.map(async (url) => (await ground.call('GET', url, { key: null })).status));
    assert.deepEqual(await statuses(), [200, 200]);
    await putKey(ground, { key, tenants: ['globex'] });
    assert.deepEqual(await statuses(), [403, 200]);
    await putKey(ground, { key, tenants: ['globex'], rights: ['write'] });
    assert.deepEqual(await statuses(), [403, 403]);
    await putKey(ground, { key, tenants: ['acme', 'globex'] });
    assert.deepEqual(await statuses(), [200, 200]);
  });

  it('never stand in logs, nor do keys, their hashes, SQL or paths in answers', async () => {
    await ground.stop();
    const lines: string[] = [];
    await using logged = await loggedServer(ground, lines);
    const body = { dataset: 'events', format: 'csv' };
    const create = async (more: object) => {
      const { run } = JSON.parse((await raw(logged, 'POST', '/v1/jobs', { body: { ...body, ...more } })).body);
      for (let at = 0; at < 200; at++) {
        const seen = JSON.parse((await raw(logged, 'GET', `/v1/runs/${run.id}`)).body);
        if (['succeeded', 'failed'].includes(seen.state)) return seen;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return assert.fail(`${run.id} did not settle.`);
    };
    const failed = await withBrokenSource(ground.folder, () => create({}));
    assert.equal(failed.state, 'failed');
    await raw(logged, 'GET', `/v1/runs/${failed.id}/log`);
    const [{ url }] = (await create({})).files;
    for (const path of [url, `${url}x`, `${url}&key=1`, url.replace('?', '%zz?')])
      await raw(logged, 'GET', path, { key: null });
    for (const path of ['/v1/jobs', '/v1/nothing', '/v1/datasets/gone', '/v1/jobs?cursor=x'])
      for (const key of [KEYS.acme, 'dk_nobody', null]) await raw(logged, 'GET', path, { key });
    await raw(logged, 'POST', '/v1/jobs', { body: { ...body, dataset: 'gone' } });
    await raw(logged, 'POST', '/v1/jobs', { body: { ...body, tenant: KEYS.globex.slice(3) } });
    assert.ok(lines.filter((line) => line.includes('"request"')).length > 20, 'requests are logged');
    assert.ok(said.length > 1000, 'answers are looked through');
    const links = readFileSync(join(ground.dataFolder, 'keys', 'links.key'), 'utf8').trim();
    const keys = [...Object.values(KEYS), 'dk_nobody', 'dk_test_dies', 'dk_test_moves'];
    checkSilence(lines, [links, ...keys, ...keys.map(hashKey)], ground.folder);
  });
});
