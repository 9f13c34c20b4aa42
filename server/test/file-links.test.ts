import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { KEYS, ServerGround } from './server-ground.ts';

interface Linked {
  readonly url: string;
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly expiresAt: string;
  readonly keptUntil: string;
  readonly run: string;
}

interface Bytes {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
}

/** The one file of a new export. */
async function exported(ground: ServerGround, body: object, key: string = KEYS.acme): Promise<Linked> {
  const created = await ground.call('POST', '/v1/jobs', { key, body: { dataset: 'events', ...body } });
  assert.equal(created.status, 202, created.text);
  const run = await ground.settled(created.json.run.id, key);
  assert.equal(run.state, 'succeeded', JSON.stringify(run.error));
  return { ...run.files[0], run: run.id };
}

async function download(ground: ServerGround, url: string, headers: object = {}, method = 'GET'): Promise<Bytes> {
  const response = await fetch(`${ground.url}${url}`, {
    method,
    headers: { 'accept-encoding': 'identity', ...headers },
  });
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
}

/** All headers but those that differ from one answer to the next. */
function steady({ headers }: { headers: Headers }): Record<string, string> {
  const passing = ['date', 'x-request-id', 'connection', 'keep-alive'];
  return Object.fromEntries([...headers].filter(([name]) => !passing.includes(name)));
}

function downloads(ground: ServerGround): Record<string, unknown>[] {
  using database = new DatabaseSync(`${ground.dataFolder}/drayage.db`, { readOnly: true });
  return database.prepare("select * from audit where action = 'file.download' order by id").all();
}

function idOf({ url }: Linked): string {
  return url.split('/')[3] ?? '';
}

