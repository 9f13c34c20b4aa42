import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Contract, checkDocument, mediaTypeOf } from './openapi-check.ts';
import { type Answer, type Asked, KEYS, ServerGround } from './server-ground.ts';

const BODY = { dataset: 'events', format: 'csv' };
const NOBODYS = '00000000000000000000000000';

let ground: ServerGround;
/** Accepts runs and starts none. */
let waiting: ServerGround;
let contract: Contract;

before(async () => {
  ground = await ServerGround.open();
  waiting = await ServerGround.open({ dispatches: false, rows: 10 });
  contract = new Contract((await ground.call('GET', '/openapi.json')).json);
});

after(async () => {
  await ground[Symbol.asyncDispose]();
  await waiting[Symbol.asyncDispose]();
});

/** A call whose answer is held to the document. */
async function ask(at: ServerGround, method: string, path: string, asked: Asked = {}): Promise<Answer> {
  const answer = await at.call(method, path, asked);
  contract.check(method, path, answer);
  return answer;
}

async function expect(status: number, code: string | null, answer: Promise<Answer>): Promise<Answer> {
  const given = await answer;
  assert.equal(given.status, status, given.text);
  if (code !== null) assert.equal(given.json.code, code, given.text);
  return given;
}

/** A run that succeeded, and its one file. */
async function exported(body: object = BODY) {
  const { json: job } = await expect(202, null, ask(ground, 'POST', '/v1/jobs', { body }));
  const run = await ground.settled(job.run.id);
  assert.equal(run.state, 'succeeded', JSON.stringify(run));
  return { job, run, file: run.files[0] };
}

describe('the document', () => {
  test('wants the key wherever one is needed, and nowhere else', () => {
    checkDocument(contract.document);
    for (const { method, path, operation } of contract.operations()) {
      const isOpen = /^\/(health|ready|\.well-known|v1\/files)/.test(path);
      assert.equal(operation.security === undefined, isOpen, `${method} ${path}`);
    }
  });

  test('can be browsed', async () => {
    const { status, text } = await ground.call('GET', '/docs', { key: null });
    assert.equal(status, 200);
    assert.match(text, /swagger/i);
  });
});

describe('answers are as documented', () => {
  test('every operation when it goes well, and HEAD wherever there is GET', async () => {
    const { job, run, file } = await exported();
    const paths: Record<string, string> = {
      '/v1/files/{id}/{name}': file.url,
      '/v1/datasets/{dataset}': '/v1/datasets/events',
      '/v1/jobs/{id}': `/v1/jobs/${job.id}`,
      '/v1/jobs/{id}/runs': `/v1/jobs/${job.id}/runs`,
      '/v1/runs/{id}': `/v1/runs/${run.id}`,
      '/v1/runs/{id}/manifest': `/v1/runs/${run.id}/manifest`,
      '/v1/runs/{id}/log': `/v1/runs/${run.id}/log`,
    };
    for (const { path } of contract.operations().filter(({ method }) => method === 'GET')) {
      const got = await expect(200, null, ask(ground, 'GET', paths[path] ?? path));
      const head = await expect(200, null, ask(ground, 'HEAD', paths[path] ?? path));
      assert.equal(head.headers.get('content-type'), got.headers.get('content-type'), path);
      assert.equal(head.headers.get('content-length'), got.headers.get('content-length'), path);
    }
    await expect(
      200,
      null,
      ask(ground, 'GET', '/v1/jobs?state=succeeded&dataset=events&limit=1&createdFrom=2026-01-01'),
    );
    const { json: more } = await ask(ground, 'POST', `/v1/jobs/${job.id}/runs`);
    await ground.settled(more.id);
    const { json: page } = await ask(ground, 'GET', `/v1/jobs/${job.id}/runs?limit=1`);
    assert.equal(page.data[0].id, more.id);
    const { json: rest } = await ask(ground, 'GET', `/v1/jobs/${job.id}/runs?limit=1&cursor=${page.next}`);
    assert.deepEqual([rest.data[0].id, rest.next], [run.id, null]);
    const { json: queued } = await ask(waiting, 'POST', '/v1/jobs', { body: BODY });
    const { json: cancelled } = await expect(200, null, ask(waiting, 'POST', `/v1/runs/${queued.run.id}/cancel`));
    assert.equal(cancelled.state, 'cancelled');
    await expect(204, null, ask(ground, 'DELETE', `/v1/jobs/${job.id}`));
    for (const { method, path } of contract.operations())
      assert.ok(
        ['200', '202', '204'].some((status) => contract.seen.has(`${method} ${path} ${status}`)),
        path,
      );
  });

  test('every format and option, as the job shows it again', async () => {
    for (const format of [
      'csv',
      'json',
      'jsonl',
      'parquet',
      'xml',
      { type: 'csv', delimiter: ';', nullText: 'NULL' },
    ]) {
      const { job, file } = await exported({
        ...BODY,
        format,
        note: 'é "note"',
        columns: ['id', 'note'],
        order: ['-id'],
      });
      assert.deepEqual(job.request.note, 'é "note"');
      await expect(200, null, ask(ground, 'GET', file.url, { key: null }));
    }
  });

  test('Location and Retry-After lead to the end of a run', async () => {
    const created = await ask(waiting, 'POST', '/v1/jobs', { body: BODY });
    assert.equal(created.headers.get('location'), `/v1/jobs/${created.json.id}`);
    const again = await ask(waiting, 'POST', `/v1/jobs/${created.json.id}/runs`);
    assert.equal(again.headers.get('location'), `/v1/runs/${again.json.id}`);
    for (const path of [`/v1/jobs/${created.json.id}`, `/v1/runs/${again.json.id}`])
      assert.equal((await ask(waiting, 'GET', path)).headers.get('retry-after'), '1');
    assert.deepEqual(
      [created, again].map(({ headers }) => headers.get('retry-after')),
      ['1', '1'],
    );
    const { job, run } = await exported();
    for (const path of [`/v1/jobs/${job.id}`, `/v1/runs/${run.id}`])
      assert.equal((await ask(ground, 'GET', path)).headers.get('retry-after'), null);
  });

  test('the same Idempotency-Key gives the same answer, and another body is refused', async () => {
    const headers = { 'idempotency-key': 'once' };
    const first = await expect(202, null, ask(waiting, 'POST', '/v1/jobs', { body: BODY, headers }));
    const second = await expect(202, null, ask(waiting, 'POST', '/v1/jobs', { body: BODY, headers }));
    assert.deepEqual(second.json, first.json);
    const other = { ...BODY, note: 'other' };
    await expect(422, 'idempotency.mismatch', ask(waiting, 'POST', '/v1/jobs', { body: other, headers }));
  });
});

