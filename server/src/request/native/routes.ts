import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Fault } from '../../base/errors.ts';
import type { Principal } from '../../tenant/principal.ts';
import type { Desk } from '../desk.ts';
import { answerFile } from '../file-answer.ts';
import { datasetRoutes } from './dataset-routes.ts';
import { jobRoutes } from './job-routes.ts';
import { registerOpenapi } from './openapi.ts';
import { runRoutes } from './run-routes.ts';
import { fileSchemas, healthSchemas } from './schemas.ts';
import { FILES } from './write.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose key it came with; null on routes that need none. */
    principal: Principal | null;
    /** The body of a create before defaults were filled in. */
    sent: unknown;
  }
}

export async function routes(app: FastifyInstance, desk: Desk): Promise<void> {
  app.decorateRequest('principal', null);
  app.decorateRequest('sent', null);
  await registerOpenapi(app);
  openRoutes(app, desk);
  await app.register((keyed, _options, done) => {
    keyed.addHook('onRequest', async (request) => {
      request.principal = await desk.principalOf(readKey(request), 'native');
      await desk.limits.take(request.principal);
    });
    datasetRoutes(keyed, desk);
    jobRoutes(keyed, desk);
    runRoutes(keyed, desk);
    done();
  });
}

/** What needs no key. */
function openRoutes(app: FastifyInstance, desk: Desk): void {
  app.get('/health', { schema: healthSchemas.health }, async () => ({ status: 'ok' as const }));
  app.get('/ready', { schema: healthSchemas.ready }, async () => {
    if (await desk.ready()) return { status: 'ready' as const };
    throw new Fault('maintenance', 'The server is not ready.', { retryAfterMs: 1000 });
  });
  app.get('/.well-known/drayage-manifest-key', { schema: healthSchemas.manifestKey }, async () => desk.manifestKey);
  app.get<{ Params: { id: string }; Querystring: Record<string, unknown> }>(
    `${FILES}/:id/:name`,
    { schema: fileSchemas },
    async (request, reply) => answerFile(await desk.openLink(request.params.id, request.query), request, reply),
  );
}

function readKey({ headers }: FastifyRequest): string {
  const [, key] = /^Bearer ([\x21-\x7e]{1,200})$/i.exec(headers.authorization ?? '') ?? [];
  if (key === undefined) throw new Fault('auth.missing', 'An API key is needed: Authorization: Bearer <key>.');
  return key;
}
