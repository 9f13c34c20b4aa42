import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Fault, isSystemError } from '../base/errors.ts';
import { dialects } from '../request/dialects.ts';
import { type FrontGround, openFront } from '../request/front.ts';
import type { Daemon } from './daemon.ts';

/** How long answers may go on after a stop. */
const LAST_ANSWERS_MS = 10_000;

export interface HttpGround extends Omit<FrontGround, 'dialects'> {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
}

/** Answers requests. */
export class HttpDaemon implements Daemon {
  readonly #ground: HttpGround;
  #server: Server | null = null;

  constructor(ground: HttpGround) {
    this.#ground = ground;
  }

  /** Throws `conflict.running` when the port is taken. */
  async start(): Promise<void> {
    const { host, port } = this.#ground;
    const server = await openFront({ ...this.#ground, dialects });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(isSystemError(error, 'EADDRINUSE') ? inUse(host, port) : error));
      server.listen(port, host, resolve);
    });
    this.#server = server;
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
      server.closeIdleConnections();
    });
    clearTimeout(timer);
  }
}

function inUse(host: string, port: number): Fault {
  return new Fault('conflict.running', `Port ${port} on ${host} is in use; set PORT to another.`);
}