describe('refusals are as documented', () => {
  test('401 of every operation that needs a key, and of none that needs none', async () => {
    for (const { method, path, operation } of contract.operations()) {
      const url = path.replaceAll(/\{\w+\}/g, 'x');
      const without = await ask(ground, method, url, { key: null });
      assert.equal(without.status === 401, operation.security !== undefined, `${method} ${path}`);
      if (operation.security === undefined) continue;
      assert.equal(without.json.code, 'auth.missing');
      await expect(401, 'auth.unknown', ask(ground, method, url, { key: 'dk_unknown' }));
      await expect(
        401,
        'auth.missing',
        ask(ground, method, url, { key: null, headers: { authorization: 'Basic eA==' } }),
      );
    }
  });

  test("404 of every id that is nobody's, another's or none", async () => {
    const { json: job } = await ask(waiting, 'POST', '/v1/jobs', { body: BODY });
    const ids = { job: [job.id, `job_${NOBODYS}`, 'x', '%00'], run: [job.run.id, `run_${NOBODYS}`, 'x', '%00'] };
    for (const { method, path } of contract.operations()) {
      const [, kind] = /^\/v1\/(job|run)s\/\{id\}/.exec(path) ?? [];
      for (const id of ids[kind as 'job' | 'run'] ?? [])
        await expect(
          404,
          `${kind}.unknown`,
          ask(waiting, method, path.replace('{id}', id), {
            key: id === job.id || id === job.run.id ? KEYS.globex : KEYS.acme,
          }),
        );
    }
    const unknown = await expect(404, 'dataset.unknown', ask(ground, 'GET', '/v1/datasets/nope'));
    assert.deepEqual([unknown.json.in, unknown.json.pointer], ['path', '/dataset']);
    const inBody = await expect(
      404,
      'dataset.unknown',
      ask(ground, 'POST', '/v1/jobs', { body: { ...BODY, dataset: 'nope' } }),
    );
    assert.deepEqual([inBody.json.in, inBody.json.pointer], ['body', '/dataset']);
  });

  test('405 with Allow of every method a path has not', async () => {
    for (const path of Object.keys(contract.document.paths)) {
      const known = Object.keys(contract.document.paths[path] ?? {}).map((each) => each.toUpperCase());
      const allowed = [...known, ...(known.includes('GET') ? ['HEAD'] : [])].toSorted();
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].filter(
        (each) => !allowed.includes(each),
      )) {
        const answer = await ask(ground, method, path.replaceAll(/\{\w+\}/g, 'x'));
        assert.equal(answer.status, 405, `${method} ${path}`);
        assert.equal(answer.headers.get('allow'), allowed.join(', '), `${method} ${path}`);
        if (method !== 'HEAD') assert.equal(answer.json.code, 'method.refused');
      }
    }
  });

  test('403 for what the tier does not have, 429 for a full queue', async () => {
    const window = { start: '2026-01-01', end: '2026-01-02' };
    const create = (body: object) =>
      ask(waiting, 'POST', '/v1/jobs', { key: KEYS.tiny, body: { ...BODY, window, ...body } });
    await expect(403, 'tier.format', create({ format: 'parquet' }));
    await expect(403, 'tier.range', create({ window: { start: '2026-01-01', end: '2026-01-09' } }));
    for (let at = 0; at < 5; at++) await expect(202, null, create({}));
    await expect(429, 'tier.queue', create({}));
    const several = await expect(
      400,
      'request.invalid',
      ask(waiting, 'POST', '/v1/jobs', { key: KEYS.both, body: BODY }),
    );
    assert.equal(several.json.pointer, '/tenant');
  });

  test('409 for what the run is not ready for or past', async () => {
    const { json: job } = await ask(waiting, 'POST', '/v1/jobs', { body: BODY });
    await expect(409, 'conflict.running', ask(waiting, 'GET', `/v1/runs/${job.run.id}/manifest`));
    await ask(waiting, 'POST', `/v1/runs/${job.run.id}/cancel`);
    await expect(409, 'run.final', ask(waiting, 'POST', `/v1/runs/${job.run.id}/cancel`));
  });

  test('429 for too many requests; 503 and 507 while nothing is accepted', async () => {
    const native = { requestsPerSecond: 1 };
    await using busy = await ServerGround.open({ dispatches: false, rows: 10, config: { maintenance: true, native } });
    await expect(503, 'maintenance', ask(busy, 'POST', '/v1/jobs', { body: BODY }));
    await ask(busy, 'GET', '/v1/datasets');
    await expect(429, 'rate.limited', ask(busy, 'GET', '/v1/datasets'));
    const runs = { diskFloor: '999999GB' };
    await using full = await ServerGround.open({ dispatches: false, rows: 10, config: { runs } });
    await expect(507, 'disk.low', ask(full, 'POST', '/v1/jobs', { body: BODY }));
  });
});

