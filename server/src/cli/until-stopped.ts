import type { RunningServer } from '../daemon/server.ts';

/** Ctrl-C reaches the process by itself and again through what started it: that is one signal, not two. */
const SAME_SIGNAL_MS = 500;

/** Waits for Ctrl-C or SIGTERM, then drains; a second signal, a moment later, ends the process at once. */
export async function untilStopped(server: RunningServer): Promise<void> {
  await new Promise<void>((resolve) => {
    let isFirst = true;
    const stop = () => {
      if (isFirst) setTimeout(() => process.off('SIGINT', stop).off('SIGTERM', stop), SAME_SIGNAL_MS).unref();
      isFirst = false;
      resolve();
    };
    process.on('SIGINT', stop).on('SIGTERM', stop);
  });
  await server.stop();
}
