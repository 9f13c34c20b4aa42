import { fileURLToPath } from 'node:url';
import { Ground } from './ground.ts';
import { endMeasuring } from './measure.ts';

/** Does the work with a temporary folder that is gone at the end, also on Ctrl-C. Gives what the work gives. */
export async function withGround<T>(work: (ground: Ground) => Promise<T>): Promise<T> {
  const ground = new Ground();
  // Keys that sign manifests are made here instead of in the working directory.
  process.env.DRAYAGE_DATA = ground.data;
  // Ctrl-C comes twice, from the terminal and from npm: the second must not end this before all is cleaned up.
  let isStopping = false;
  const stop = (code: number) => {
    if (isStopping) return;
    isStopping = true;
    endMeasuring();
    void ground.close().finally(() => process.exit(code));
  };
  process.on('SIGINT', () => stop(130));
  process.on('SIGTERM', () => stop(143));
  process.on('SIGHUP', () => stop(129));
  try {
    return await work(ground);
  } finally {
    await ground.close();
  }
}

/** Path of a file in this folder. */
export function here(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** `3 min 12 s` since an instant of performance.now(). */
export function elapsed(since: number): string {
  const seconds = Math.round((performance.now() - since) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
