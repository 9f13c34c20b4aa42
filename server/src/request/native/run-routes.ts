import type { FastifyInstance } from 'fastify';
import { Fault } from '../../base/errors.ts';
import { isFinal, type RunState } from '../../run/run.ts';
import { callerOf, linksOf } from '../caller.ts';
import type { DialectGround } from '../dialect.ts';
import { runSchemas } from './schemas.ts';
import { NATIVE_FILES, writeRun } from './write.ts';

type ById = { Params: { id: string } };

export function runRoutes(app: FastifyInstance, ground: DialectGround): void {
  const { desk } = ground;
  app.get<ById>('/v1/runs/:id', { schema: runSchemas.one }, async (request, reply) => {
    const run = await desk.run(callerOf(request), request.params.id);
    if (!isFinal(run.state)) reply.header('retry-after', '1');
    return writeRun(run, linksOf(request, ground, NATIVE_FILES));
  });

  app.post<ById>('/v1/runs/:id/cancel', { schema: runSchemas.cancel }, async (request) => {
    const run = await desk.cancel(callerOf(request), request.params.id);
    return writeRun(run, linksOf(request, ground, NATIVE_FILES));
  });

  app.get<ById>('/v1/runs/:id/manifest', { schema: runSchemas.manifest }, async (request, reply) => {
    const text = await desk.manifest(callerOf(request), request.params.id);
    if (text === null) throw noManifest((await desk.run(callerOf(request), request.params.id)).state);
    return reply.type('application/json; charset=utf-8').serializer(String).send(text);
  });

  app.get<ById>('/v1/runs/:id/log', { schema: runSchemas.log }, async (request) => ({
    data: await desk.log(callerOf(request), request.params.id),
    next: null,
  }));
}

function noManifest(state: RunState): Fault {
  if (isFinal(state))
    return new Fault('run.final', `The run ${state === 'failed' ? 'failed' : 'was cancelled'}: it has no manifest.`);
  return new Fault('conflict.running', 'The run has a manifest once it succeeded.', { retryAfterMs: 1000 });
}
