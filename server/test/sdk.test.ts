import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { DrayageClient, DrayageError, type File, type Job, type Run, RunFailedError } from '@drayage/sdk';
import { download } from '@drayage/sdk/node';
import { KEYS, ServerGround } from './server-ground.ts';

const EVENTS = { dataset: 'events', format: 'csv' };

/** What a request was sent with. */
interface Sent {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly signal: AbortSignal | null | undefined;
}

type Answering = (send: () => Promise<Response>, at: number) => Promise<Response>;

/** The platform's fetch, kept note of; the answers may be changed on the way. */
function wire(answering: Answering = (send) => send()): { fetch: typeof globalThis.fetch; sent: Sent[] } {
  const sent: Sent[] = [];
  const fetch: typeof globalThis.fetch = (url, init) => {
    sent.push({
      url: String(url),
      method: init?.method ?? 'GET',
      headers: new Headers(init?.headers),
      signal: init?.signal,
    });
    return answering(() => globalThis.fetch(url, init), sent.length);
  };
  return { fetch, sent };
}

function clientOf(ground: ServerGround, options: { apiKey?: string; fetch?: typeof fetch; retries?: number } = {}) {
  return new DrayageClient({ baseUrl: ground.url, apiKey: KEYS.acme, ...options });
}

/** Breaks off after so many bytes. */
function brokenAfter(response: Response, bytes: number): Response {
  const reader = response.body?.getReader();
  let left = bytes;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (left === 0) {
        await reader?.cancel();
        return controller.error(new TypeError('terminated'));
      }
      const chunk = (await reader?.read())?.value?.subarray(0, left) ?? new Uint8Array();
      left -= chunk.byteLength;
      controller.enqueue(chunk);
    },
  });
  return new Response(body, response);
}

/** As fetch does it: the body ends with its request's signal. */
function whileListening(response: Response, request: Sent | undefined): Response {
  const through = new TransformStream<Uint8Array, Uint8Array>();
  const signal = request?.signal ?? new AbortController().signal;
  response.body?.pipeTo(through.writable, { signal }).catch(() => undefined);
  return new Response(through.readable, response);
}

function tooMany(retryAfter: string): Response {
  return Response.json(
    { code: 'rate.limited', detail: 'Too many.' },
    { status: 429, headers: { 'retry-after': retryAfter } },
  );
}

function refusedWith(code: string, rest: Partial<DrayageError> = {}) {
  return (error: unknown) => {
    assert.ok(error instanceof DrayageError, String(error));
    const seen = Object.fromEntries(Object.keys(rest).map((name) => [name, Reflect.get(error, name)]));
    assert.deepEqual({ code: error.code, ...seen }, { code, ...rest });
    return true;
  };
}