async function waits(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

describe('file links', () => {
  let ground: ServerGround;
  let file: Linked;
  let whole: Buffer;

  before(async () => {
    ground = await ServerGround.open({ rows: 2000 });
    file = await exported(ground, { format: 'csv' });
    whole = (await download(ground, file.url)).bytes;
  });

  after(() => ground[Symbol.asyncDispose]());

  it('give the whole file with what is known of it', async () => {
    const { status, headers, bytes } = await download(ground, file.url);
    assert.equal(status, 200);
    assert.equal(bytes.length, file.bytes);
    const digest = createHash('sha256').update(bytes).digest();
    assert.equal(digest.toString('hex'), file.sha256);
    assert.equal(headers.get('etag'), `"${file.sha256}"`);
    assert.equal(headers.get('repr-digest'), `sha-256=:${digest.toString('base64')}:`);
    assert.equal(headers.get('content-length'), String(file.bytes));
    assert.equal(headers.get('content-disposition'), `attachment; filename="${file.path}"`);
    assert.match(headers.get('content-type') ?? '', /^text\/csv/);
    assert.equal(headers.get('accept-ranges'), 'bytes');
    assert.equal(headers.get('cache-control'), 'private, no-store');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('content-range'), null);
  });

  it('give the stretch that is asked for', async () => {
    const last = file.bytes - 1;
    for (const [range, start, end] of [
      ['bytes=0-0', 0, 0],
      ['bytes=0-9', 0, 9],
      ['bytes=7-7', 7, 7],
      [`bytes=${last}-${last}`, last, last],
      [`bytes=${last - 4}-`, last - 4, last],
      ['bytes=0-', 0, last],
      ['bytes=-1', last, last],
      ['bytes=-10', last - 9, last],
      [`bytes=-${file.bytes}`, 0, last],
      [`bytes=-${file.bytes + 1000}`, 0, last],
      [`bytes=5-${file.bytes + 1000}`, 5, last],
    ] as const) {
      const { status, headers, bytes } = await download(ground, file.url, { range });
      assert.equal(status, 206, range);
      assert.equal(headers.get('content-range'), `bytes ${start}-${end}/${file.bytes}`, range);
      assert.equal(headers.get('content-length'), String(end - start + 1), range);
      assert.equal(headers.get('etag'), `"${file.sha256}"`);
      assert.ok(bytes.equals(whole.subarray(start, end + 1)), range);
    }
  });

  it('put together again from stretches are the file', async () => {
    const step = Math.ceil(file.bytes / 7);
    const parts: Buffer[] = [];
    for (let at = 0; at < file.bytes; at += step)
      parts.push((await download(ground, file.url, { range: `bytes=${at}-${at + step - 1}` })).bytes);
    assert.equal(parts.length, 7);
    assert.ok(Buffer.concat(parts).equals(whole));
  });

  it('refuse a stretch outside the file, and say how long it is', async () => {
    for (const range of [`bytes=${file.bytes}-`, `bytes=${file.bytes}-${file.bytes + 5}`, 'bytes=-0']) {
      const { status, headers, bytes } = await download(ground, file.url, { range });
      assert.equal(status, 416, range);
      assert.equal(headers.get('content-range'), `bytes */${file.bytes}`);
      assert.equal(bytes.length, 0);
    }
  });

  it('give the whole file for several stretches and for what is no range of bytes', async () => {
    for (const range of [
      'bytes=0-1,4-5',
      'bytes=abc',
      'bytes=',
      'bytes=-',
      'bytes=1',
      'bytes=1-2-3',
      'rows=0-1',
      'rows=x',
      '0-1',
      'bytes 0-1',
    ]) {
      const { status, headers, bytes } = await download(ground, file.url, { range });
      assert.equal(status, 200, range);
      assert.equal(headers.get('content-range'), null);
      assert.ok(bytes.equals(whole), range);
    }
  });

  it('give a stretch under If-Range only while the file is the same', async () => {
    const range = 'bytes=0-9';
    const right = `"${file.sha256}"`;
    const matched = await download(ground, file.url, { range, 'if-range': right });
    assert.equal(matched.status, 206);
    assert.ok(matched.bytes.equals(whole.subarray(0, 10)));
    // Weak tags never match here, and dates cannot: no Last-Modified was given.
    for (const condition of [`"${'0'.repeat(64)}"`, `W/${right}`, file.sha256, new Date().toUTCString()]) {
      const { status, bytes } = await download(ground, file.url, { range, 'if-range': condition });
      assert.equal(status, 200, condition);
      assert.ok(bytes.equals(whole));
    }
    const outside = await download(ground, file.url, { range: `bytes=${file.bytes}-`, 'if-range': '"other"' });
    assert.equal(outside.status, 200);
  });

  it('say 304 to who has the file, and do not count it as a download', async () => {
    const before = downloads(ground).length;
    const right = `"${file.sha256}"`;
    for (const condition of [right, `W/${right}`, '*', `"other", ${right}`, ` ${right} `])
      for (const method of ['GET', 'HEAD']) {
        const answer = await download(ground, file.url, { 'if-none-match': condition, range: 'bytes=0-9' }, method);
        assert.equal(answer.status, 304, condition);
        assert.equal(answer.headers.get('etag'), right);
        assert.equal(answer.bytes.length, 0);
      }
    assert.equal(downloads(ground).length, before);
    for (const condition of ['"other"', file.sha256, `"${file.sha256.slice(1)}"`]) {
      const { status } = await download(ground, file.url, { 'if-none-match': condition });
      assert.equal(status, 200, condition);
    }
  });

  it('answer HEAD with the headers of GET, whatever range is asked, and no bytes', async () => {
    const got = await download(ground, file.url);
    const before = downloads(ground).length;
    for (const headers of [{}, { range: 'bytes=0-9' }, { range: `bytes=${file.bytes}-` }]) {
      const head = await download(ground, file.url, headers, 'HEAD');
      assert.equal(head.status, 200);
      assert.deepEqual(steady(head), steady(got));
      assert.equal(head.bytes.length, 0);
    }
    const { url } = file;
    const [bad, badHead] = [await download(ground, `${url}x`), await download(ground, `${url}x`, {}, 'HEAD')];
    assert.equal(bad.status, 403);
    assert.equal(badHead.status, 403);
    // The lengths differ by nothing: request ids are all of one length.
    assert.deepEqual(steady(badHead), steady(bad));
    assert.equal(downloads(ground).length, before);
  });

  it('refuse other methods', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const { status, headers } = await download(ground, file.url, {}, method);
      assert.equal(status, 405, method);
      assert.equal(headers.get('allow'), 'GET, HEAD');
    }
  });

  it('write each download into the audit of its tenant, with key and request', async () => {
    const before = downloads(ground);
    const answers = [
      await download(ground, file.url),
      await download(ground, file.url, { range: 'bytes=0-9' }),
      await download(ground, file.url, { range: 'bytes=0-1,4-5' }),
    ];
    await download(ground, file.url, {}, 'HEAD');
    await download(ground, file.url, { range: `bytes=${file.bytes}-` });
    await download(ground, `${file.url}x`);
    const key = Number(new URLSearchParams(file.url.split('?')[1]).get('key'));
    const rows = downloads(ground).slice(before.length);
    assert.deepEqual(
      rows.map(({ tenant_id, principal_id, subject, request_id }) => ({
        tenant_id,
        principal_id,
        subject,
        request_id,
      })),
      answers.map(({ headers }) => ({
        tenant_id: 'acme',
        principal_id: key,
        subject: idOf(file),
        request_id: headers.get('x-request-id'),
      })),
    );
  });

  it('give gzip files as they are: nothing is to be unpacked on the way', async () => {
    const packed = await exported(ground, { format: 'csv', compression: 'gzip' });
    assert.match(packed.path, /\.csv\.gz$/);
    for (const encoding of ['identity', 'gzip, br', '*']) {
      const { headers, bytes } = await download(ground, packed.url, { 'accept-encoding': encoding });
      assert.equal(headers.get('content-encoding'), null);
      assert.equal(headers.get('content-type'), 'application/gzip');
      assert.equal(bytes.length, packed.bytes);
      assert.ok(gunzipSync(bytes).equals(whole));
    }
  });

  it('give files of no rows, of no bytes too', async () => {
    const filter = { id: { lt: 0 } };
    const csv = await exported(ground, { format: 'csv', filter });
    assert.equal(csv.rows, 0);
    assert.deepEqual((await download(ground, csv.url)).bytes, whole.subarray(0, whole.indexOf('\n') + 1));
    const empty = await exported(ground, { format: 'jsonl', filter });
    assert.equal(empty.bytes, 0);
    const got = await download(ground, empty.url);
    assert.equal(got.status, 200);
    assert.equal(got.headers.get('content-length'), '0');
    assert.equal(got.bytes.length, 0);
    assert.deepEqual(steady(await download(ground, empty.url, {}, 'HEAD')), steady(got));
    for (const range of ['bytes=0-', 'bytes=0-0', 'bytes=-5']) {
      const { status, headers } = await download(ground, empty.url, { range });
      assert.equal(status, 416, range);
      assert.equal(headers.get('content-range'), 'bytes */0');
    }
    assert.equal(downloads(ground).filter(({ subject }) => subject === idOf(empty)).length, 1);
  });

  it('need no key and take no notice of one', async () => {
    for (const key of [null, KEYS.globex, 'dk_nobody']) {
      const { status, text } = await ground.call('GET', file.url, { key });
      assert.equal(status, 200);
      assert.equal(text, whole.toString());
    }
  });
});

