import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { now } from '../base/clock.ts';
import { Fault } from '../base/errors.ts';

export interface LinkOptions {
  /** At least 32 random bytes. */
  readonly secret: Uint8Array;
  /** Where customers reach this server, or null for links without a host. Never taken from a request. */
  readonly publicUrl: string | null;
  readonly lifeMs: number;
}

/** What a link is minted for. */
export interface LinkedFile {
  readonly id: string;
  readonly tenant: string;
  readonly path: string;
  readonly expiresAt: string;
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

  /** A link for a holder of this key, under the path of a dialect's file route. */
  mint(file: LinkedFile, principal: number, route: string): { url: string; expiresAt: string } {
    const until = Math.min(Date.parse(now()) + this.#options.lifeMs, Date.parse(file.expiresAt));
    const expires = Math.floor(until / 1000);
    const query = new URLSearchParams({ expires: String(expires), key: String(principal), signer: this.#signer });
    query.set('signature', this.#sign(file.id, file.tenant, query));
    const path = `${route}/${file.id}/${encodeURIComponent(file.path)}`;
    return {
      url: `${this.#options.publicUrl ?? ''}${path}?${query}`,
      expiresAt: new Date(expires * 1000).toISOString(),
    };
  }

  /** The id of the key a link was minted for. Throws `link.invalid` for a link that we did not mint. */
  check(file: string, tenant: string, query: Readonly<Record<string, unknown>>): number {
    const given = Buffer.from(String(query.signature));
    const right = Buffer.from(this.#sign(file, tenant, asParameters(query)));
    if (given.length !== right.length || !timingSafeEqual(given, right))
      throw new Fault('link.invalid', 'This link is not valid; look at the run again for a new one.');
    return Number(query.key);
  }

  /** Throws `file.expired` for a link whose time is over. */
  checkLife(query: Readonly<Record<string, unknown>>): void {
    if (Number(query.expires) * 1000 <= Date.parse(now()))
      throw new Fault('file.expired', 'This link has expired; look at the run again for a new one.');
  }

  #sign(file: string, tenant: string, query: URLSearchParams): string {
    const parts = [file, tenant, query.get('expires'), query.get('key'), query.get('signer')];
    return createHmac('sha256', this.#options.secret).update(parts.join('\n')).digest('base64url');
  }
}

function asParameters(query: Readonly<Record<string, unknown>>): URLSearchParams {
  return new URLSearchParams({
    expires: String(query.expires),
    key: String(query.key),
    signer: String(query.signer),
  });
}
