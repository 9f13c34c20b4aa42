import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { mock } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { readEnvironment } from '../src/base/config.ts';
import { openLog } from '../src/base/log.ts';
import { type RunningServer, startServer } from '../src/daemon/server.ts';
import type { Config } from '../src/job/config.ts';
import { readConfig } from '../src/request/config.ts';
import { dialects } from '../src/request/dialects.ts';
import type { Tenants } from '../src/tenant/queries.ts';
import type { Answer, Asked } from './server-ground.ts';

/** Where the answers of grounds say their server is. */
export const PUBLIC_URL = 'https://exports.example.com';

const SQLITE_BUSY = 5;

/** How a dialect's clients speak to it. */
export interface Speech {
  /** Who asks where a test names no key. */
  readonly key: string;
  /** How a request shows a key. */
  readonly headersOf: (key: string) => Readonly<Record<string, string>>;
  /** What paths stand behind; left out, the server itself. */
  readonly prefix?: string;
  /** What answers' URLs begin with that stands for the server and the prefix. */
  readonly publicUrl?: string;
}

export interface DialectStart {
  readonly config: Config;
  /** Puts tenants and keys. */
  readonly prepare: (tenants: Tenants) => Promise<void>;
  readonly dispatches?: boolean | undefined;
}

/** A whole server in this process, on a free port of loopback, over a folder of its own, asked as a dialect's clients ask. */
export class DialectGround implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'drayage-dialect-'));
  readonly #speech: Speech;
  #server: RunningServer | null = null;

  constructor(speech: Speech) {
    this.#speech = speech;
  }

  /** Files of datasets stand in the folder by now. */
  async start({ config, prepare, dispatches = true }: DialectStart): Promise<void> {
    this.#server = await startServer({
      config: readConfig(config, dialects),
      folder: this.folder,
      environment: {
        ...readEnvironment(),
        dataFolder: this.dataFolder,
        host: '127.0.0.1',
        port: 0,
        databaseUrl: null,
        threads: 2,
      },
      log: openLog('silent'),
      prepare,
      dispatches,
    });
  }

  get dataFolder(): string {
    return join(this.folder, 'data');
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server?.port}`;
  }

  /** The database the server works on, to be read. */
  database(): DatabaseSync {
    return new DatabaseSync(join(this.dataFolder, 'drayage.db'), { timeout: 5000, readOnly: true });
  }

  /** Runs one statement that changes the database the server works on. */
  change(sql: string): Promise<void> {
    return this.writing((database) => database.exec(sql));
  }

  /**
   * Does that in one transaction which keeps the server from writing. Begun only while the server writes
   * nothing itself: in this process, waiting for it would keep it from ending.
   */
  async writing<Value>(act: (database: DatabaseSync) => Value): Promise<Awaited<Value>> {
    using database = new DatabaseSync(join(this.dataFolder, 'drayage.db'), { timeout: 0 });
    while (!begins(database)) await new Promise((resolve) => setImmediate(resolve));
    const value = await act(database);
    database.exec('commit');
    return value;
  }

  /** Asks as the usual key unless another, or null for none, is given. A path may be a URL of an answer. */
  async call(
    method: string,
    path: string,
    { key = this.#speech.key, body, headers = {} }: Asked = {},
  ): Promise<Answer> {
    const response = await fetch(this.#urlOf(path), {
      method,
      redirect: 'manual',
      headers: {
        ...(key === null ? {} : this.#speech.headersOf(key)),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parsed(text) };
  }

  /** Looks until the answer is as it should be; fails after 30 s. */
  async until(path: string, isDone: (answer: Answer) => boolean, asked: Asked = {}): Promise<Answer> {
    for (let at = 0; at < 310; at++) {
      const answer = await this.call('GET', path, asked);
      if (isDone(answer)) return answer;
      await new Promise((resolve) => setTimeout(resolve, Math.min(20 + 10 * at, 100)));
    }
    throw new Error(`${path} did not come to its end.`);
  }

  /** The bytes behind a link, asked for without a key. */
  async download(url: string): Promise<{ status: number; headers: Headers; bytes: Buffer }> {
    const response = await fetch(this.#urlOf(url));
    return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #urlOf(path: string): string {
    const { prefix = '', publicUrl = PUBLIC_URL } = this.#speech;
    return `${this.url}${prefix}${path.replace(publicUrl, '')}`;
  }
}

function begins(database: DatabaseSync): boolean {
  try {
    database.exec('begin immediate');
    return true;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false;
    throw error;
  }
}

/** Holds the clock at an instant; timers go on as they are. `mock.timers.reset()` lets it go. */
export function setClock(instant: string | number): void {
  mock.timers.reset();
  mock.timers.enable({ apis: ['Date'], now: new Date(instant).getTime() });
}

/** The schema of an object that has all of it, unless said otherwise, and nothing else. */
export function object(properties: Readonly<Record<string, object>>, required = Object.keys(properties)): object {
  return { type: 'object', properties, required, additionalProperties: false };
}

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });

/** What is wrong with a value by a schema; null for nothing. */
export function flaw(schema: object, value: unknown): string | null {
  const validate = ajv.compile(schema);
  return validate(value) ? null : ajv.errorsText(validate.errors);
}

/** Throws unless it is an answer of that status whose JSON is as the schema says. */
export function checkAnswer(answer: Answer, status: number, schema: object): void {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8');
  assert.match(answer.headers.get('x-request-id') ?? '', /^req_/);
  assert.equal(flaw(schema, answer.json), null, answer.text);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