function only<Item>(items: readonly Item[]): Item {
  const [item] = items;
  assert.ok(item !== undefined && items.length === 1);
  return item;
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe('the client, with a server that runs jobs', () => {
  let ground: ServerGround;
  let client: DrayageClient;
  let job: Job;
  let run: Run;
  let file: File;
  const progress: Run[] = [];

  /** An empty folder. */
  function emptyFolder(name: string): string {
    const folder = join(ground.folder, name);
    mkdirSync(folder);
    return folder;
  }

  before(async () => {
    ground = await ServerGround.open({ rows: 20_000 });
    client = clientOf(ground);
    job = await client.createJob({ ...EVENTS, note: 'for the books' });
    run = await client.waitForRun(job.run.id, { onProgress: (seen) => void progress.push(seen) });
    file = only(run.files);
  });

  after(() => ground[Symbol.asyncDispose]());

  it('lists and shows datasets', async () => {
    const names = (await client.datasets()).map(({ name }) => name);
    assert.deepEqual(names.sort(), ['events', 'shared']);
    assert.equal((await client.dataset('events')).time, 'at');
    await assert.rejects(client.dataset('../jobs'), refusedWith('dataset.unknown', { status: 404 }));
  });

  it('waits for a run and tells of it', () => {
    assert.equal(run.state, 'succeeded');
    assert.equal(run.rowsWritten, 12_000);
    assert.deepEqual(progress.at(-1), run);
    assert.ok(progress.every(({ id }) => id === job.run.id));
  });

  it('shows job, run, manifest and log', async () => {
    const shown = await client.job(job.id);
    assert.deepEqual([shown.state, shown.request], ['succeeded', { ...EVENTS, note: 'for the books' }]);
    assert.equal((await client.run(run.id)).jobId, job.id);
    const manifest = await client.manifest(run.id);
    assert.equal(manifest.run, run.id);
    assert.equal(only(only(manifest.outputs).files).sha256, file.sha256);
    const log = await client.log(run.id);
    assert.ok(log.length > 0 && log.every(({ event }) => event !== ''));
  });

  it('downloads a file, checked and without the key', async () => {
    const { fetch, sent } = wire();
    const folder = emptyFolder('download');
    const seen: number[] = [];
    const path = join(folder, 'events.csv');
    writeFileSync(path, 'what was there');
    await download(clientOf(ground, { fetch }), file, path, { onProgress: (bytes) => void seen.push(bytes) });
    assert.deepEqual(readdirSync(folder), ['events.csv']);
    assert.equal(createHash('sha256').update(readFileSync(path)).digest('hex'), file.sha256);
    assert.equal(seen.at(-1), file.bytes);
    assert.ok(file.url?.startsWith('/'), 'a server without a public URL gives relative links');
    const { url, headers } = only(sent);
    assert.equal(url, `${ground.url}${file.url}`);
    assert.deepEqual([headers.get('authorization'), headers.get('range')], [null, null]);
  });

  it('downloads by a whole URL, and an empty file', async () => {
    const folder = emptyFolder('whole');
    await download(client, { ...file, url: `${ground.url}${file.url}` }, join(folder, 'events.csv'));
    const filter = { kind: { eq: 'none of them' } };
    const { run: asked } = await client.createJob({ dataset: 'events', format: 'jsonl', filter });
    const empty = only((await client.waitForRun(asked.id)).files);
    assert.equal(empty.bytes, 0);
    await download(client, empty, join(folder, 'empty.jsonl'));
    assert.deepEqual(readdirSync(folder).sort(), ['empty.jsonl', 'events.csv']);
  });

  it('goes on with a download where the connection broke', async () => {
    const { fetch, sent } = wire(async (send, at) => (at < 3 ? brokenAfter(await send(), 50_000) : send()));
    const path = join(emptyFolder('resumed'), 'events.csv');
    await download(clientOf(ground, { fetch }), file, path);
    assert.equal(createHash('sha256').update(readFileSync(path)).digest('hex'), file.sha256);
    assert.deepEqual(
      sent.map(({ headers }) => [headers.get('range'), headers.get('if-range')]),
      [
        [null, null],
        ['bytes=50000-', `"${file.sha256}"`],
        ['bytes=100000-', `"${file.sha256}"`],
      ],
    );
  });

  it('starts a download anew when the answer is the whole file after all', async () => {
    const { fetch } = wire(async (send, at) => {
      if (at === 1) return brokenAfter(await send(), 50_000);
      return globalThis.fetch(`${ground.url}${file.url}`);
    });
    const path = join(emptyFolder('anew'), 'events.csv');
    await download(clientOf(ground, { fetch }), file, path);
    assert.equal(readFileSync(path).length, file.bytes);
  });

  it('gives a download up after so many broken connections, and when told to', async () => {
    const folder = emptyFolder('given-up');
    const { fetch, sent } = wire(async (send) => brokenAfter(await send(), 10));
    const breaking = clientOf(ground, { fetch });
    await assert.rejects(
      download(breaking, file, join(folder, 'events.csv'), { retries: 1 }),
      refusedWith('client.network'),
    );
    assert.equal(sent.length, 2);
    const controller = new AbortController();
    const given = { signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) };
    await assert.rejects(download(breaking, file, join(folder, 'events.csv'), given), /enough/);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('goes on with a download after a connection that fell silent', async () => {
    const silent = new Response(new ReadableStream({ pull: () => new Promise(() => undefined) }));
    const { fetch, sent } = wire(async (send, at) => (at === 1 ? whileListening(silent, sent[0]) : send()));
    const path = join(emptyFolder('silent'), 'events.csv');
    await download(clientOf(ground, { fetch }), file, path, { silenceMs: 300 });
    assert.deepEqual([readFileSync(path).length, sent.length], [file.bytes, 2]);
  });

  it('refuses a link that is not right, and a file that is gone', async () => {
    const folder = emptyFolder('links');
    const wrong = { ...file, url: `${file.url}x` };
    await assert.rejects(download(client, wrong, join(folder, 'a')), refusedWith('link.invalid', { status: 403 }));
    await assert.rejects(download(client, { ...file, url: null }, join(folder, 'a')), refusedWith('file.expired'));
    assert.deepEqual(readdirSync(folder), []);
  });

  it('refuses a file with other bytes, and leaves none', async () => {
    const folder = emptyFolder('damaged');
    const { run: asked } = await client.createJob(EVENTS);
    const again = await client.waitForRun(asked.id);
    const kept = join(ground.dataFolder, 'files', again.id, only(again.files).path);
    const bytes = readFileSync(kept);
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    writeFileSync(kept, bytes);
    await assert.rejects(
      download(client, only(again.files), join(folder, 'events.csv')),
      refusedWith('client.damaged'),
    );
    const longer = { ...only(again.files), bytes: 10 };
    await assert.rejects(download(client, longer, join(folder, 'events.csv')), refusedWith('client.damaged'));
    assert.deepEqual(readdirSync(folder), []);
  });

  it('refuses a file that was cut off, and leaves none', { timeout: 30_000 }, async () => {
    const folder = emptyFolder('cut');
    const { run: asked } = await client.createJob(EVENTS);
    const again = await client.waitForRun(asked.id);
    const cut = only(again.files);
    truncateSync(join(ground.dataFolder, 'files', again.id, cut.path), cut.bytes - 1000);
    const asking = download(client, cut, join(folder, 'events.csv'), { retries: 1, silenceMs: 500 });
    await assert.rejects(asking, DrayageError);
    assert.deepEqual(readdirSync(folder), []);
  });
});

describe('the client, with a server that leaves runs queued', () => {
  let ground: ServerGround;
  let client: DrayageClient;

  before(async () => {
    ground = await ServerGround.open({ dispatches: false });
    client = clientOf(ground);
  });

  after(() => ground[Symbol.asyncDispose]());

  it('follows pages of jobs and runs', async () => {
    const { fetch, sent } = wire();
    const globex = clientOf(ground, { apiKey: KEYS.globex, fetch });
    const ids: string[] = [];
    for (let at = 0; at < 5; at++) ids.unshift((await globex.createJob(EVENTS)).id);
    sent.length = 0;
    const found = await all(globex.jobs({ limit: 2, state: 'queued' }));
    assert.deepEqual(
      found.map(({ id }) => id),
      ids,
    );
    assert.equal(sent.length, 3);
    assert.deepEqual(await all(globex.jobs({ state: 'failed' })), []);
    const [newest] = found;
    assert.ok(newest);
    await globex.cancelRun(newest.run.id);
    const second = await globex.runAgain(newest.id);
    const runs = await all(globex.runs(newest.id));
    assert.deepEqual(
      runs.map(({ id, state }) => [id, state]),
      [
        [second.id, 'queued'],
        [newest.run.id, 'cancelled'],
      ],
    );
  });

  it('asks for a page once it is needed', async () => {
    const { fetch, sent } = wire();
    const asking = clientOf(ground, { fetch });
    await asking.createJob(EVENTS);
    await asking.createJob(EVENTS);
    sent.length = 0;
    for await (const { dataset } of asking.jobs({ limit: 1 })) {
      assert.equal(dataset, 'events');
      break;
    }
    assert.equal(sent.length, 1);
  });

  it('passes on what a problem says', async () => {
    const asking = client.createJob({ ...EVENTS, filter: { amount: { gte: 'much' } } });
    await assert.rejects(asking, (error: unknown) => {
      assert.ok(error instanceof DrayageError);
      assert.match(error.requestId ?? '', /^req_/);
      return refusedWith('request.invalid', { status: 400, pointer: '/filter/amount/gte' })(error);
    });
    await assert.rejects(
      clientOf(ground, { apiKey: 'dk_none' }).datasets(),
      refusedWith('auth.unknown', { status: 401 }),
    );
    await assert.rejects(client.run('run_none'), refusedWith('run.unknown', { status: 404, pointer: undefined }));
    const { run } = await client.createJob(EVENTS);
    await assert.rejects(client.manifest(run.id), refusedWith('conflict.running', { status: 409 }));
  });

  it('makes one job of one idempotency key, and many of none', async () => {
    const key = { idempotencyKey: 'books-2026-01' };
    const first = await client.createJob(EVENTS, key);
    assert.equal((await client.createJob(EVENTS, key)).id, first.id);
    await assert.rejects(client.createJob({ ...EVENTS, format: 'jsonl' }, key), refusedWith('idempotency.mismatch'));
    assert.notEqual((await client.createJob(EVENTS)).id, (await client.createJob(EVENTS)).id);
  });

  it('makes one job although the answer was lost', async () => {
    const { fetch, sent } = wire(async (send, at) => {
      const response = await send();
      return at === 1 ? Promise.reject(new TypeError('fetch failed')) : response;
    });
    const before = await all(client.jobs());
    const job = await clientOf(ground, { fetch }).createJob(EVENTS);
    const now = await all(client.jobs());
    assert.equal(now.length, before.length + 1);
    assert.equal(now[0]?.id, job.id);
    const [one, two] = sent.map(({ headers }) => headers.get('idempotency-key'));
    assert.ok(one && one === two && sent.length === 2);
  });

  it('comes back after the time a refusal names, and gives up after so many', async () => {
    const { fetch, sent } = wire(async (send, at) => (at === 1 ? tooMany('1') : send()));
    const from = performance.now();
    await clientOf(ground, { fetch }).datasets();
    assert.ok(performance.now() - from >= 990);
    assert.equal(sent.length, 2);
    const refusing = wire(async () => tooMany('0'));
    const asking = clientOf(ground, { fetch: refusing.fetch, retries: 1 });
    await assert.rejects(asking.datasets(), refusedWith('rate.limited', { status: 429, retryAfterMs: 0 }));
    assert.equal(refusing.sent.length, 2);
  });

  it('sends once what must not happen twice, and does not wait for an hour', async () => {
    const { fetch, sent } = wire(async () => tooMany('3600'));
    const asking = clientOf(ground, { fetch });
    await assert.rejects(asking.runAgain('job_none'), refusedWith('rate.limited'));
    await assert.rejects(asking.deleteJob('job_none'), refusedWith('rate.limited'));
    await assert.rejects(asking.datasets(), refusedWith('rate.limited', { retryAfterMs: 3_600_000 }));
    assert.equal(sent.length, 3);
  });

  it('tells of answers that are none of Drayage', async () => {
    const page = (status: number) =>
      new DrayageClient({
        baseUrl: ground.url,
        apiKey: 'a',
        fetch: async () => new Response('<h1>Welcome</h1>', { status }),
      });
    await assert.rejects(page(200).datasets(), refusedWith('client.answer', { status: 200 }));
    await assert.rejects(page(502).datasets(), refusedWith('client.answer', { status: 502 }));
  });

  it('throws when a run that is waited for is cancelled', async () => {
    const { run } = await client.createJob(EVENTS);
    const waiting = client.waitForRun(run.id, { onProgress: () => void client.cancelRun(run.id).catch(() => null) });
    await assert.rejects(waiting, (error: unknown) => {
      assert.ok(error instanceof RunFailedError);
      assert.deepEqual([error.code, error.run.id], ['run.cancelled', run.id]);
      return error.message !== '';
    });
    await assert.rejects(client.cancelRun(run.id), refusedWith('run.final', { status: 409 }));
  });

  it('throws with code and message when a run that is waited for failed', async () => {
    const { run } = await client.createJob(EVENTS);
    const error = { code: 'source.refused', message: 'The source has no such file.' };
    const { fetch } = wire(async () => Response.json({ ...run, state: 'failed', error }));
    await assert.rejects(clientOf(ground, { fetch }).waitForRun(run.id), { name: 'RunFailedError', ...error });
  });

  it('stops waiting when told to, and leaves the run', async () => {
    const { run } = await client.createJob(EVENTS);
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('enough')), 200);
    const from = performance.now();
    await assert.rejects(client.waitForRun(run.id, { signal: controller.signal }), /enough/);
    assert.ok(performance.now() - from < 900);
    assert.equal((await client.run(run.id)).state, 'queued');
    await assert.rejects(client.run(run.id, { signal: AbortSignal.abort(new Error('before')) }), /before/);
  });

  it('deletes jobs', async () => {
    const { id, run } = await client.createJob(EVENTS);
    assert.equal(await client.deleteJob(id), undefined);
    await assert.rejects(client.job(id), refusedWith('job.unknown', { status: 404 }));
    await assert.rejects(client.waitForRun(run.id), RunFailedError);
  });
});

it('loads neither zod nor anything of Node', () => {
  const folder = join(import.meta.dirname, '../../sdk/src');
  const files = readdirSync(folder).filter((name) => !['wire.ts', 'download.ts', 'node.ts'].includes(name));
  for (const name of files) {
    const text = readFileSync(join(folder, name), 'utf8');
    assert.doesNotMatch(text, /from '(zod|node:)|^import (?!type )[^;]*'\.\/(wire|download|node)\.ts'/m, name);
  }
});
