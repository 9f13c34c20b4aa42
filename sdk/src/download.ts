import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import type { DrayageClient } from './client.ts';
import { DrayageError, networkError } from './errors.ts';
import { withRetries } from './retry.ts';
import type { File } from './wire.ts';

export interface DownloadOptions {
  /** Ends the download, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** How often it goes on after a broken connection; 8 unless given. */
  readonly retries?: number;
  /** A connection that brings nothing for this long counts as broken; 60 s unless given. */
  readonly silenceMs?: number;
  /** Called with the bytes that are there, after every chunk. */
  readonly onProgress?: (bytes: number) => void;
}

/**
 * Downloads a file of a run to a path, in place of what is there. Only bytes whose count and sha-256
 * are those the run gives take that name; until then they have another one beside it, and whatever
 * goes wrong, that one is removed. Rejects with DrayageError: `client.damaged` for other bytes than
 * the run's, `file.expired` for a link whose time is over (the run has a new one).
 */
export async function download(
  client: DrayageClient,
  file: File,
  toPath: string,
  options: DownloadOptions = {},
): Promise<void> {
  const { signal, retries = 8 } = options;
  const temporary = `${toPath}.${randomUUID()}.part`;
  const handle = await open(temporary, 'ax');
  try {
    const part = new Part(handle);
    await withRetries(() => receive(client, file, part, options), { retries, signal });
    part.check(file);
    await handle.sync();
    await handle.close();
    await rename(temporary, toPath);
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
}

/** What has come in so far. */
class Part {
  readonly #handle: FileHandle;
  #hash = createHash('sha256');
  #bytes = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  get bytes(): number {
    return this.#bytes;
  }

  async add(chunk: Uint8Array): Promise<void> {
    await this.#handle.appendFile(chunk);
    this.#hash.update(chunk);
    this.#bytes += chunk.byteLength;
  }

  async clear(): Promise<void> {
    await this.#handle.truncate(0);
    this.#hash = createHash('sha256');
    this.#bytes = 0;
  }

  /** Once, when all is there. */
  check({ path, bytes, sha256 }: File): void {
    if (this.#bytes !== bytes) throw damaged(`${path} has other than the ${bytes} bytes the run wrote.`);
    if (this.#hash.digest('hex') !== sha256) throw damaged(`${path} has another sha-256 than the run gives.`);
  }
}

/** Goes on where the part ends. Throws `client.network` when the bytes end, or stay away, before the file is whole. */
async function receive(client: DrayageClient, file: File, part: Part, options: DownloadOptions): Promise<void> {
  const { signal, silenceMs = 60_000, onProgress } = options;
  if (part.bytes === file.bytes && file.bytes > 0) return;
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(networkError(`No bytes for ${silenceMs} ms.`)), silenceMs);
  try {
    const ends = signal ? AbortSignal.any([signal, silence.signal]) : silence.signal;
    for await (const chunk of chunksOf(await openRest(client, file, part, ends))) {
      await part.add(chunk);
      timer.refresh();
      onProgress?.(part.bytes);
      if (part.bytes > file.bytes) throw damaged(`${file.path} is longer than the ${file.bytes} bytes the run wrote.`);
    }
  } finally {
    clearTimeout(timer);
  }
  if (part.bytes < file.bytes) throw networkError(`The body ended after ${part.bytes} bytes of ${file.bytes}.`);
}

/** An answer with what the part lacks; with the whole file where the server gives no less. */
async function openRest(client: DrayageClient, file: File, part: Part, signal: AbortSignal): Promise<Response> {
  const response = await client.openFile(file, {
    from: part.bytes,
    // What is compressed on the way cannot be resumed by the bytes that came out.
    headers: { 'accept-encoding': 'identity' },
    signal,
  });
  if (part.bytes > 0 && !continues(response, part.bytes)) await part.clear();
  return response;
}

function continues({ status, headers }: Response, from: number): boolean {
  if (status !== 206) return false;
  if (headers.get('content-range')?.startsWith(`bytes ${from}-`)) return true;
  throw new DrayageError('The answer is another range than was asked for.', { status, code: 'client.answer' });
}

/** Tells failures of the connection, which may be resumed, from those of the disk. */
async function* chunksOf({ body }: Response): AsyncGenerator<Uint8Array, void, void> {
  const reader = body?.getReader();
  let isDone = false;
  try {
    while (reader) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        isDone = true;
        throw networkError(error);
      });
      isDone = done;
      if (done) return;
      yield value;
    }
  } finally {
    if (!isDone) await reader?.cancel();
  }
}

function damaged(message: string): DrayageError {
  return new DrayageError(message, { status: null, code: 'client.damaged' });
}
