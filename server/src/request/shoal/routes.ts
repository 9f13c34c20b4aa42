import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { now } from '../../base/clock.ts';
import { isFinal } from '../../run/run.ts';
import { admitCallers, callerOf, linksOf } from '../caller.ts';
import type { DialectGround } from '../dialect.ts';
import { fileRoute } from '../file-answer.ts';
import { registerOpenapi } from '../openapi.ts';
import { admission, shoalBudgetOf } from './admission.ts';
import { charged, periodsOf, quotaOf } from './credits.ts';
import { creditHeaders, STANDING } from './headers.ts';
import type { ShoalOptions } from './options.ts';
import { readCreate, readPage } from './read.ts';
import { type CreateBody, routeSchemas } from './schemas.ts';
import { type WriteGround, writeJob } from './write.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What `X-Endpoint-Policy` says of the route. */
    policy?: string;
  }
}

/** Twelve times a minute leave the key most of its hundred requests. */
const POLL = { 'retry-after': '5' };

export async function routes(app: FastifyInstance, ground: DialectGround<ShoalOptions>): Promise<void> {
  const { desk, options } = ground;
  app.decorateRequest('shoalBudget', null);
  app.addHook('onRequest', async ({ routeOptions }, reply) => {
    const { policy } = routeOptions.config ?? {};
    reply.headers({ ...STANDING, 'x-ratelimit-limit': String(options.requestsPerMinute) });
    if (policy !== undefined) reply.header('x-endpoint-policy', policy);
  });
  await registerOpenapi(app, {
    baseUrl: ground.baseUrl,
    title: 'Shoal export jobs',
    version: '1',
    description: 'Export jobs as Shoal has them, served by Drayage.',
    security: { key: { type: 'http', scheme: 'bearer' } },
  });
  fileRoute(app, desk);
  await app.register((keyed, _options, done) => {
    admitCallers(keyed, desk, admission(ground));
    createRoute(keyed, ground);
    lookRoutes(keyed, ground);
    usageRoute(keyed, ground);
    done();
  });
}

function createRoute(app: FastifyInstance, ground: DialectGround<ShoalOptions>): void {
  const { desk, options } = ground;
  app.post<{ Body: CreateBody }>(
    '/v1/export/jobs',
    { schema: routeSchemas.create, config: { policy: 'export.jobs.create' } },
    async (request, reply) => {
      const budget = shoalBudgetOf(request);
      const at = now();
      const asked = readCreate(request.body, { now: at, id: randomUUID(), options });
      const accepted = await desk.create(callerOf(request), { ...asked, quota: quotaOf(budget, options, at) });
      reply.code(201).headers({
        ...creditHeaders(charged(budget, options)),
        ...POLL,
        'x-credit-cost': String(options.createCredits),
      });
      return { data: writeJob(accepted, writingOf(request, ground)) };
    },
  );
}

function lookRoutes(app: FastifyInstance, ground: DialectGround<ShoalOptions>): void {
  const { desk } = ground;
  app.get<{ Querystring: { limit?: unknown; offset?: unknown } }>(
    '/v1/export/jobs',
    { schema: routeSchemas.list, config: { policy: 'export.jobs.list' } },
    async (request) => {
      const { limit, offset } = readPage(request.query);
      const found = await desk.jobs(callerOf(request), { dialects: ['shoal'], limit: offset + limit });
      const writing = writingOf(request, ground);
      return { limit, offset, data: found.slice(offset).map((each) => writeJob(each, writing)) };
    },
  );

  app.get<{ Params: { id: string } }>(
    '/v1/export/jobs/:id',
    { schema: routeSchemas.one, config: { policy: 'export.jobs.get' } },
    async (request, reply) => {
      const found = await desk.jobByReference(callerOf(request), 'shoal', request.params.id);
      if (!isFinal(found.run.state)) reply.headers(POLL);
      return { data: writeJob(found, writingOf(request, ground)) };
    },
  );
}

function usageRoute(app: FastifyInstance, { desk, options }: DialectGround<ShoalOptions>): void {
  app.get('/v1/usage', { schema: routeSchemas.usage, config: { policy: 'usage' } }, async (request) => {
    const caller = callerOf(request);
    const budget = shoalBudgetOf(request);
    const { day, week } = periodsOf(now());
    const made = await Promise.all([day, week].map((from) => desk.countJobs(caller, 'shoal', from)));
    const [today = 0, thisWeek = 0] = made.map((count) => count * options.createCredits);
    return { data: { today, thisWeek, thisMonth: budget.used, budget } };
  });
}

function writingOf(request: FastifyRequest, ground: DialectGround<ShoalOptions>): WriteGround {
  return { now: now(), options: ground.options, linkTo: linksOf(request, ground) };
}
