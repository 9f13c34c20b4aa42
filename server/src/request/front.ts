import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Log } from '../base/log.ts';
import { dialectApp } from './app.ts';
import type { Desk } from './desk.ts';
import type { Dialect } from './dialect.ts';

/** A request must come in within this time; a client that trickles keeps no connection. */
const REQUEST_MS = 30_000;

interface Mounted {
  readonly dialect: Dialect;
  readonly app: FastifyInstance;
}

export interface FrontGround {
  readonly desk: Desk;
  readonly dialects: readonly Dialect[];
  /** Host names (without port) and the dialect each speaks. */
  readonly hosts: Readonly<Record<string, string>>;
  readonly log: Log;
}

/** One HTTP server for all dialects: by host name first, then by prefix, else native. */
export async function openFront({ desk, dialects, hosts, log }: FrontGround): Promise<Server> {
  const mounted = await Promise.all(
    dialects.map(async (dialect): Promise<Mounted> => ({ dialect, app: await dialectApp(dialect, desk, log) })),
  );
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) =>
    dispatch(request, response, mounted, hosts),
  );
  server.on('close', () => {
    for (const { app } of mounted) void app.close();
  });
  return server;
}

function dispatch(
  request: IncomingMessage,
  response: ServerResponse,
  mounted: readonly Mounted[],
  hosts: Readonly<Record<string, string>>,
): void {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  const name = Object.hasOwn(hosts, host) ? hosts[host] : undefined;
  const byHost = mounted.find(({ dialect }) => dialect.name === name);
  const byPrefix = byHost ?? mounted.find(({ dialect }) => isBelow(request.url ?? '', dialect.prefix));
  const chosen = byPrefix ?? mounted.find(({ dialect }) => dialect.prefix === '');
  if (!chosen) throw new Error('There is no dialect without a prefix.');
  if (!byHost && chosen.dialect.prefix !== '')
    request.url = (request.url ?? '').slice(chosen.dialect.prefix.length) || '/';
  chosen.app.routing(request, response);
}

function isBelow(url: string, prefix: string): boolean {
  return prefix !== '' && (url === prefix || url.startsWith(`${prefix}/`) || url.startsWith(`${prefix}?`));
}
