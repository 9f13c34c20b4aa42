import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { now } from '../base/clock.ts';
import { Fault, isSystemError } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { dialectApp } from './app.ts';
import type { Dialect, DialectGround } from './dialect.ts';
import { createServer, STATUS_CODES } from './node-http.ts';

/** A request must come in within this time; a client that trickles keeps no connection. */
const REQUEST_MS = 30_000;

/**
 * Less than the 64 KiB a socket gives at a time: what is larger and comes at once is still seen with
 * its first line, which names its dialect.
 */
const HEAD_LIMIT_BYTES = 49_152;

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
  const limits = { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, maxHeaderSize: HEAD_LIMIT_BYTES };
  const called = (head: Head) => choose(head, mounted, hosts);
  const server = createServer(limits, (request, response) => dispatch(request, response, called));
  const answers = new WeakMap<Duplex, ServerResponse>();
  server.on('request', (request, response) => answers.set(request.socket, response));
  server.on('clientError', (error, socket) => {
    const last = answers.get(socket);
    // Written into an answer that is under way, a refusal would pass for a part of it.
    if (last?.headersSent && !last.writableFinished) socket.destroy();
    else refuseRaw(error, socket, called(headOf(error)));
  });
  server.on('close', () => {
    for (const { app } of mounted) void app.close();
  });
  return server;
}

/** What of a request says whom it is for. */
interface Head {
  readonly url: string;
  readonly host: string;
}

/** What is no HTTP, or too large a head of it, reaches no dialect's instance, so it is answered here, in the dialect's words. */
function refuseRaw(error: Error, socket: Duplex, { dialect }: Called): void {
  if (!socket.writable || isSystemError(error, 'ECONNRESET')) {
    socket.destroy();
    return;
  }
  const { status, headers, body } = dialect.refuse({
    fault: faultOfRaw(error),
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
  if (isSystemError(error, 'HPE_HEADER_OVERFLOW'))
    return new Fault(
      'request.malformed',
      `The URL and the headers are too long; allowed are ${HEAD_LIMIT_BYTES} bytes together.`,
    );
  return new Fault('request.malformed', 'This is not HTTP.');
}

/** As far as the bytes that could not be read tell it. */
function headOf(error: Error): Head {
  const { rawPacket } = error as { rawPacket?: Uint8Array };
  const text = rawPacket ? Buffer.from(rawPacket).toString('latin1') : '';
  const [, url = ''] = /^[A-Z]+ ([^ \r\n]*)/.exec(text) ?? [];
  const [, host = ''] = /\r\nhost: *([^\r\n]*)/i.exec(text) ?? [];
  return { url, host };
}

/** The dialect a request is for. */
interface Called extends Mounted {
  /** The URL as the dialect has it: a target without authority, and without the prefix it was called under. */
  readonly url: string;
}

/** What clients send to a proxy, and a server has to take as well (RFC 9112 §3.2.2): its authority wins over Host. */
const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)(.*)$/i;

function choose(head: Head, mounted: readonly Mounted[], hosts: Readonly<Record<string, string>>): Called {
  const [, authority, target] = ABSOLUTE_FORM.exec(head.url) ?? [];
  const url = target === undefined || target.startsWith('/') ? (target ?? head.url) : `/${target}`;
  const host = (authority ?? head.host).replace(/:\d+$/, '').replace(/\.$/, '').toLowerCase();
  const name = Object.hasOwn(hosts, host) ? hosts[host] : undefined;
  const byHost = mounted.find(({ dialect }) => dialect.name === name);
  if (byHost) return { ...byHost, url };
  const byPrefix = mounted.find(({ dialect }) => isBelow(url, dialect.prefix));
  if (byPrefix) return { ...byPrefix, url: url.slice(byPrefix.dialect.prefix.length) || '/' };
  return { ...native(mounted), url };
}

function native(mounted: readonly Mounted[]): Mounted {
  const found = mounted.find(({ dialect }) => dialect.prefix === '');
  if (!found) throw new Error('There is no dialect without a prefix.');
  return found;
}

function dispatch(request: IncomingMessage, response: ServerResponse, called: (head: Head) => Called): void {
  const { app, url } = called({ url: request.url ?? '', host: request.headers.host ?? '' });
  request.url = url;
  app.routing(request, response);
}

function isBelow(url: string, prefix: string): boolean {
  return prefix !== '' && (url === prefix || url.startsWith(`${prefix}/`) || url.startsWith(`${prefix}?`));
}
