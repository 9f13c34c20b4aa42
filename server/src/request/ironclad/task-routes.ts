import type { FastifyInstance } from 'fastify';
import { isFinal } from '../../run/run.ts';
import { callerOf } from '../caller.ts';
import type { DialectGround } from '../dialect.ts';
import { findJob, mintingOf, newReference } from './extract-routes.ts';
import type { Options } from './options.ts';
import { readTask, type TaskQuery } from './read.ts';
import { taskSchemas } from './schemas.ts';
import { findSite } from './site.ts';
import { writeTask } from './write.ts';

/** The export as it was before `/extract/evidence`. */
export function taskRoutes(app: FastifyInstance, ground: DialectGround<Options>): void {
  const { desk, options } = ground;
  app.post<{ Querystring: TaskQuery }>(
    '/tasks/export/activity',
    { schema: taskSchemas.create },
    async (request, reply) => {
      const caller = callerOf(request);
      const site = await findSite(desk, caller, options);
      const accepted = await desk.create(caller, readTask(request.query, { options, site, reference: newReference() }));
      reply.code(201).header('retry-after', '1');
      return writeTask(accepted, mintingOf(request, ground));
    },
  );

  app.get<{ Params: { id: string } }>('/tasks/export/:id', { schema: taskSchemas.one }, async (request, reply) => {
    const found = await findJob(request, desk);
    if (!isFinal(found.run.state)) reply.header('retry-after', '1');
    return writeTask(found, mintingOf(request, ground));
  });
}
