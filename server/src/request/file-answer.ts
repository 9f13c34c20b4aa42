import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify';
import parseRange from 'range-parser';
import type { Desk, OpenedFile } from './desk.ts';
import { FILES } from './link.ts';

/** A stretch of a file, last byte included. */
interface Stretch {
  readonly start: number;
  readonly end: number;
}

interface FileRoute {
  /** Left out, `FILES`. */
  readonly path?: string;
  /** Left out, the route stands in no document. */
  readonly schema?: FastifySchema;
}

/** Where links of a dialect point. They need no key, so it stands outside the keyed routes. */
export function fileRoute(app: FastifyInstance, desk: Desk, { path = FILES, schema = { hide: true } }: FileRoute = {}) {
  app.get<{ Params: { id: string; name: string }; Querystring: Record<string, unknown> }>(
    `${path}/:id/:name`,
    { schema },
    async (request, reply) => answerFile(await desk.openLink(request.params, request.query), request, reply),
  );
}

/** Answers GET and HEAD of a file by RFC 9110: ranges, conditions, an ETag that is its sha-256. */
async function answerFile(opened: OpenedFile, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { file } = opened;
  const etag = `"${file.sha256}"`;
  const isSame = names(request.headers['if-none-match'], etag);
  const stretch = isSame ? null : readRange(request, etag, file.bytes);
  // Opened before anything is said of the file: an error must not carry its headers.
  const body = isSame || stretch === 'outside' ? undefined : await openBody(opened, request, stretch);
  reply.headers({
    etag,
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-store',
    'x-content-type-options': 'nosniff',
    'content-disposition': `attachment; filename="${opened.name.replaceAll(/["\\]/g, '_')}"`,
    'repr-digest': `sha-256=:${Buffer.from(file.sha256, 'hex').toString('base64')}:`,
  });
  if (isSame) return reply.code(304).send();
  if (stretch === 'outside') return reply.code(416).header('content-range', `bytes */${file.bytes}`).send();
  const { start, end } = stretch ?? wholeOf(file.bytes);
  reply.code(stretch ? 206 : 200).headers({
    'content-type': file.mediaType,
    'content-length': String(end - start + 1),
    ...(stretch ? { 'content-range': `bytes ${start}-${end}/${file.bytes}` } : {}),
  });
  return reply.send(body);
}

/** The bytes to be sent, noted in the audit; none for HEAD. A stream, so that the framework leaves the headers alone. */
async function openBody({ file, path, note }: OpenedFile, { method, id }: FastifyRequest, stretch: Stretch | null) {
  if (method === 'HEAD') return Readable.from([]);
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    if (size !== file.bytes) throw new Error(`${path} has ${size} bytes instead of ${file.bytes}.`);
    // A download by ranges is one download.
    if ((stretch?.start ?? 0) === 0) await note(id);
  } catch (error) {
    await handle.close();
    throw error;
  }
  if (file.bytes > 0)
    return handle.createReadStream({ ...(stretch ?? wholeOf(file.bytes)), highWaterMark: 256 * 1024 });
  await handle.close();
  return Readable.from([]);
}

function wholeOf(bytes: number): Stretch {
  return { start: 0, end: bytes - 1 };
}

/** Several ranges are answered with the whole file, as the RFC allows; only GET has ranges, and only of bytes. */
function readRange({ method, headers }: FastifyRequest, etag: string, bytes: number): Stretch | 'outside' | null {
  const condition = headers['if-range'];
  if (method !== 'GET' || !headers.range?.startsWith('bytes=') || (condition !== undefined && condition !== etag))
    return null;
  // The parser refuses a suffix longer than the file, by which the RFC means all of it.
  if (bytes > 0 && Number(/^bytes=-(\d+)$/.exec(headers.range)?.[1]) > bytes) return wholeOf(bytes);
  const ranges = parseRange(bytes, headers.range);
  if (ranges === -1) return 'outside';
  const [only] = ranges === -2 ? [] : ranges;
  return only && ranges !== -2 && ranges.length === 1 ? only : null;
}

function names(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((each) => ['*', etag].includes(each.trim().replace(/^W\//, '')));
}
