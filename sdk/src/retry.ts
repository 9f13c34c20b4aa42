import { DrayageError } from './errors.ts';

const FIRST_WAIT_MS = 500;
const LONGEST_BACKOFF_MS = 8_000;
/** Who is told to wait longer than this decides for himself. */
const LONGEST_RETRY_AFTER_MS = 60_000;

interface RetryOptions {
  /** Attempts after the first. */
  readonly retries: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Attempts again after failed connections and answers 429 and 503, each time later, and not before
 * the server said. Throws the last error, any other error at once, and the signal's reason once aborted.
 */
export async function withRetries<Result>(
  attempt: () => Promise<Result>,
  { retries, signal }: RetryOptions,
): Promise<Result> {
  for (let tried = 0; ; tried++) {
    try {
      signal?.throwIfAborted();
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      const waitMs = tried < retries ? waitAfter(error, tried) : null;
      if (waitMs === null) throw error;
      await pause(waitMs, signal);
    }
  }
}

/** Throws the signal's reason as soon as it is aborted. */
export function pause(waitMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, waitMs);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** Null for what will not be different the next time. */
function waitAfter(error: unknown, tried: number): number | null {
  if (!(error instanceof DrayageError)) return null;
  const { code, status, retryAfterMs = 0 } = error;
  const mayPass = code === 'client.network' || [429, 502, 503, 504].includes(status ?? 0);
  if (!mayPass || retryAfterMs > LONGEST_RETRY_AFTER_MS) return null;
  const backoffMs = Math.min(LONGEST_BACKOFF_MS, FIRST_WAIT_MS * 2 ** tried);
  // Many clients refused at once do not come back at once.
  return Math.max(retryAfterMs, backoffMs * (0.75 + Math.random() / 4));
}
