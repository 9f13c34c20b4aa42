import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { Fault, refuse } from '../../base/errors.ts';
import { callerOf } from '../caller.ts';
import type { Caller, Desk } from '../desk.ts';
import { findRows, type Row } from './activities.ts';
import { ACTIVITY_COLUMNS } from './fields.ts';
import { activityLayout, CONTRACT_TEXT, sessionLayout } from './layout.ts';
import { recordSchemas } from './schemas.ts';
import { ACTIVITIES } from './shapes.ts';
import { readTexts } from './texts.ts';

/** Activities that the document of a session shows. */
const MAX_ACTIVITIES = 50;

interface RecordQuery {
  readonly filename?: string;
}

/** Documents of what is there, made when they are asked for. */
export function recordRoutes(app: FastifyInstance, desk: Desk): void {
  app.get<{ Params: { id: string }; Querystring: RecordQuery }>(
    '/activity/:id/record',
    { schema: recordSchemas.activity },
    async (request, reply) => {
      const caller = callerOf(request);
      const { id } = request.params;
      const [row] = await findRows(desk, caller, [id]);
      if (!row) throw new Fault('route.unknown', 'There is no such activity.');
      const texts = await textsOf(desk, caller, [row]);
      const record = { ...recordOf(row), [CONTRACT_TEXT]: texts[String(row.version)] ?? null };
      const document = await desk.document(record, activityLayout());
      return sendPdf(reply, document, request.query.filename ?? id);
    },
  );

  app.get<{ Params: { id: string }; Querystring: RecordQuery }>(
    '/activity/record/session/:id',
    { schema: recordSchemas.session },
    async (request, reply) => {
      const caller = callerOf(request);
      const { id } = request.params;
      const rows = await findSession(desk, caller, id);
      const texts = Object.entries(await textsOf(desk, caller, rows));
      const record = {
        name: nameOf(id),
        session: id,
        activities: rows.map(recordOf),
        ...Object.fromEntries(texts.map(([version, text]) => [`${CONTRACT_TEXT} ${version}`, text])),
      };
      const layout = sessionLayout(
        rows,
        texts.map(([version]) => version),
      );
      const document = await desk.document(record, layout);
      return sendPdf(reply, document, request.query.filename ?? `session-${record.name}`);
    },
  );
}

async function findSession(desk: Desk, caller: Caller, session: string): Promise<readonly Row[]> {
  const rows = await desk.read(caller, {
    dataset: ACTIVITIES.name,
    filter: { session: { eq: session } },
    columns: ACTIVITY_COLUMNS.map(({ name }) => name),
    order: ['created_time'],
    limit: MAX_ACTIVITIES + 1,
  });
  if (rows.length === 0) throw new Fault('route.unknown', 'There is no such session.');
  if (rows.length > MAX_ACTIVITIES)
    throw refuse(
      '/id',
      `The session has more than ${MAX_ACTIVITIES} activities; allowed are ${MAX_ACTIVITIES}: export them, filtered by session.`,
    );
  return rows;
}

function textsOf(desk: Desk, caller: Caller, rows: readonly Row[]) {
  const versions = rows.flatMap(({ version }) => (typeof version === 'string' ? version : []));
  return readTexts(desk, caller, [...new Set(versions)].sort());
}

/** A row as exports write it into documents: integers as text. */
function recordOf(row: Row): Row {
  return Object.fromEntries(
    ACTIVITY_COLUMNS.map(({ name, type }) => {
      const value = row[name] ?? null;
      return [name, type === 'int64' && value !== null ? String(value) : value];
    }),
  );
}

/** What a document may be named by. */
function nameOf(session: string): string {
  return /^[\w.-]{1,100}$/.test(session) ? session : createHash('sha256').update(session).digest('hex').slice(0, 24);
}

function sendPdf(reply: FastifyReply, document: Uint8Array, name: string): FastifyReply {
  const file =
    name
      .replace(/\.pdf$/i, '')
      .replaceAll(/[^\w.-]+/g, '_')
      .replace(/^\.+/, '')
      .slice(0, 100) || 'record';
  return reply
    .headers({
      'content-type': 'application/pdf',
      'content-disposition': `attachment; filename="${file}.pdf"`,
      'cache-control': 'private, no-store',
      'x-content-type-options': 'nosniff',
    })
    .send(Buffer.from(document));
}
