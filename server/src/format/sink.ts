/** Where a stream of bytes goes. Calls come one at a time: each waits for the promise of the one before. */
export interface ByteSink {
  /** Takes the bytes in; the caller may reuse their memory once the promise resolves. Rejects when they are lost. */
  write(bytes: Uint8Array): Promise<void>;
  /** No more bytes come. Resolves when all that was written is safely taken in. */
  end(): Promise<void>;
}
