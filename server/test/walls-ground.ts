import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { readEnvironment } from '../src/base/config.ts';
import { newId } from '../src/base/ids.ts';
import { openLog } from '../src/base/log.ts';
import { startServer } from '../src/daemon/server.ts';
import { Db } from '../src/db/db.ts';
import { configSchema } from '../src/job/config.ts';
import { RIGHTS } from '../src/tenant/principal.ts';
import { type NewKey, Tenants } from '../src/tenant/queries.ts';
import { type Answer, KEYS, type ServerGround } from './server-ground.ts';

export interface Raw {
  readonly status: number | undefined;
  readonly headers: readonly string[];
  readonly body: string;
}

interface RawAsk {
  readonly key?: string | null;
  readonly body?: unknown;
}

/** Everything that was answered, for the last test to look through. */
export const said: string[] = [];

/** An answer to the byte, in the order it came, but for the date and the request's id. */
export async function raw(
  ground: { readonly url: string },
  method: string,
  path: string,
  { key = KEYS.acme, body }: RawAsk = {},
) {
  const headers = {
    ...(key === null ? {} : { authorization: `Bearer ${key}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  return new Promise<Raw>((resolve, reject) => {
    const asked = request(`${ground.url}${path}`, { method, headers, agent: false }, async (response) => {
      const text = Buffer.concat(await response.toArray()).toString();
      said.push(text);
      const passing = (value: string, at: number) =>
        /^(date|x-request-id)$/i.test(response.rawHeaders[at - 1] ?? value);
      resolve({
        status: response.statusCode,
        headers: response.rawHeaders.map((value, at) => (at % 2 === 1 && passing(value, at) ? '' : value)),
        body: text.replaceAll(/req_[0-9a-z]{26}/g, 'req'),
      });
    });
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Every row of every table. */
export function dump(ground: ServerGround): Record<string, unknown[]> {
  using database = new DatabaseSync(join(ground.dataFolder, 'drayage.db'), { readOnly: true });
  const tables = database.prepare("select name from sqlite_master where type = 'table' order by name").all();
  assert.ok(tables.length >= 10);
  return Object.fromEntries(tables.map(({ name }) => [name, database.prepare(`select * from "${name}"`).all()]));
}

export async function withTenants<T>(ground: ServerGround, act: (tenants: Tenants) => Promise<T>): Promise<T> {
  await using db = await Db.open({ dataFolder: ground.dataFolder, url: null });
  return await act(new Tenants(db));
}

export function putKey(ground: ServerGround, key: Partial<NewKey> & { key: string }): Promise<number> {
  const usual = { name: 'test', tenants: ['acme'], rights: RIGHTS, dialects: ['native'] };
  return withTenants(ground, (tenants) => tenants.putKey({ ...usual, ...key }));
}

export async function created(
  ground: ServerGround,
  key: string,
  body: object = {},
  headers = {},
): Promise<Answer['json']> {
  const answer = await ground.call('POST', '/v1/jobs', {
    key,
    headers,
    body: { dataset: 'events', format: 'csv', ...body },
  });
  said.push(answer.text);
  assert.equal(answer.status, 202, answer.text);
  return answer.json;
}

export async function finished(ground: ServerGround, key: string, body: object = {}): Promise<Answer['json']> {
  const job = await created(ground, key, body);
  return { ...job, run: await ground.settled(job.run.id, key) };
}

/** Whatever runs meanwhile fails: the source is no Parquet file any more. */
export async function withBrokenSource<T>(folder: string, act: () => Promise<T>): Promise<T> {
  const [file, aside] = [join(folder, 'events.parquet'), join(folder, 'aside')];
  await rename(file, aside);
  await writeFile(file, 'no Parquet');
  try {
    return await act();
  } finally {
    await rename(aside, file);
  }
}

export const DAY = { window: { start: '2026-01-01', end: '2026-01-02' } };

/** Ids that nobody has, the first of them well-formed. */
export const NOBODYS = (kind: 'job' | 'run' | 'file') => [
  newId(kind, new Date().toISOString()),
  `${kind}_00000000000000000000000000`,
  newId(kind, new Date().toISOString()).toUpperCase(),
  newId(kind === 'job' ? 'run' : 'job', new Date().toISOString()),
  `${kind}_`,
  'x',
  '..%2Fx',
  "'%20or%20''='",
  '%00',
  '%C3%A9',
  '1',
  '__proto__',
];

/** Another server over the data of a ground that is stopped, so that its log can be read. */
export async function loggedServer(ground: ServerGround, lines: string[]): Promise<AsyncDisposable & { url: string }> {
  const source = { type: 'duckdb', files: 'events.parquet' } as const;
  const config = configSchema.parse({
    datasets: {
      events: { source, tenancy: { column: 'tenant' } },
      gone: { source: { ...source, files: 'gone.parquet' }, tenancy: 'shared' },
    },
    tiers: { enterprise: {}, free: {} },
  });
  const { dataFolder, folder } = ground;
  const environment = { ...readEnvironment(), dataFolder, host: '127.0.0.1', port: 0, databaseUrl: null, threads: 2 };
  const log = openLog('info', { write: (line) => void lines.push(line) });
  const server = await startServer({ config, folder, environment, log });
  return { url: `http://127.0.0.1:${server.port}`, [Symbol.asyncDispose]: () => server.stop() };
}

const PARAMETERS = ['expires', 'key', 'signer', 'signature'];

export function idOf({ pathname }: URL): string {
  return pathname.split('/')[3] ?? '';
}

export function nameOf({ pathname }: URL): string {
  return pathname.split('/')[4] ?? '';
}

/** Links like `own` with something in them that was not signed so. `second` is of its tenant, `foreign` of another. */
export function changesOf(own: URL, second: URL, foreign: URL): string[] {
  const of = (url: URL, name: string) => url.searchParams.get(name) ?? '';
  const at = (url: URL, search: string) => `/v1/files/${idOf(url)}/${nameOf(own)}?${search}`;
  const set = (name: string, values: readonly string[]) =>
    values.map((value) => {
      const query = new URLSearchParams(own.search);
      query.set(name, value);
      return at(own, query.toString());
    });
  const [query, key, expires, signature] = [
    own.search.slice(1),
    of(own, 'key'),
    of(own, 'expires'),
    of(own, 'signature'),
  ];
  const keys = ['0', '1', '2', '3', '99', `${key} `, `0${key}`, `${key}.0`, '', 'NaN', '__proto__'];
  return [
    ...[idOf(second), idOf(foreign), ...NOBODYS('file')].map((id) => `/v1/files/${id}/${nameOf(own)}?${query}`),
    ...set(
      'key',
      keys.filter((each) => each !== key),
    ),
    ...set('expires', [String(Number(expires) + 1), '99999999999', '1', '', `${expires}.0`, `${expires}\n${key}`]),
    ...set('signer', ['00000000', '']),
    ...set('signature', [
      of(second, 'signature'),
      of(foreign, 'signature'),
      '',
      'x',
      `${signature}=`,
      signature.slice(1),
    ]),
    ...PARAMETERS.map((name) => at(own, query.replace(new RegExp(`(^|&)${name}=[^&]*`), ''))),
    at(own, query.replace('key=', 'key[]=')),
    at(foreign, foreign.search.slice(1).replace(/key=\d+/, `key=${key}`)),
    at(own, ''),
  ];
}

/** Queries of a link with one parameter twice. */
export function repeatsOf({ search, searchParams }: URL): string[] {
  const query = search.slice(1);
  return PARAMETERS.flatMap((name) => [
    `${query}&${name}=${searchParams.get(name)}`,
    `${query}&${name}=1`,
    `${name}=1&${query}`,
  ]);
}

/** Fails if keys, hashes or links' signatures stand where they must not, or SQL or paths in what was answered. */
export function checkSilence(lines: readonly string[], secrets: readonly string[], folder: string): void {
  const isRefusal = (text: string) => text.includes('"code"') && !text.includes('"files"');
  for (const secret of secrets)
    assert.deepEqual(
      [...lines, ...said].filter((text) => text.includes(secret)),
      [],
    );
  assert.deepEqual(
    [...lines, ...said.filter(isRefusal)].filter((text) => /signature=/.test(text)),
    [],
  );
  const ours = /select |insert |read_parquet|node_modules|\bat .*\.ts:\d|\/keys\/|SQLITE/i;
  assert.deepEqual(
    said.filter((text) => text.includes(folder) || ours.test(text)),
    [],
  );
}
