import type { FastifyInstance } from 'fastify';
import type { Fault } from '../base/errors.ts';
import type { Desk } from './desk.ts';

/** An answer that says no. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Which part of a request a fault's pointer points into. */
export type RequestPart = 'body' | 'query' | 'path' | 'header';

export interface RefusalAsk {
  readonly fault: Fault;
  readonly requestId: string;
  readonly part: RequestPart;
}

/** A way of speaking HTTP that some client already knows. Translates; decides nothing. */
export interface Dialect {
  readonly name: string;
  /** Path it is reached under when no host name says so; the native dialect has none. */
  readonly prefix: string;
  /** Registers its routes on an instance of its own. */
  routes(app: FastifyInstance, desk: Desk): Promise<void>;
  /** Says no the way this dialect says no, for every fault there is. */
  refuse(ask: RefusalAsk): Refusal;
}
