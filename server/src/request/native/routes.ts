import type { FastifyInstance } from 'fastify';
import { Fault } from '../../base/errors.ts';
import { keyBehind } from '../caller.ts';
import type { Desk } from '../desk.ts';
import type { DialectGround } from '../dialect.ts';
import { fileRoute } from '../file-answer.ts';
import { registerOpenapi } from '../openapi.ts';
import { datasetRoutes } from './dataset-routes.ts';
import { jobRoutes } from './job-routes.ts';
import { runRoutes } from './run-routes.ts';
import { fileSchemas, healthSchemas } from './schemas.ts';
import { NATIVE_FILES } from './write.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The body of a create before defaults were filled in. */
    sent: unknown;
  }
}

export async function routes(app: FastifyInstance, ground: DialectGround): Promise<void> {
  const { desk } = ground;
  app.decorateRequest('sent', null);
  await registerOpenapi(app, {
    baseUrl: ground.baseUrl,
    title: 'Drayage',
    version: '1',
    description: 'Bulk exports that are complete, verified and yours alone.',
    security: { key: { type: 'http', scheme: 'bearer' } },
  });
  openRoutes(app, desk);
  await app.register((keyed, _options, done) => {
    keyed.addHook('onRequest', async (request) => {
      const key = keyBehind('Bearer', request);
      if (key === undefined) throw new Fault('auth.missing', 'An API key is needed: Authorization: Bearer <key>.');
      request.principal = await desk.principalOf(key, 'native');
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
  fileRoute(app, desk, { path: NATIVE_FILES, schema: fileSchemas });
}
