import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { now } from '../../base/clock.ts';
import { Fault, refuse } from '../../base/errors.ts';
import { isFinal } from '../../run/run.ts';
import { callerOf, linksOf } from '../caller.ts';
import type { Caller, Desk } from '../desk.ts';
import type { DialectGround } from '../dialect.ts';
import { keptFiles } from '../phase.ts';
import { checkKeys, findKeys } from './keys.ts';
import type { Options } from './options.ts';
import { type Found, readExport, type Wanted, writeAsk } from './read.ts';
import { type ExportBody, extractSchemas, MAX_REACH, type PageQuery } from './schemas.ts';
import { findSite } from './site.ts';
import { findTexts } from './texts.ts';
import { type Minting, statusOf, writeFailure, writeJob, writeUrls } from './write.ts';

type Ground = DialectGround<Options>;

type ById = { Params: { id: string } };

const POLL = { 'retry-after': '1' };

export function extractRoutes(app: FastifyInstance, ground: Ground): void {
  createRoute(app, ground);
  listRoute(app, ground);
  lookRoutes(app, ground);
}

function createRoute(app: FastifyInstance, { desk, options }: Ground): void {
  app.post<{ Body: ExportBody }>('/extract/evidence', { schema: extractSchemas.create }, async (request, reply) => {
    const caller = callerOf(request);
    const { body } = request;
    const site = await findSite(desk, caller, options);
    const wanted = readExport(body, { now: now(), options, site });
    const found = await findOut(desk, caller, wanted);
    const asked = { wanted, body, found };
    const accepted = await desk.create(caller, writeAsk(asked, { options, site, reference: newReference() }));
    reply.code(201).headers(POLL);
    return writeJob(accepted);
  });
}

/** What stands in the source and shapes the export: custom fields as columns, texts of contracts. */
async function findOut(desk: Desk, caller: Caller, wanted: Wanted): Promise<Found> {
  const { window, filter, wantsAllCustom, exportTypes } = wanted;
  const wantsTexts = exportTypes.includes('clickwrap_activities_as_pdfs');
  const [custom, texts] = await Promise.all([
    wantsAllCustom ? findKeys(desk, caller, { group: 'custom', window, filter }) : null,
    wantsTexts ? findTexts(desk, caller, { window, filter }) : {},
  ]);
  return { custom: custom && checkKeys(custom), texts };
}

/** An id as the vendor's are: 24 hex digits. */
export function newReference(): string {
  return randomBytes(12).toString('hex');
}

/** Before all jobs. */
const EVER = '1970-01-01T00:00:00.000Z';

function listRoute(app: FastifyInstance, { desk }: Ground): void {
  app.get<{ Querystring: PageQuery }>('/extract/evidence', { schema: extractSchemas.list }, async (request) => {
    const caller = callerOf(request);
    const { page, per_page } = request.query;
    const offset = offsetOf(request.query);
    const [found, total_count] = await Promise.all([
      desk.jobs(caller, { dialects: ['ironclad'], offset, limit: per_page + 1 }),
      desk.countJobs(caller, 'ironclad', EVER),
    ]);
    const data = found.slice(0, per_page).map(writeJob);
    return { page, per_page, count: data.length, total_count, has_more: found.length > per_page, data };
  });
}

/** What lies before a page. Throws `request.invalid` for one that ends too far from the first. */
export function offsetOf({ page, per_page }: PageQuery): number {
  if (page * per_page <= MAX_REACH) return (page - 1) * per_page;
  const last = Math.floor(MAX_REACH / per_page);
  throw refuse('/page', `Pages reach ${MAX_REACH} items; allowed with this per_page are pages up to ${last}.`);
}

function lookRoutes(app: FastifyInstance, ground: Ground): void {
  app.get<ById>('/extract/evidence/:id', { schema: extractSchemas.one }, async (request, reply) => {
    const found = await findJob(request, ground.desk);
    if (!isFinal(found.run.state)) reply.headers(POLL);
    return writeJob(found);
  });

  app.get<ById>('/extract/evidence/:id/urls', { schema: extractSchemas.urls }, async (request) => {
    const found = await findJob(request, ground.desk);
    const status = statusOf(found.run);
    if (status === 'failed') return writeFailure(found.run);
    if (status !== 'success')
      throw refuse('', `The export is not finished: its status is ${status}; ask again once it is success.`);
    if (keptFiles(found.run, now()).length === 0)
      throw new Fault('route.unknown', 'The files of this export are not kept any more; create it again.');
    return writeUrls(found, mintingOf(request, ground));
  });
}

export function findJob(request: FastifyRequest<ById>, desk: Desk) {
  return desk.jobByReference(callerOf(request), 'ironclad', request.params.id);
}

export function mintingOf(request: FastifyRequest, ground: Ground): Minting {
  return { links: linksOf(request, ground), now: now(), lifeMs: ground.options.urlLife };
}
