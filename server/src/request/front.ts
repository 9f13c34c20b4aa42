import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { now } from '../base/clock.ts';
import { Fault, isSystemError } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { dialectApp } from './app.ts';
import type { Dialect, DialectGround } from './dialect.ts';

/** A request must come in within this time; a client that trickles keeps no connection. */
const REQUEST_MS = 30_000;

interface Mounted {
  readonly dialect: Dialect;
  readonly app: FastifyInstance;
}

export interface FrontGround {
  readonly dialects: readonly Dialect[];
  /** Host names (without port) and the dialect each speaks. */
  readonly hosts: Readonly<Record<string, string>>;
  readonly log: Log;
  /** What a dialect's routes stand on. */
  groundOf(dialect: Dialect): DialectGround;
}

/** One HTTP server for all dialects: by host name first, then by prefix, else native. */
export async function openFront({ dialects, hosts, log, groundOf }: FrontGround): Promise<Server> {
  const mounted = await Promise.all(
    dialects.map(
      async (dialect): Promise<Mounted> => ({ dialect, app: await dialectApp(dialect, groundOf(dialect), log) }),
    ),
  );
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) =>
    dispatch(request, response, mounted, hosts),
  );
  server.on('clientError', (error, socket) => refuseRaw(error, socket, mounted));
  server.on('close', () => {
    for (const { app } of mounted) void app.close();
  });
  return server;
}

/** What is no HTTP reaches no dialect's instance, so it is answered here, in the words of the one without a prefix. */
function refuseRaw(error: Error, socket: Duplex, mounted: readonly Mounted[]): void {
  if (!socket.writable || isSystemError(error, 'ECONNRESET')) {
    socket.destroy();
    return;
  }
  const fault = faultOfRaw(error);
  const { dialect } = native(mounted);
  const { status, headers, body } = dialect.refuse({
    fault,
    requestId: newId('req', now()),
    part: 'header',
    method: '',
    path: '',
  });
  const text = JSON.stringify(body);
  const lines = Object.entries({ ...headers, 'content-length': Buffer.byteLength(text), connection: 'close' });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${text}`,
  );
}

function faultOfRaw(error: Error): Fault {
  if (isSystemError(error, 'HPE_INVALID_METHOD')) return new Fault('method.refused', 'There is no such method.');
  if (isSystemError(error, 'ERR_HTTP_REQUEST_TIMEOUT'))
    return new Fault('request.malformed', 'The request did not come in time.');
  return new Fault('request.malformed', 'This is not HTTP.');
}

function native(mounted: readonly Mounted[]): Mounted {
  const found = mounted.find(({ dialect }) => dialect.prefix === '');
  if (!found) throw new Error('There is no dialect without a prefix.');
  return found;
}

/** What clients send to a proxy, and a server has to take as well (RFC 9112 §3.2.2): its authority wins over Host. */
const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)(.*)$/i;

function dispatch(
  request: IncomingMessage,
  response: ServerResponse,
  mounted: readonly Mounted[],
  hosts: Readonly<Record<string, string>>,
): void {
  const [, authority, target] = ABSOLUTE_FORM.exec(request.url ?? '') ?? [];
  if (target !== undefined) request.url = target.startsWith('/') ? target : `/${target}`;
  const host = (authority ?? request.headers.host ?? '').replace(/:\d+$/, '').replace(/\.$/, '').toLowerCase();
  const name = Object.hasOwn(hosts, host) ? hosts[host] : undefined;
  const byHost = mounted.find(({ dialect }) => dialect.name === name);
  const byPrefix = byHost ?? mounted.find(({ dialect }) => isBelow(request.url ?? '', dialect.prefix));
  const chosen = byPrefix ?? native(mounted);
  if (!byHost && chosen.dialect.prefix !== '')
    request.url = (request.url ?? '').slice(chosen.dialect.prefix.length) || '/';
  chosen.app.routing(request, response);
}

function isBelow(url: string, prefix: string): boolean {
  return prefix !== '' && (url === prefix || url.startsWith(`${prefix}/`) || url.startsWith(`${prefix}?`));
}
