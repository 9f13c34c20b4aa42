import { DrayageError, errorOfAnswer, networkError, retryAfterOf } from './errors.ts';
import { withRetries } from './retry.ts';

/** An answer with its body comes within this time, or counts as a failed connection. */
const ANSWER_MS = 60_000;

export interface TransportOptions {
  /** A whole URL: where the server is reached, with a path where it is mounted below one. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Instead of the platform's. */
  readonly fetch?: typeof globalThis.fetch;
  /** How often a request that may be repeated is sent again; 5 unless given, over 12 s or what Retry-After says. */
  readonly retries?: number;
}

export interface Asked {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface Answer<Body> {
  readonly body: Body;
  readonly retryAfterMs: number | undefined;
}

/** Sends requests and reads answers. */
export class Transport {
  readonly #baseUrl: string;
  readonly #apiKey: string;
  readonly #fetch: typeof globalThis.fetch;
  readonly #retries: number;

  constructor({ baseUrl, apiKey, fetch, retries = 5 }: TransportOptions) {
    this.#baseUrl = new URL(baseUrl).href.replace(/\/+$/, '');
    this.#apiKey = apiKey;
    // Browsers refuse their fetch as a method of anything else.
    this.#fetch = fetch ?? ((...request) => globalThis.fetch(...request));
    this.#retries = retries;
  }

  /** Repeats what does no more when sent twice: GET, and what has an idempotency key. Throws DrayageError. */
  ask<Body>(asked: Asked): Promise<Answer<Body>> {
    const isRepeatable = asked.method === 'GET' || asked.idempotencyKey !== undefined;
    return withRetries(() => this.#askOnce<Body>(asked), {
      retries: isRepeatable ? this.#retries : 0,
      signal: asked.signal,
    });
  }

  /** Asks once and without the key, by a link of the server's own or a whole one. The body is left unread. */
  async open(link: string, headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Response> {
    const url = link.startsWith('/') ? `${this.#baseUrl}${link}` : link;
    const openOnce = async () => {
      const response = await this.#send(url, { headers: new Headers(headers), ...(signal ? { signal } : {}) });
      if (!response.ok) throw errorOfAnswer(response, await textOf(response));
      return response;
    };
    return await withRetries(openOnce, { retries: 0, signal });
  }

  async #askOnce<Body>({ method, path, query = {}, body, idempotencyKey, signal }: Asked): Promise<Answer<Body>> {
    const deadline = AbortSignal.timeout(ANSWER_MS);
    const response = await this.#send(`${this.#baseUrl}${path}${queryOf(query)}`, {
      method,
      headers: new Headers({
        authorization: `Bearer ${this.#apiKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
    const text = await textOf(response);
    if (!response.ok) throw errorOfAnswer(response, text);
    return { body: bodyOf<Body>(response, text), retryAfterMs: retryAfterOf(response.headers) };
  }

  async #send(url: string, init: RequestInit & { headers: Headers }): Promise<Response> {
    try {
      return await this.#fetch(url, init);
    } catch (error) {
      throw networkError(error);
    }
  }
}

async function textOf(response: Response): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    throw networkError(error);
  }
}

function bodyOf<Body>({ status }: Response, text: string): Body {
  try {
    return (status === 204 ? undefined : JSON.parse(text)) as Body;
  } catch (cause) {
    throw new DrayageError('The answer is not JSON; is this the address of a Drayage server?', {
      status,
      code: 'client.answer',
      cause,
    });
  }
}

function queryOf(query: Readonly<Record<string, string | number | undefined>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  return parameters.size === 0 ? '' : `?${parameters}`;
}
