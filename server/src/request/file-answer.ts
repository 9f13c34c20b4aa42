import { type FileHandle, open } from 'node:fs/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import parseRange from 'range-parser';
import type { OpenedFile } from './desk.ts';

/** A stretch of a file, last byte included. */
interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Answers GET and HEAD of a file by RFC 9110: ranges, conditions, an ETag that is its sha-256. */
export async function answerFile(
  opened: OpenedFile,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { file, path } = opened;
  const etag = `"${file.sha256}"`;
  reply.headers({
    etag,
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-store',
    'x-content-type-options': 'nosniff',
    'content-disposition': `attachment; filename="${file.path.replaceAll(/["\\]/g, '_')}"`,
    'repr-digest': `sha-256=:${Buffer.from(file.sha256, 'hex').toString('base64')}:`,
  });
  if (names(request.headers['if-none-match'], etag)) return reply.code(304).send();
  const stretch = readRange(request, etag, file.bytes);
  if (stretch === 'outside') return reply.code(416).header('content-range', `bytes */${file.bytes}`).send();
  const { start, end } = stretch ?? { start: 0, end: file.bytes - 1 };
  reply.code(stretch ? 206 : 200).headers({
    'content-type': file.mediaType,
    'content-length': String(end - start + 1),
    ...(stretch ? { 'content-range': `bytes ${start}-${end}/${file.bytes}` } : {}),
  });
  if (request.method === 'HEAD') return reply.send();
  const handle = await open(path);
  await opened.note(request.id);
  return reply.send(file.bytes === 0 ? '' : streamOf(handle, { start, end }));
}

function streamOf(handle: FileHandle, { start, end }: Stretch) {
  return handle.createReadStream({ start, end, highWaterMark: 256 * 1024 });
}

/** Several ranges are answered with the whole file, as the RFC allows. */
function readRange({ headers }: FastifyRequest, etag: string, bytes: number): Stretch | 'outside' | null {
  const condition = headers['if-range'];
  if (headers.range === undefined || (condition !== undefined && condition !== etag)) return null;
  const ranges = parseRange(bytes, headers.range);
  if (ranges === -1) return 'outside';
  const [only] = ranges === -2 || ranges.type !== 'bytes' ? [] : ranges;
  return only && ranges !== -2 && ranges.length === 1 ? only : null;
}

function names(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((each) => ['*', etag].includes(each.trim().replace(/^W\//, '')));
}
