import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort, type StartedCommand, startCommand } from './command-line.ts';
import { readParquet } from './readers/parquet.ts';

const NOW = '2026-11-21T00:00:00.000Z';

/** A client that knows its vendor's API and a base URL, and nothing of us. */
interface Client {
  readonly vendor: string;
  /** The whole way, from a create to the ids of the rows that were downloaded. */
  ids(): Promise<readonly string[]>;
  /** The ids that must come, from the demo's files. */
  wanted(): Promise<readonly string[]>;
}

type Row = Readonly<Record<string, unknown>>;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: each vendor answers in shapes of its own
  readonly json: any;
}

describe('four clients against one server', () => {
  let folder: string;
  let base: string;
  let started: StartedCommand;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'drayage-clients-'));
    const port = await freePort();
    base = `http://127.0.0.1:${port}`;
    const env = { DRAYAGE_DATA: 'data', DEMO_ROWS: '3000', DEMO_NOW: NOW, PORT: String(port) };
    started = startCommand(['demo'], { cwd: folder, env });
    await started.said('Ctrl-C stops it');
  });

  after(async () => {
    started.process.kill('SIGTERM');
    await started.ended;
    rmSync(folder, { recursive: true, force: true });
  });

  async function call(path: string, authorization: object, body?: unknown): Promise<Answer> {
    const response = await fetch(path.startsWith('http') ? path : `${base}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      redirect: 'manual',
      headers: { ...authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const { status, headers } = response;
    return {
      status,
      headers,
      text,
      json: headers.get('content-type')?.startsWith('application/json;') ? JSON.parse(text) : null,
    };
  }

  /** Asks until the answer is that of an export that is over. */
  async function polled(path: string, authorization: object, isOver: (answer: Answer) => boolean): Promise<Answer> {
    for (let at = 0; at < 600; at++) {
      const answer = await call(path, authorization);
      assert.equal(answer.status, 200, answer.text);
      if (isOver(answer)) return answer;
      await wait(50);
    }
    throw new Error(`${path} was not over in time.`);
  }

  async function rowsOf(file: string): Promise<Row[]> {
    const { columns, rows } = await readParquet(join(folder, 'data', 'demo', `${file}.parquet`));
    return rows.map((row) => Object.fromEntries(columns.map(({ name }, at) => [name, row[at]])));
  }

  const moment = (iso: string) => BigInt(Date.parse(iso)) * 1000n;

  const shoal: Client = {
    vendor: 'shoal',
    async ids() {
      const authorization = { authorization: 'Bearer shoal_demo_enterprise' };
      const range = { since: '2026-04-01T00:00:00Z', until: '2026-04-10T00:00:00Z' };
      const body = { scope: 'replay.global', format: 'jsonl', ...range };
      const { json } = await call('/shoal/v1/export/jobs', authorization, body);
      const isOver = (answer: Answer) => answer.json.data.downloadUrl !== null;
      const done = await polled(`/shoal/v1/export/jobs/${json.data.id}`, authorization, isOver);
      const { text } = await call(done.json.data.downloadUrl, {});
      return text
        .trim()
        .split('\n')
        .map((line) => String(JSON.parse(line).id));
    },
    async wanted() {
      const rows = await rowsOf('shoal.events-fixed');
      const isWithin = (time: bigint) => time >= moment('2026-04-01') && time < moment('2026-04-10');
      return rows.filter((row) => isWithin(row.latestEvidenceTimestamp as bigint)).map((row) => String(row.id));
    },
  };

  const userpilot: Client = {
    vendor: 'userpilot',
    async ids() {
      const authorization = { authorization: 'Token userpilot_demo' };
      const exports = '/userpilot/api/v1/analytics/exports';
      const body = { from: '2026-09-01', to: '2026-09-30', format: 'ndjson' };
      const { json } = await call(exports, authorization, body);
      const isOver = (answer: Answer) => answer.json.status === 'completed';
      const done = await polled(`${exports}/jobs/${json.job_id}`, authorization, isOver);
      const urls: readonly { url: string }[] = done.json.presigned_urls;
      const texts = await Promise.all(urls.map(async ({ url }) => (await call(url, {})).text));
      return texts.flatMap((text) =>
        text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line).internal_event_id),
      );
    },
    async wanted() {
      const rows = await rowsOf('userpilot.events');
      const isWithin = (time: bigint) => time >= moment('2026-09-01') && time < moment('2026-10-01');
      const own = rows.filter((row) => row.app_token === 'NX-DEMO0001' && isWithin(row.inserted_at as bigint));
      return own.map((row) => String(row.internal_event_id));
    },
  };

  const batch: Client = {
    vendor: 'batch',
    async ids() {
      const authorization = { 'x-authorization': 'batch_rest_demo' };
      const exports = '/batch/1.0/BATCHDEMO/export';
      const { json } = await call(`${exports}/userbase`, authorization, { ids: ['install_id'] });
      const isOver = (answer: Answer) => answer.json.status === 'SUCCESS';
      const done = await polled(`${exports}/request/${json.requestId}`, authorization, isOver);
      const redirect = await call(done.json.file_url, authorization);
      assert.equal(redirect.status, 302);
      const { text } = await call(redirect.headers.get('location') ?? '', {});
      return text
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split(';')[0] ?? '');
    },
    async wanted() {
      const rows = await rowsOf('batch.installs');
      return rows.filter(({ app }) => app === 'BATCHDEMO').map((row) => String(row.install_id));
    },
  };

  const ironclad: Client = {
    vendor: 'ironclad',
    async ids() {
      const authorization = { authorization: 'Bearer ironclad_demo' };
      const exports = '/ironclad/v1.1/extract/evidence';
      const midnight = '2022-10-06T00:00:00.000Z';
      const body = {
        start_date: midnight,
        end_date: midnight,
        select: { standard: ['uuid', 'batch'] },
        filter: { contract: { _id: 1 }, and: [{ version_number: { $gt: 1 } }, { version_number: { $lte: 3 } }] },
        custom_all: true,
        export_types: ['clickwrap_activities', 'clickwrap_activities_as_pdfs'],
      };
      const { json } = await call(exports, authorization, body);
      const isOver = (answer: Answer) => answer.json.status === 'success';
      await polled(`${exports}/${json.id}`, authorization, isOver);
      const urls = await call(`${exports}/${json.id}/urls`, authorization);
      const [csv = '', zip = ''] = urls.json.presignedUrls;
      assert.equal((await call(zip, {})).headers.get('content-type'), 'application/zip');
      const { text } = await call(csv, {});
      return [...text.matchAll(/^([0-9a-f]{24}),\d{13},/gm)].map(([, id = '']) => id);
    },
    async wanted() {
      const rows = await rowsOf('ironclad.activities-fixed');
      const own = rows.filter(({ site, contract }) => site === 1n && contract === 1n);
      const isWithin = (time: bigint) => time >= moment('2022-10-06') && time < moment('2022-10-07');
      const ofDay = own.filter((row) => isWithin(row.created_time as bigint));
      return ofDay
        .filter((row) => row.version_number === 2n || row.version_number === 3n)
        .map(({ uuid }) => String(uuid));
    },
  };

  it('each goes its whole way at once with the others, and has its own rows', async () => {
    const clients = [shoal, userpilot, batch, ironclad];
    const found = await Promise.all(clients.map((client) => client.ids()));
    for (const [at, client] of clients.entries()) {
      const wanted = await client.wanted();
      assert.ok(wanted.length > 5, `${client.vendor} wants ${wanted.length} rows`);
      assert.deepEqual([...(found[at] ?? [])].sort(), [...wanted].sort(), client.vendor);
    }
  });

  it('none may go where another may', async () => {
    const keys = ['shoal_demo_enterprise', 'userpilot_demo', 'batch_rest_demo', 'ironclad_demo', 'dk_demo_acme'];
    for (const key of keys) {
      const any = { authorization: `Bearer ${key}`, 'x-authorization': key };
      const statuses = [
        (await call('/shoal/v1/export/jobs', any)).status === 200,
        (await call('/userpilot/api/v1/analytics/exports/jobs', { authorization: `Token ${key}` })).status === 200,
        (await call('/batch/1.0/BATCHDEMO/export/request/x', any)).status === 404,
        (await call('/ironclad/v1.1/extract/evidence', any)).status === 200,
        (await call('/v1/jobs', any)).status === 200,
      ];
      assert.deepEqual(
        statuses,
        keys.map((each) => each === key),
        key,
      );
    }
    const none = await call('/ironclad/v1.1/extract/evidence', { authorization: 'Bearer ironclad_demo_none' });
    assert.deepEqual([none.status, none.json.error.name], [403, 'ForbiddenError']);
  });
});