describe('file links', () => {
  test('answer GET and HEAD, ranges and conditions', async () => {
    const { file } = await exported();
    const get = (headers: Record<string, string> = {}, method = 'GET') =>
      ask(ground, method, file.url, { key: null, headers });
    const whole = await expect(200, null, get());
    const etag = whole.headers.get('etag') ?? '';
    assert.equal(etag, `"${createHash('sha256').update(whole.text).digest('hex')}"`);
    assert.equal(etag, `"${file.sha256}"`);
    const part = await expect(206, null, get({ range: 'bytes=0-9' }));
    assert.equal(part.text, whole.text.slice(0, 10));
    assert.equal(part.headers.get('content-range'), `bytes 0-9/${file.bytes}`);
    const last = await expect(206, null, get({ range: 'bytes=-5' }));
    assert.equal(last.text, whole.text.slice(-5));
    await expect(206, null, get({ range: 'bytes=0-9', 'if-range': etag }));
    await expect(200, null, get({ range: 'bytes=0-9', 'if-range': '"other"' }));
    await expect(200, null, get({ range: 'bytes=0-1,4-5' }));
    await expect(304, null, get({ 'if-none-match': etag }));
    await expect(304, null, get({ 'if-none-match': `"other", W/${etag}` }));
    const outside = await expect(416, null, get({ range: `bytes=${file.bytes}-` }));
    assert.equal(outside.headers.get('content-range'), `bytes */${file.bytes}`);
    assert.equal((await get({}, 'HEAD')).headers.get('content-length'), String(file.bytes));
  });

  test('a .gz comes as what it is', async () => {
    const { file } = await exported({ ...BODY, compression: 'gzip' });
    const answer = await expect(
      200,
      null,
      ask(ground, 'GET', file.url, { key: null, headers: { 'accept-encoding': 'gzip' } }),
    );
    assert.equal(answer.headers.get('content-encoding'), null);
    assert.equal(mediaTypeOf(answer), 'application/gzip');
    assert.equal(answer.headers.get('content-length'), String(file.bytes));
  });

  test('403 for a link that was changed, 410 for one whose time is over', async () => {
    const { file } = await exported();
    const changes = [file.url.replace('expires=1', 'expires=2'), file.url.split('?')[0], `${file.url}x`];
    for (const url of [...changes, file.url.replace('key=1', 'key=2'), file.url.replace('signer=', 'signer=0')])
      await expect(403, 'link.invalid', ask(ground, 'GET', url, { key: null }));
    await using soon = await ServerGround.open({
      rows: 10,
      config: { native: { linkLife: '1s', requestsPerSecond: 1000 } },
    });
    const { json: job } = await ask(soon, 'POST', '/v1/jobs', { body: BODY });
    const { files } = await soon.settled(job.run.id);
    await sleep(1100);
    await expect(410, 'file.expired', ask(soon, 'GET', files[0].url, { key: null }));
  });
});

