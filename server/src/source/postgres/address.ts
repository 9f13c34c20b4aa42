import { readFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import type { ClientConfig } from 'pg';
import { Fault, refuse } from '../../base/errors.ts';
import type { PostgresOptions } from '../options.ts';
import { ReadSocket } from './read-socket.ts';

/** A server that does not answer for this long cannot be reached. */
const CONNECT_MS = 15_000;

/** What is ours to understand; pg reads `sslmode` in another way than libpq does. */
const OURS = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'uselibpqcompat', 'ssl'];

/** How to reach the database. Throws `request.invalid` for an address that says what is not understood. */
export async function clientConfig(options: PostgresOptions): Promise<ClientConfig> {
  const url = new URL(options.url);
  const asked = Object.fromEntries(OURS.map((name) => [name, url.searchParams.get(name)]));
  for (const name of OURS) url.searchParams.delete(name);
  const ssl = await tlsOf(asked, options.ca);
  return {
    connectionString: url.href,
    ssl,
    ...(ssl === false ? { stream: ReadSocket.create } : {}),
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    application_name: 'drayage',
  };
}

type Asked = Readonly<Record<string, string | null>>;

async function tlsOf(asked: Asked, pem: string | undefined): Promise<ConnectionOptions | false> {
  const mode = asked.sslmode ?? 'disable';
  if (asked.ssl !== null) throw refuse('/url', 'Say sslmode in place of ssl.');
  if (mode === 'disable' && pem === undefined) return false;
  const ca = pem ?? (await fileOf(asked.sslrootcert));
  const own = { cert: await fileOf(asked.sslcert), key: await fileOf(asked.sslkey) };
  const given = Object.fromEntries(Object.entries({ ...own, ca }).filter(([, text]) => text !== undefined));
  switch (mode) {
    case 'require':
      // As libpq does: with an authority given, require is verify-ca.
      return ca === undefined ? { ...given, rejectUnauthorized: false } : { ...given, checkServerIdentity: anyName };
    case 'verify-ca':
      if (ca === undefined) throw refuse('/url', 'sslmode=verify-ca needs ca or sslrootcert.');
      return { ...given, checkServerIdentity: anyName };
    case 'verify-full':
      return given;
    default:
      throw refuse(
        '/url',
        'sslmode may be disable, require, verify-ca or verify-full; with ca, one of the last three.',
      );
  }
}

function anyName(): undefined {
  return undefined;
}

async function fileOf(path: string | null | undefined): Promise<string | undefined> {
  if (path === null || path === undefined) return undefined;
  if (!isAbsolute(path)) throw refuse('/url', 'Paths of certificates and keys must be absolute.');
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new Fault('source.refused', 'A certificate or key file named in the url cannot be read.', { cause: error });
  });
}
