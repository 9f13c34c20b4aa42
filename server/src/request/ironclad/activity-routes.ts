import type { FastifyInstance } from 'fastify';
import { later, now } from '../../base/clock.ts';
import { Fault } from '../../base/errors.ts';
import { callerOf } from '../caller.ts';
import type { Caller, Desk } from '../desk.ts';
import type { DialectGround } from '../dialect.ts';
import { findRows } from './activities.ts';
import { readFields } from './columns.ts';
import { offsetOf } from './extract-routes.ts';
import { CONNECTION, type DataGroup, FIELDS, STANDARD } from './fields.ts';
import { readStringFilter } from './filter-string.ts';
import { findKeys } from './keys.ts';
import type { Options } from './options.ts';
import { activitySchemas, MAX_REACH, type PageQuery } from './schemas.ts';
import { ACTIVITIES } from './shapes.ts';
import { findSite } from './site.ts';
import { readExpand, type View, writeActivity } from './write-activity.ts';

type Ground = DialectGround<Options>;

interface ShownQuery {
  readonly expand?: string;
  readonly fields?: string;
  readonly lean: boolean;
}

interface ListQuery extends ShownQuery, PageQuery {
  readonly filter?: string;
  readonly no_count: boolean;
}

export function activityRoutes(app: FastifyInstance, { desk, options }: Ground): void {
  app.get<{ Querystring: ListQuery }>('/activity', { schema: activitySchemas.list }, async (request) => {
    const caller = callerOf(request);
    const { query } = request;
    const view = viewOf(query);
    const { ids, hasMore, total } = await findIds(desk, caller, query);
    const [rows, site] = await Promise.all([findRows(desk, caller, ids), findSite(desk, caller, options)]);
    const data = rows.map((row) => writeActivity(row, view, site));
    const { page, per_page } = query;
    return { page, per_page, count: data.length, ...total, has_more: hasMore, data };
  });

  app.get<{ Params: { id: string }; Querystring: ShownQuery }>(
    '/activity/:id',
    { schema: activitySchemas.one },
    async (request) => {
      const caller = callerOf(request);
      const view = viewOf(request.query);
      const [row] = await findRows(desk, caller, [request.params.id]);
      if (!row) throw new Fault('route.unknown', 'There is no such activity.');
      return writeActivity(row, view, await findSite(desk, caller, options));
    },
  );

  exportFieldsRoute(app, { desk, options });
}

function viewOf({ expand, fields, lean }: ShownQuery): View {
  return { expand: readExpand(expand, lean), selection: fields === undefined ? null : readFields(fields) };
}

/** Ids of a page, newest first, and how many there are in all. */
async function findIds(desk: Desk, caller: Caller, query: ListQuery) {
  const offset = offsetOf(query);
  const end = offset + query.per_page;
  const filter = query.filter === undefined ? {} : { filter: readStringFilter(query.filter, FIELDS) };
  const ask = { dataset: ACTIVITIES.name, ...filter };
  const isLast = end === MAX_REACH;
  const [rows, total] = await Promise.all([
    desk.read(caller, { ...ask, columns: ['id'], order: ['-created_time'], limit: isLast ? end : end + 1 }),
    query.no_count && !isLast ? null : desk.count(caller, ask),
  ]);
  return {
    ids: rows.slice(offset, end).map(({ id }) => String(id)),
    hasMore: isLast ? (total ?? 0) > end : rows.length > end,
    total: query.no_count ? {} : { total_count: total },
  };
}

/** How long it is remembered which keys a site uses. */
const KEYS_MS = 60_000;

const DAY_MS = 86_400_000;

function exportFieldsRoute(app: FastifyInstance, { desk, options }: Pick<Ground, 'desk' | 'options'>): void {
  app.get<{ Params: { id: string } }>(
    '/sites/:id/exportFields',
    { schema: activitySchemas.exportFields },
    async (request) => {
      const caller = callerOf(request);
      const site = await findSite(desk, caller, options);
      if (request.params.id !== site.tenant) throw new Fault('route.unknown', 'There is no such site.');
      // To the day, so that the answer can be remembered.
      const today = `${now().slice(0, 10)}T00:00:00.000Z`;
      const window = { start: later(today, -site.maxDays * DAY_MS), clamp: true };
      const keysOf = (group: DataGroup) => findKeys(desk, caller, { group, window, forMs: KEYS_MS });
      const [custom, render] = await Promise.all([keysOf('custom'), keysOf('render')]);
      return { standard: STANDARD, connection: CONNECTION, custom, render };
    },
  );
}
