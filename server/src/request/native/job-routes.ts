import type { JobListQuery } from '@drayage/sdk/wire';
import type { FastifyInstance } from 'fastify';
import { refuse } from '../../base/errors.ts';
import { isFinal } from '../../run/run.ts';
import { callerOf, linksOf } from '../caller.ts';
import type { DialectGround } from '../dialect.ts';
import { type JobBody, readCreate, readCursor, readIdempotency, readSpan, writeCursor } from './read.ts';
import { jobSchemas } from './schemas.ts';
import { NATIVE_FILES, writeJob, writeRun } from './write.ts';

type Keyed = { 'idempotency-key'?: string };
type ById = { Params: { id: string } };
type Paged = { Querystring: { limit: number; cursor?: string } };

export function jobRoutes(app: FastifyInstance, ground: DialectGround): void {
  const { desk } = ground;
  app.post<{ Body: JobBody; Headers: Keyed }>(
    '/v1/jobs',
    {
      schema: jobSchemas.create,
      // Kept as it was sent: validation fills in what formats take by default.
      preValidation: async (request) => {
        request.sent = request.body;
      },
    },
    async (request, reply) => {
      const ask = readCreate(request.body, request.sent, request.headers['idempotency-key']);
      const { job, run } = await desk.create(callerOf(request), ask);
      reply.code(202).headers({ location: `/v1/jobs/${job.id}`, 'retry-after': '1' });
      return writeJob(job, run, linksOf(request, ground, NATIVE_FILES));
    },
  );

  jobListRoute(app, ground);

  app.get<ById>('/v1/jobs/:id', { schema: jobSchemas.one }, async (request, reply) => {
    const { job, run } = await desk.job(callerOf(request), request.params.id);
    if (!isFinal(run.state)) reply.header('retry-after', '1');
    return writeJob(job, run, linksOf(request, ground, NATIVE_FILES));
  });

  app.delete<ById>('/v1/jobs/:id', { schema: jobSchemas.remove }, async (request, reply) => {
    await desk.deleteJob(callerOf(request), request.params.id);
    return reply.code(204).send();
  });

  jobRunRoutes(app, ground);
}

function jobListRoute(app: FastifyInstance, ground: DialectGround): void {
  const { desk } = ground;
  app.get<{ Querystring: JobListQuery & { limit: number } }>(
    '/v1/jobs',
    { schema: jobSchemas.list },
    async (request) => {
      const { state, dataset, createdFrom, createdTo, limit, cursor } = request.query;
      const after = readCursor('job', cursor);
      const created = readSpan(createdFrom, createdTo);
      const found = await desk.jobs(callerOf(request), {
        // One more than the page, to know whether there is another.
        limit: limit + 1,
        ...(state === undefined ? {} : { state }),
        ...(dataset === undefined ? {} : { dataset }),
        ...created,
        ...(after === undefined ? {} : { after }),
      });
      const page = found.slice(0, limit);
      const linkTo = linksOf(request, ground, NATIVE_FILES);
      return {
        data: page.map(({ job, run }) => writeJob(job, run, linkTo)),
        next: nextOf(found, limit, ({ job }) => job.id),
      };
    },
  );
}

function jobRunRoutes(app: FastifyInstance, ground: DialectGround): void {
  const { desk } = ground;
  app.post<ById & { Headers: Keyed }>('/v1/jobs/:id/runs', { schema: jobSchemas.again }, async (request, reply) => {
    const { id } = request.params;
    refuseBody(request.body);
    const idempotency = readIdempotency(request.headers['idempotency-key'], { again: id });
    const run = await desk.runAgain(callerOf(request), id, idempotency);
    reply.code(202).headers({ location: `/v1/runs/${run.id}`, 'retry-after': '1' });
    return writeRun(run, linksOf(request, ground, NATIVE_FILES));
  });

  app.get<ById & Paged>('/v1/jobs/:id/runs', { schema: jobSchemas.runs }, async (request) => {
    const { limit, cursor } = request.query;
    const after = readCursor('run', cursor);
    const page = { limit: limit + 1, ...(after === undefined ? {} : { after }) };
    const found = await desk.runsOf(callerOf(request), request.params.id, page);
    const linkTo = linksOf(request, ground, NATIVE_FILES);
    return {
      data: found.slice(0, limit).map((run) => writeRun(run, linkTo)),
      next: nextOf(found, limit, ({ id }) => id),
    };
  });
}

/** What would be ignored is refused; an empty object is what some clients always send. */
function refuseBody(body: unknown): void {
  const isEmpty = body === undefined || body === null || (typeof body === 'object' && Object.keys(body).length === 0);
  if (!isEmpty) throw refuse('', 'A job is run again as it was asked for: no body is taken here.');
}

function nextOf<Item>(found: readonly Item[], limit: number, idOf: (item: Item) => string): string | null {
  const last = found.length > limit ? found[limit - 1] : undefined;
  return last === undefined ? null : writeCursor(idOf(last));
}
