import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Fault } from '../../base/errors.ts';
import type { Principal } from '../../tenant/principal.ts';
import type { Desk } from '../desk.ts';
import type { DialectGround } from '../dialect.ts';
import { fileRoute } from '../file-answer.ts';
import { registerOpenapi } from '../openapi.ts';
import { datasetRoutes } from './dataset-routes.ts';
import { jobRoutes } from './job-routes.ts';
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

export async function routes(app: FastifyInstance, ground: DialectGround): Promise<void> {
  const { desk } = ground;
  app.decorateRequest('principal', null);
  app.decorateRequest('sent', null);
  await registerOpenapi(app, {
    title: 'Drayage',
    version: '1',
    description: 'Bulk exports that are complete, verified and yours alone.',
    security: { key: { type: 'http', scheme: 'bearer' } },
  });
  openRoutes(app, desk);
  await app.register((keyed, _options, done) => {
    keyed.addHook('onRequest', async (request) => {
      request.principal = await desk.principalOf(readKey(request), 'native');
      await desk.limits.take(request.principal);
    });
    datasetRoutes(keyed, desk);
    jobRoutes(keyed, ground);
    runRoutes(keyed, ground);
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
  fileRoute(app, desk, { path: FILES, schema: fileSchemas });
}

function readKey({ headers }: FastifyRequest): string {
  const [, key] = /^Bearer ([\x21-\x7e]{1,200})$/i.exec(headers.authorization ?? '') ?? [];
  if (key === undefined) throw new Fault('auth.missing', 'An API key is needed: Authorization: Bearer <key>.');
  return key;
}
