import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { now } from '../base/clock.ts';
import { Fault } from '../base/errors.ts';
import type { Run, RunFile } from '../run/run.ts';

export interface LinkOptions {
  /** At least 32 random bytes. */
  readonly secret: Uint8Array;
  /** How long a link works that is given no life of its own. */
  readonly lifeMs: number;
}

/** What a link is minted for. */
interface LinkedFile {
  readonly id: string;
  readonly tenant: string;
  readonly path: string;
  readonly expiresAt: string;
}

/** Whom a link is for, and how it looks. */
interface LinkAsk {
  /** Id of the API key it dies with. */
  readonly principal: number;
  /** URL the file's id and name are put behind; never taken from a request. */
  readonly route: string;
  /** What the file is called on the way; left out, as it is kept. */
  readonly name?: string;
  readonly lifeMs?: number;
}

/** Mints and checks links that download one file without a key, until they expire or their key is revoked. */
export class Links {
  readonly #options: LinkOptions;
  /** Tells which secret signed, should there ever be two. */
  readonly #signer: string;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#signer = createHash('sha256').update(options.secret).digest('hex').slice(0, 8);
  }

  /** A link under a dialect's file route. It never lives longer than its file. */
  mint(file: LinkedFile, ask: LinkAsk): { url: string; expiresAt: string } {
    const { principal, route, name = file.path, lifeMs = this.#options.lifeMs } = ask;
    const until = Math.min(Date.parse(now()) + lifeMs, Date.parse(file.expiresAt));
    const expires = Math.floor(until / 1000);
    const query = new URLSearchParams({ expires: String(expires), key: String(principal), signer: this.#signer });
    query.set('signature', this.#sign(file, name, query));
    return {
      url: `${route}/${file.id}/${encodeURIComponent(name)}?${query}`,
      expiresAt: new Date(expires * 1000).toISOString(),
    };
  }

  /** The id of the key a link was minted for. Throws `link.invalid` for a link that we did not mint. */
  check(file: Pick<LinkedFile, 'id' | 'tenant'>, name: string, query: Readonly<Record<string, unknown>>): number {
    const given = Buffer.from(String(query.signature));
    const right = Buffer.from(this.#sign(file, name, asParameters(query)));
    if (given.length !== right.length || !timingSafeEqual(given, right))
      throw new Fault('link.invalid', 'This link is not valid; look at the run again for a new one.');
    return Number(query.key);
  }

  /** Throws `file.expired` for a link whose time is over. */
  checkLife(query: Readonly<Record<string, unknown>>): void {
    if (Number(query.expires) * 1000 <= Date.parse(now()))
      throw new Fault('file.expired', 'This link has expired; look at the run again for a new one.');
  }

  #sign({ id, tenant }: Pick<LinkedFile, 'id' | 'tenant'>, name: string, query: URLSearchParams): string {
    const parts = [id, tenant, name, query.get('expires'), query.get('key'), query.get('signer')];
    return createHmac('sha256', this.#options.secret).update(parts.join('\n')).digest('base64url');
  }
}

/** Where links of a dialect point, below its base URL. */
export const FILES = '/files';

/** Mints links of a run's files. Left out: `name`, the one it is kept by; `lifeMs`, the server's. */
export type FileLinks = (
  run: Pick<Run, 'tenant'>,
  file: Pick<RunFile, 'id' | 'path' | 'expiresAt'>,
  how?: Pick<LinkAsk, 'name' | 'lifeMs'>,
) => { readonly url: string; readonly expiresAt: string };

interface LinkGround {
  readonly links: Links;
  readonly baseUrl: string;
  /** Path of the file route; left out, `FILES`. */
  readonly files?: string | undefined;
}

/** Mints links that die with an API key. */
export function linksOfKey(principal: number, { links, baseUrl, files = FILES }: LinkGround): FileLinks {
  const route = `${baseUrl}${files}`;
  return ({ tenant }, { id, path, expiresAt }, how) =>
    links.mint({ id, tenant, path, expiresAt }, { principal, route, ...how });
}

function asParameters(query: Readonly<Record<string, unknown>>): URLSearchParams {
  return new URLSearchParams({
    expires: String(query.expires),
    key: String(query.key),
    signer: String(query.signer),
  });
}
