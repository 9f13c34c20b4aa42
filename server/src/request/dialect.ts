import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { Fault } from '../base/errors.ts';
import type { Shape } from '../dataset/shape.ts';
import type { Job } from '../job/job.ts';
import type { Run } from '../run/run.ts';
import type { Desk } from './desk.ts';
import type { Links } from './link.ts';

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
  readonly method: string;
  /** As the dialect has it: without its prefix and without the query. */
  readonly path: string;
}

/** What a dialect's routes stand on. */
export interface DialectGround<Options = unknown> {
  readonly desk: Desk;
  /** What the operator set, defaults filled in. */
  readonly options: Options;
  /** Where customers reach the dialect, without a slash at the end: a URL, or a path alone where no public URL is set. */
  readonly baseUrl: string;
}

/** A run that succeeded and whose job names people to tell. */
export interface NoticeAsk<Options = unknown> extends Pick<DialectGround<Options>, 'options' | 'baseUrl'> {
  readonly job: Job;
  readonly run: Run;
  readonly links: Links;
}

/** What people are told by e-mail. */
export interface Notice {
  readonly subject: string;
  readonly text: string;
}

/** A way of speaking HTTP that some client already knows. Translates; decides nothing. */
export interface Dialect<Options = unknown> {
  readonly name: string;
  /** Path it is reached under when no host name says so; the native dialect has none. */
  readonly prefix: string;
  /** Datasets it asks for. */
  readonly shapes: readonly Shape[];
  /** What an operator may set of it, under `dialects` and its name. */
  readonly options: z.ZodType<Options>;
  /** Registers its routes on an instance of its own. */
  routes(app: FastifyInstance, ground: DialectGround<Options>): Promise<void>;
  /** Says no the way this dialect says no, for every fault there is. */
  refuse(ask: RefusalAsk): Refusal;
  /** The words of the e-mail for a dialect that promises one. */
  notice?(ask: NoticeAsk<Options>): Notice;
}
