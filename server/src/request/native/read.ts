import { createHash } from 'node:crypto';
import { jobRequestSchema } from '@drayage/sdk/wire';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { refuse } from '../../base/errors.ts';
import { isId } from '../../base/ids.ts';
import { parseInstant } from '../../column/parse-instant.ts';
import { type Ask, askedCompression, askedFormat, askedSplit, FORMAT_NAMES } from '../../job/ask.ts';
import type { CreateAsk } from '../desk.ts';

const formatName = z.enum(FORMAT_NAMES);

/** The body of a create with all that formats take. */
export const jobBody = jobRequestSchema.extend({
  format: z.union([formatName, askedFormat]).meta({ description: 'A name, or an object with options' }),
  compression: askedCompression.meta({ description: 'A name, or an object with a level' }),
  split: askedSplit.optional(),
});

export type JobBody = z.output<typeof jobBody>;

/** Their words → ours; `sent` is the body before defaults. Throws `request.invalid`. */
export function readCreate(body: JobBody, sent: unknown, idempotencyKey: string | undefined): CreateAsk {
  const { dataset, tenant, window = {}, filter, columns, distinct = false, order } = body;
  const { compression, split, destination = { type: 'download' } } = body;
  const format = typeof body.format === 'string' ? askedFormat.parse({ type: body.format }) : body.format;
  const ask: Ask = {
    dataset,
    window,
    filter,
    columns,
    distinct,
    order,
    outputs: [{ format, compression, ...(split && { split }) }],
    destinations: [destination],
  };
  return {
    dialect: 'native',
    tenant,
    ask,
    request: sent,
    idempotency: readIdempotency(idempotencyKey, sent),
    reference: null,
  };
}

/** The hash is the same whatever the order of the names in the body. */
export function readIdempotency(key: string | undefined, sent: unknown): CreateAsk['idempotency'] {
  if (key === undefined) return null;
  const bodyHash = createHash('sha256')
    .update(canonicalize(sent) ?? '')
    .digest('hex');
  return { key, bodyHash };
}

/** A cursor is the id of the last item before the page, in a form that says: opaque. */
export function writeCursor(id: string): string {
  return Buffer.from(id).toString('base64url');
}

export function readCursor(kind: 'job' | 'run', cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const id = Buffer.from(cursor, 'base64url').toString();
  if (!isId(kind, id) || writeCursor(id) !== cursor)
    throw refuse('/cursor', 'This is not a cursor of this list; allowed is `next` of the page before.');
  return id;
}

/** Both ends as instants are stored, so that they compare as text. Throws `request.invalid`. */
export function readSpan(
  from: string | undefined,
  to: string | undefined,
): { createdFrom?: string; createdTo?: string } {
  const createdFrom = from === undefined ? null : readInstant(from, '/createdFrom');
  const createdTo = to === undefined ? null : readInstant(to, '/createdTo');
  if (createdFrom !== null && createdTo !== null && createdTo <= createdFrom)
    throw refuse('/createdTo', 'The end must lie after the start.');
  return { ...(createdFrom === null ? {} : { createdFrom }), ...(createdTo === null ? {} : { createdTo }) };
}

function readInstant(text: string, pointer: string): string {
  return new Date(parseInstant(text, pointer)).toISOString();
}
