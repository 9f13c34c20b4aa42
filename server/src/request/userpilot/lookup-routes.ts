import type { RouteOptions } from 'fastify';
import { Fault } from '../../base/errors.ts';
import type { Shape } from '../../dataset/shape.ts';
import { callerOf } from '../caller.ts';
import type { Caller, Desk } from '../desk.ts';
import type { DialectGround } from '../dialect.ts';
import type { UserpilotOptions } from './options.ts';
import { readPage } from './read.ts';
import { listSchemas, pageSchemas } from './schemas.ts';
import { lookupName } from './shapes.ts';
import { EXPORTS, writeItem, writePage } from './write.ts';

/** What one read gives at most. */
const MAX_ROWS = 10_000;

/** Counting reads every id, so who turns pages quickly is told a total that may be this old. */
const COUNT_MS = 30_000;

export function lookupRoutes(
  add: (route: RouteOptions) => void,
  { desk, options }: DialectGround<UserpilotOptions>,
): void {
  for (const [shape, schema] of listSchemas)
    add({
      method: 'GET',
      url: urlOf(shape),
      schema,
      handler: async (request) => listed(desk, callerOf(request), shape),
    });
  for (const [shape, schema] of pageSchemas)
    add({
      method: 'GET',
      url: urlOf(shape),
      schema,
      handler: async (request) => {
        const query = request.query as { after_cursor?: string; before_cursor?: string };
        return paged(desk, callerOf(request), { shape, query, limit: options.pageSize });
      },
    });
}

function urlOf(shape: Shape): string {
  return `${EXPORTS}/lookups/${lookupName(shape)}`;
}

async function listed(desk: Desk, caller: Caller, shape: Shape) {
  const rows = await desk.read(caller, { ...wanted(shape), order: shape.key, limit: MAX_ROWS });
  // One that is full may be short.
  if (rows.length === MAX_ROWS) throw new Fault('source.refused', `${shape.name} has too many rows for one list.`);
  return rows.map((row) => writeItem(row, shape));
}

interface PagedAsk {
  readonly shape: Shape;
  readonly query: { readonly after_cursor?: string; readonly before_cursor?: string };
  readonly limit: number;
}

async function paged(desk: Desk, caller: Caller, { shape, query, limit }: PagedAsk) {
  const lookup = lookupName(shape);
  const ask = readPage(lookup, query);
  const isAfter = ask.side === 'after';
  const rows = await desk.read(caller, {
    ...wanted(shape),
    ...(ask.id === null ? {} : { filter: { id: { [isAfter ? 'gt' : 'lt']: ask.id } } }),
    order: [isAfter ? 'id' : '-id'],
    limit: limit + 1,
  });
  return writePage(shape, lookup, { rows, ask, limit, total: await count(desk, caller, shape) });
}

function wanted({ name, columns }: Shape) {
  return { dataset: name, columns: columns.map((column) => column.name) };
}

async function count(desk: Desk, caller: Caller, { name }: Shape): Promise<number> {
  let total = 0;
  let filter: object | undefined;
  for (;;) {
    const rows = await desk.read(caller, {
      dataset: name,
      columns: ['id'],
      order: ['id'],
      limit: MAX_ROWS,
      forMs: COUNT_MS,
      ...(filter && { filter }),
    });
    total += rows.length;
    if (rows.length < MAX_ROWS) return total;
    filter = { id: { gt: rows.at(-1)?.id } };
  }
}
