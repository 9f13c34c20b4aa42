import type { FastifyInstance } from 'fastify';
import { callerOf } from '../caller.ts';
import type { Desk } from '../desk.ts';
import { datasetSchemas } from './schemas.ts';
import { writeDataset } from './write.ts';

export function datasetRoutes(app: FastifyInstance, desk: Desk): void {
  app.get('/v1/datasets', { schema: datasetSchemas.list }, async (request) => ({
    data: desk.datasets(callerOf(request)).map(writeDataset),
    next: null,
  }));

  app.get<{ Params: { dataset: string } }>('/v1/datasets/:dataset', { schema: datasetSchemas.one }, async (request) =>
    writeDataset(desk.dataset(callerOf(request), request.params.dataset)),
  );
}