describe('what the framework refuses is a problem like any other', () => {
  const create = (body: string | undefined, headers: Record<string, string> = {}) =>
    ask(waiting, 'POST', '/v1/jobs', { ...(body === undefined ? {} : { body }), headers });

  test('unreadable bodies', async () => {
    for (const body of ['{', '{"dataset":"events",}', "{'dataset':1}", 'NaN', '\u{feff}{', '{"a":01}'])
      await expect(400, 'request.malformed', create(body));
    for (const body of [undefined, '', '  ', 'null', '[]', '5', '"text"'])
      assert.equal((await expect(400, 'request.invalid', create(body))).json.pointer, '');
    await expect(400, 'request.too_large', create(JSON.stringify({ ...BODY, note: 'x'.repeat(1_048_576) })));
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx'])
      await expect(400, 'request.type', create('{}', { 'content-type': type }));
    const bytes = new Uint8Array([...Buffer.from('{"dataset":"'), 0xff, ...Buffer.from('","format":"csv"}')]);
    const headers = { authorization: `Bearer ${KEYS.acme}`, 'content-type': 'application/json' };
    const response = await fetch(`${waiting.url}/v1/jobs`, { method: 'POST', body: bytes, headers });
    assert.deepEqual([response.status, ((await response.json()) as { code: string }).code], [400, 'request.malformed']);
  });

  test('what is wrong, where, and what is allowed, in plain words', async () => {
    const cases: [object, string, string][] = [
      [{ dataset: undefined }, '/dataset', '"dataset" is missing.'],
      [{ dataset: 5 }, '/dataset', 'Allowed is text; this is 5.'],
      [{ format: 'orc' }, '/format', 'Allowed are csv, json, jsonl, parquet, xml, avro, pdf; this is "orc".'],
      [{ format: {} }, '/format/type', '"type" is missing.'],
      [
        { format: { type: 'orc' } },
        '/format/type',
        'Allowed are csv, json, jsonl, parquet, xml, avro, pdf; this is "orc".',
      ],
      [{ format: { type: 'csv', header: 'yes' } }, '/format/header', 'Allowed is true or false; this is "yes".'],
      [{ format: { type: 'csv', head: true } }, '/format/head', '"head" is not known here.'],
      [{ destination: { type: 's3' } }, '/destination/type', 'Allowed is download; this is "s3".'],
      [{ columns: [] }, '/columns', 'Allowed is no less than 1 item; this has 0.'],
      [{ note: 'x'.repeat(501) }, '/note', 'Allowed is no more than 500 characters; this has 501.'],
      [{ window: null }, '/window', 'Allowed is an object; this is null.'],
    ];
    for (const [change, pointer, detail] of cases) {
      const { json } = await expect(400, 'request.invalid', create(JSON.stringify({ ...BODY, ...change })));
      assert.deepEqual([json.pointer, json.detail], [pointer, detail]);
    }
  });

  test('unreadable paths, and paths there are not', async () => {
    for (const path of ['/v1/jobs/%zz', '/%zz', '/v1/datasets/%ff'])
      await expect(400, 'request.malformed', ask(ground, 'GET', path));
    for (const path of ['/nope', '/v1', '/V1/jobs', '/v1//jobs', `/v1/jobs/${'x'.repeat(201)}`])
      await expect(404, 'route.unknown', ask(ground, 'GET', path));
  });
});

/** Every schema of the document, wherever one stands. */
