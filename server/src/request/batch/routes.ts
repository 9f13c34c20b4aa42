import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { now } from '../../base/clock.ts';
import { Fault } from '../../base/errors.ts';
import { isFinal } from '../../run/run.ts';
import { type Admission, admitCallers, callerOf, linksOf } from '../caller.ts';
import type { Caller, Desk } from '../desk.ts';
import type { DialectGround } from '../dialect.ts';
import { fileRoute } from '../file-answer.ts';
import { registerOpenapi } from '../openapi.ts';
import { keptFiles } from '../phase.ts';
import { KINDS, type Kind } from './kinds.ts';
import type { Options } from './options.ts';
import { type RequestAsk, readCreate } from './read.ts';
import { type Body, createSchema, requestSchemas } from './schemas.ts';
import { writeStatus } from './write.ts';

/** How long it is remembered whether there is a campaign or group. */
const TARGET_MS = 10_000;

interface OfApp {
  readonly apiKey: string;
}

type Ground = DialectGround<Options>;

/** A key may hold several apps; the path says for which of them it acts. */
const ADMISSION: Admission = {
  dialect: 'batch',
  keyOf: ({ headers }) => headers['x-authorization']?.toString() || undefined,
  missing: 'The REST API key is missing; send it as X-Authorization.',
  named: {
    tenantOf: ({ params }) => (params as OfApp).apiKey,
    unknown: 'The REST API key of X-Authorization is unknown, or is not one of the app whose API key the path names.',
  },
};

export async function routes(app: FastifyInstance, ground: Ground): Promise<void> {
  const { desk } = ground;
  await registerOpenapi(app, {
    baseUrl: ground.baseUrl,
    title: 'Export API',
    version: '1.0',
    description: 'Exports of one app: campaigns, transactional groups, reachability and the userbase.',
    security: { key: { type: 'apiKey', in: 'header', name: 'X-Authorization' } },
  });
  fileRoute(app, desk);
  await app.register(
    (keyed, _options, done) => {
      admitCallers(keyed, desk, ADMISSION);
      for (const kind of KINDS) createRoute(keyed, ground, kind);
      statusRoute(keyed, ground);
      resultRoute(keyed, ground);
      done();
    },
    { prefix: '/1.0/:apiKey/export' },
  );
}

function createRoute(app: FastifyInstance, ground: Ground, kind: Kind): void {
  const { desk, options } = ground;
  app.post<{ Params: OfApp & { token?: string }; Body: Body }>(
    kind.path,
    { schema: createSchema(kind) },
    async (request, reply) => {
      const { params, body } = request;
      const caller = callerOf(request);
      const reference = randomUUID();
      const asked = { kind, token: params.token, body };
      const ask = readCreate(asked, { now: now(), options, reference, tenant: params.apiKey });
      if (options.unknownTarget === 'refuse') await checkTarget(desk, caller, asked);
      await desk.create(caller, ask);
      reply.code(202).header('retry-after', '1');
      return { requestId: reference };
    },
  );
}

/** Throws `route.unknown` for a campaign or group the app has not. */
async function checkTarget(desk: Desk, caller: Caller, { kind, token }: RequestAsk): Promise<void> {
  if (!kind.target) return;
  const filter = { kind: { eq: kind.target.kind }, token: { eq: token } };
  const ask = { dataset: 'batch.targets', filter, columns: ['token'], limit: 1, forMs: TARGET_MS };
  const found = await desk.read(caller, ask);
  if (found.length > 0) return;
  throw new Fault('route.unknown', `The app has no such ${kind.target.called}.`);
}

type ById = { Params: OfApp & { id: string } };

function statusRoute(app: FastifyInstance, ground: Ground): void {
  app.get<ById>('/request/:id', { schema: requestSchemas.status }, async (request, reply) => {
    const { job, run } = await findRequest(request, ground);
    if (!isFinal(run.state)) reply.header('retry-after', '1');
    return writeStatus(job, run, { now: now(), baseUrl: ground.baseUrl });
  });
}

function resultRoute(app: FastifyInstance, ground: Ground): void {
  app.get<ById>('/request/:id/results/:name.csv', { schema: requestSchemas.result }, async (request, reply) => {
    const { run } = await findRequest(request, ground);
    const [file] = keptFiles(run, now());
    if (!file)
      throw new Fault('route.unknown', 'The request has no file: it did not succeed yet, or its time is over.');
    const { url } = linksOf(request, ground)(run, file, { lifeMs: ground.options.linkLife });
    return reply.code(302).headers({ location: url, 'cache-control': 'no-store' }).send();
  });
}

function findRequest(request: FastifyRequest<ById>, { desk, options }: Ground) {
  return desk.jobByReference(callerOf(request), 'batch', request.params.id, options.requestLife);
}
