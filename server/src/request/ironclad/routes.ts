import type { FastifyInstance } from 'fastify';
import type { DialectGround } from '../dialect.ts';
import { fileRoute } from '../file-answer.ts';
import { registerOpenapi } from '../openapi.ts';
import { activityRoutes } from './activity-routes.ts';
import { authenticate } from './admission.ts';
import { Allowances } from './allowance.ts';
import { extractRoutes } from './extract-routes.ts';
import type { Options } from './options.ts';
import { recordRoutes } from './record-routes.ts';
import { taskRoutes } from './task-routes.ts';

export async function routes(app: FastifyInstance, ground: DialectGround<Options>): Promise<void> {
  const { desk, options, baseUrl } = ground;
  const allowances = new Allowances(options);
  await registerOpenapi(app, {
    baseUrl,
    title: 'Clickwrap REST API',
    version: 'v1.1',
    description: 'Evidence exports and activities as Ironclad Clickwrap has them, served by Drayage.',
    security: { key: { type: 'http', scheme: 'bearer' } },
  });
  fileRoute(app, desk);
  await app.register(
    (keyed, _options, done) => {
      keyed.addHook('onRequest', async (request) => {
        request.principal = await authenticate(request, desk, allowances);
      });
      extractRoutes(keyed, ground);
      taskRoutes(keyed, ground);
      activityRoutes(keyed, ground);
      recordRoutes(keyed, desk);
      done();
    },
    { prefix: '/v1.1' },
  );
}
