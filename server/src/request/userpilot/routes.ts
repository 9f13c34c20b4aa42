import { randomUUID } from 'node:crypto';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { later, now } from '../../base/clock.ts';
import { Fault } from '../../base/errors.ts';
import { isFinal } from '../../run/run.ts';
import { checkRight } from '../../tenant/principal.ts';
import { type Admission, admitCallers, callerOf, keyBehind, linksOf } from '../caller.ts';
import type { Caller } from '../desk.ts';
import type { DialectGround } from '../dialect.ts';
import { fileRoute } from '../file-answer.ts';
import { readJson } from '../json-body.ts';
import { registerOpenapi } from '../openapi.ts';
import { lookupRoutes } from './lookup-routes.ts';
import type { UserpilotOptions } from './options.ts';
import { readCreate, readSegment } from './read.ts';
import { type CreateBody, jobSchemas } from './schemas.ts';
import { SEGMENTS } from './shapes.ts';
import { EXPORTS, writeCreated, writeDetail, writeSummary } from './write.ts';

type Ground = DialectGround<UserpilotOptions>;

const ADMISSION: Admission = {
  dialect: 'userpilot',
  keyOf: (request) => keyBehind('Token', request),
  missing: 'An API key is needed.',
};

export async function routes(app: FastifyInstance, ground: Ground): Promise<void> {
  const { desk } = ground;
  await registerOpenapi(app, {
    baseUrl: ground.baseUrl,
    title: 'Userpilot API',
    version: '1.0.0',
    description: 'Bulk export of user, company and event data.',
    security: { key: { type: 'apiKey', in: 'header', name: 'Authorization' } },
  });
  acceptJson(app);
  fileRoute(app, desk);
  await app.register((keyed, _options, done) => {
    admitCallers(keyed, desk, ADMISSION);
    createRoute(keyed, ground);
    listRoute(keyed, ground);
    jobRoute(keyed, ground);
    lookupRoutes((route) => bothForms(keyed, route), ground);
    done();
  });
}

/** Content-Type may be left out. */
function acceptJson(app: FastifyInstance): void {
  app.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, (request, bytes, done) => {
    try {
      if (request.is404) return done(null, undefined);
      if (request.headers['content-type'] !== undefined)
        throw new Fault('request.type', 'Content-Type: Allowed is application/json, or none at all.');
      done(null, readJson(bytes));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** Their documents write paths with and without a slash at the end. */
function bothForms(app: FastifyInstance, route: RouteOptions): void {
  app.route(route);
  app.route({ ...route, url: `${route.url}/`, schema: { ...route.schema, hide: true } });
}

function createRoute(app: FastifyInstance, ground: Ground): void {
  const { desk, options, baseUrl } = ground;
  bothForms(app, {
    method: 'POST',
    url: EXPORTS,
    schema: jobSchemas.create,
    // Who may not export is told so before the body is looked at.
    onRequest: async (request) => checkRight(callerOf(request).principal, 'write'),
    handler: async (request, reply) => {
      const body = (request.body ?? {}) as CreateBody;
      const caller = callerOf(request);
      const ask = readCreate(body, { options, now: now(), reference: randomUUID() });
      await checkSegment(body, ground, caller);
      const created = await desk.create(caller, ask);
      const answer = writeCreated({ ...created, options, now: now() }, baseUrl);
      reply.code(201).headers({ location: answer.links, 'retry-after': '1' });
      return answer;
    },
  });
}

/** Throws `dataset.unknown` for a segment that the environment does not have. */
async function checkSegment(body: CreateBody, { desk }: Ground, caller: Caller): Promise<void> {
  const id = readSegment(body);
  if (id === undefined) return;
  const found =
    id === null
      ? []
      : await desk.read(caller, { dataset: SEGMENTS.name, filter: { id: { eq: id } }, columns: ['id'], limit: 1 });
  if (found.length === 0)
    throw new Fault('dataset.unknown', 'There is no such segment; allowed are ids of the lookup segments.', {
      pointer: '/segment_id',
    });
}

/** Jobs that are read at a time. */
const LISTED_AT_ONCE = 1000;

function listRoute(app: FastifyInstance, ground: Ground): void {
  bothForms(app, {
    method: 'GET',
    url: `${EXPORTS}/jobs`,
    schema: jobSchemas.list,
    handler: async (request) => {
      return summaries(ground, callerOf(request));
    },
  });
}

/** The list has no pages, so it has every job that is known. */
async function summaries({ desk, options }: Ground, caller: Caller) {
  const at = now();
  const createdFrom = later(at, 1 - options.recordLife);
  const filter = { dialects: ['userpilot'], createdFrom, limit: LISTED_AT_ONCE };
  const all: ReturnType<typeof writeSummary>[] = [];
  for (let after: string | undefined; ; ) {
    const found = await desk.jobs(caller, { ...filter, ...(after !== undefined && { after }) });
    for (const one of found) all.push(writeSummary({ ...one, options, now: at }));
    if (found.length < LISTED_AT_ONCE) return all;
    after = found.at(-1)?.job.id;
  }
}

function jobRoute(app: FastifyInstance, ground: Ground): void {
  const { desk, options } = ground;
  bothForms(app, {
    method: 'GET',
    url: `${EXPORTS}/jobs/:job_id`,
    schema: jobSchemas.one,
    handler: async (request, reply) => {
      const { job_id: reference } = request.params as { job_id: string };
      const found = await desk.jobByReference(callerOf(request), 'userpilot', reference, options.recordLife);
      if (!isFinal(found.run.state)) reply.header('retry-after', '1');
      return writeDetail({ ...found, options, now: now() }, linksOf(request, ground));
    },
  });
}
