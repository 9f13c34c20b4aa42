import type { FastifyInstance } from 'fastify';
import type { DialectGround } from '../dialect.ts';
import { fileRoute } from '../file-answer.ts';
import { registerOpenapi } from '../openapi.ts';
import { activityRoutes } from './activity-routes.ts';
import { Allowances } from './allowance.ts';
import { authenticate } from './caller.ts';
import { extractRoutes } from './extract-routes.ts';
import type { Options } from './options.ts';
import { recordRoutes } from './record-routes.ts';
import { taskRoutes } from './task-routes.ts';

/** Where file links point. */
const FILES = '/files';

export async function routes(app: FastifyInstance, ground: DialectGround<Options>): Promise<void> {
  const { desk, options, baseUrl } = ground;
  const allowances = new Allowances(options);
  app.decorateRequest('principal', null);
  await registerOpenapi(app, {
    title: 'Clickwrap REST API',
    version: 'v1.1',
    description: 'Evidence exports and activities as Ironclad Clickwrap has them, served by Drayage.',
    security: { Bearer: { type: 'http', scheme: 'bearer' } },
  });
  fileRoute(app, desk, { path: FILES, schema: { hide: true } });
  await app.register(
    (keyed, _options, done) => {
      keyed.addHook('onRequest', async (request) => {
        request.principal = await authenticate(request, desk, allowances);
      });
      const files = `${baseUrl}${FILES}`;
      extractRoutes(keyed, ground, files);
      taskRoutes(keyed, ground, files);
      activityRoutes(keyed, ground);
      recordRoutes(keyed, desk);
      done();
    },
    { prefix: '/v1.1' },
  );
}
