import type { FastifyInstance } from 'fastify';
import { refuse } from '../../base/errors.ts';
import { shown } from '../../column/operand.ts';
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
      refuseBody(request.body);
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

/** What is asked for in a body, as of the newer export, must not become an export of everything. */
function refuseBody(body: unknown): void {
  if (body === undefined || body === null) return;
  const names = typeof body === 'object' && !Array.isArray(body) ? Object.keys(body) : null;
  if (names?.length === 0) return;
  const found = names ? names.slice(0, MAX_NAMED).map(shown).join(', ') : shown(body);
  throw refuse('', `The body has ${found}; allowed is none: filter and fields stand in the query here.`);
}

const MAX_NAMED = 10;
