import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Fault, isSystemError } from '../base/errors.ts';
import { type FrontGround, openFront } from '../request/front.ts';
import type { Daemon } from './daemon.ts';

/** How long answers may go on after a stop. */
const LAST_ANSWERS_MS = 10_000;

export interface HttpGround extends FrontGround {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
}

/** Answers requests. */
export class HttpDaemon implements Daemon {
  readonly #ground: HttpGround;
  #server: Server | null = null;
  /** Connections on which nothing is being answered. */
  readonly #quiet = new Set<Socket>();

  constructor(ground: HttpGround) {
    this.#ground = ground;
  }

  /** Throws `conflict.running` when the port is taken. */
  async start(): Promise<void> {
    const { host, port } = this.#ground;
    const server = await openFront(this.#ground);
    this.#watch(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(shut(error, host, port)));
      server.listen(port, host, resolve);
    });
    this.#server = server;
  }

  /** Node takes a connection that never asked anything for a busy one, and would wait for it. */
  #watch(server: Server): void {
    server.on('connection', (socket) => {
      this.#quiet.add(socket);
      socket.once('close', () => this.#quiet.delete(socket));
    });
    server.on('request', ({ socket }, response) => {
      this.#quiet.delete(socket);
      response.once('close', () => socket.destroyed || this.#quiet.add(socket));
    });
  }

  /** The port it listens on; 0 before it does. */
  get port(): number {
    return (this.#server?.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Resolves when the last answer is out, or was cut: downloads can be taken up again by Range. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    const timer = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_MS);
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of this.#quiet) socket.destroy();
    });
    clearTimeout(timer);
  }
}

function shut(error: Error, host: string, port: number): Fault {
  if (isSystemError(error, 'EADDRINUSE'))
    return new Fault('conflict.running', `Port ${port} on ${host} is in use; set PORT to another.`);
  return new Fault('request.invalid', `Nothing can listen on ${host}, port ${port}; set HOST and PORT.`, {
    cause: error,
  });
}
