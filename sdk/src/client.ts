import { DrayageError } from './errors.ts';
import type { Manifest } from './manifest.ts';
import { itemsOf } from './pages.ts';
import { type Asked, Transport, type TransportOptions } from './transport.ts';
import { untilSucceeded, type WaitOptions } from './wait.ts';
import type { Dataset, File, Job, JobListQuery, JobRequest, LogEntry, Page, Run } from './wire.ts';

export type ClientOptions = TransportOptions;

export interface CallOptions {
  /** Ends the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface CreateOptions extends CallOptions {
  /** Up to 255 visible ASCII characters. Within 24 hours the same key and request give the same job. */
  readonly idempotencyKey?: string;
}

export interface OpenOptions extends CallOptions {
  /** The first byte that is wanted; 0 unless given. */
  readonly from?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Speaks to one server with one key. Every method rejects with DrayageError when the server refuses or
 * does not answer; reads and `createJob` are repeated before that, other requests are sent once.
 */
export class DrayageClient {
  readonly #transport: Transport;

  constructor(options: ClientOptions) {
    this.#transport = new Transport(options);
  }

  async datasets(options: CallOptions = {}): Promise<readonly Dataset[]> {
    return (await this.#get<Page<Dataset>>('/v1/datasets', options)).data;
  }

  dataset(name: string, options: CallOptions = {}): Promise<Dataset> {
    return this.#get(`/v1/datasets/${encodeURIComponent(name)}`, options);
  }

  /** Creates a job and its first run. However often it has to be sent, it makes one job. */
  createJob(request: JobRequest, { signal, idempotencyKey = randomKey() }: CreateOptions = {}): Promise<Job> {
    return this.#ask({ method: 'POST', path: '/v1/jobs', body: request, idempotencyKey, signal });
  }

  job(id: string, options: CallOptions = {}): Promise<Job> {
    return this.#get(pathOf('jobs', id), options);
  }

  /** Jobs, newest first. `limit` is how many are asked for at once. */
  jobs(query: JobListQuery = {}, options: CallOptions = {}): AsyncGenerator<Job, void, void> {
    const { cursor: first, ...rest } = query;
    return itemsOf((cursor) => this.#get<Page<Job>>('/v1/jobs', options, { ...rest, cursor }), first);
  }

  /** What runs is cancelled, files are kept until they expire. */
  deleteJob(id: string, { signal }: CallOptions = {}): Promise<void> {
    return this.#ask({ method: 'DELETE', path: pathOf('jobs', id), signal });
  }

  /** Runs a job again over the same window. */
  runAgain(jobId: string, { signal }: CallOptions = {}): Promise<Run> {
    return this.#ask({ method: 'POST', path: `${pathOf('jobs', jobId)}/runs`, signal });
  }

  run(id: string, options: CallOptions = {}): Promise<Run> {
    return this.#get(pathOf('runs', id), options);
  }

  /** Runs of a job, newest first. */
  runs(jobId: string, options: CallOptions = {}): AsyncGenerator<Run, void, void> {
    return itemsOf((cursor) => this.#get<Page<Run>>(`${pathOf('jobs', jobId)}/runs`, options, { cursor }));
  }

  cancelRun(id: string, { signal }: CallOptions = {}): Promise<Run> {
    return this.#ask({ method: 'POST', path: `${pathOf('runs', id)}/cancel`, signal });
  }

  /** Rejects with `conflict.running` before the run succeeded. */
  manifest(id: string, options: CallOptions = {}): Promise<Manifest> {
    return this.#get(`${pathOf('runs', id)}/manifest`, options);
  }

  async log(id: string, options: CallOptions = {}): Promise<readonly LogEntry[]> {
    return (await this.#get<Page<LogEntry>>(`${pathOf('runs', id)}/log`, options)).data;
  }

  /** Resolves with the run once it succeeded. Rejects with RunFailedError when it failed or was cancelled. */
  waitForRun(id: string, options: WaitOptions = {}): Promise<Run> {
    const { signal } = options;
    return untilSucceeded(() => this.#transport.ask({ method: 'GET', path: pathOf('runs', id), signal }), options);
  }

  /**
   * Asks once for the bytes of a file, without the key. They are unchecked; in Node, `download` of
   * `@drayage/sdk/node` checks them. From a byte other than the first the answer is 206, or 200 with
   * the whole file. Rejects with `file.expired` when the file or the link is no more.
   */
  async openFile({ url, sha256 }: File, { signal, from = 0, headers = {} }: OpenOptions = {}): Promise<Response> {
    if (url === null)
      throw new DrayageError('This file is not kept any more; run the job again.', {
        status: null,
        code: 'file.expired',
      });
    const range = from === 0 ? {} : { range: `bytes=${from}-`, 'if-range': `"${sha256}"` };
    return await this.#transport.open(url, { ...headers, ...range }, signal);
  }

  #get<Body>(path: string, { signal }: CallOptions, query: NonNullable<Asked['query']> = {}): Promise<Body> {
    return this.#ask({ method: 'GET', path, query, signal });
  }

  async #ask<Body>(asked: Asked): Promise<Body> {
    return (await this.#transport.ask<Body>(asked)).body;
  }
}

function pathOf(kind: 'jobs' | 'runs', id: string): string {
  return `/v1/${kind}/${encodeURIComponent(id)}`;
}

/** Not by `randomUUID`: browsers have it for pages over https only. */
function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