/** Polls until the answer has the status; fails after 15 s. */
async function becomes(ground: ServerGround, url: string, status: number): Promise<Bytes> {
  for (let at = 0; at < 300; at++) {
    const answer = await download(ground, url);
    if (answer.status === status) return answer;
    await waits(50);
  }
  return assert.fail(`${url} did not become ${status}`);
}

describe('file links whose time is over', () => {
  it('answer 410 once the link has expired; another look at the run gives a new one', async () => {
    await using ground = await ServerGround.open({ config: { native: { linkLife: '2s', requestsPerSecond: 1000 } } });
    const file = await exported(ground, { format: 'csv' });
    assert.equal((await download(ground, file.url)).status, 200);
    const gone = await becomes(ground, file.url, 410);
    assert.ok(Date.now() >= Date.parse(file.expiresAt));
    assert.equal(JSON.parse(gone.bytes.toString()).code, 'file.expired');
    for (const name of ['etag', 'repr-digest', 'content-disposition', 'accept-ranges'])
      assert.equal(gone.headers.get(name), null, name);
    // What is said of an expired link is said to its holder only.
    assert.equal((await download(ground, `${file.url}x`)).status, 403);
    const { files } = await ground.settled(file.run);
    assert.equal((await download(ground, files[0].url)).status, 200);
  });

  it('answer 410 once the file has expired, before it is removed and after', async () => {
    const tiers = { enterprise: { fileLife: '3s' }, free: {} } as const;
    await using ground = await ServerGround.open({ config: { tiers } });
    const file = await exported(ground, { format: 'csv' });
    assert.equal((await download(ground, file.url)).status, 200);
    assert.ok(Date.parse(file.expiresAt) <= Date.parse(file.keptUntil), 'no link outlives its file');
    const gone = await becomes(ground, file.url, 410);
    assert.equal(JSON.parse(gone.bytes.toString()).code, 'file.expired');
    const removed = async () => (await ground.call('GET', `/v1/runs/${file.run}`)).json.files[0];
    for (let at = 0; at < 200 && (await removed()).url !== null; at++) await waits(50);
    assert.equal((await removed()).url, null);
    assert.equal((await download(ground, file.url)).status, 410);
    assert.equal((await download(ground, `${file.url}x`)).status, 403);
  });
});
