import type { Log } from '../base/log.ts';
import type { TickingDaemon } from './daemon.ts';

/** Calls `tick` at once, then again and again so many milliseconds after it ended, or when nudged. */
export class Rounds {
  readonly #daemon: Pick<TickingDaemon, 'tick'>;
  readonly #everyMs: number;
  readonly #log: Log;
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> | null = null;
  #isRunning = false;
  #isNudged = false;

  constructor(daemon: Pick<TickingDaemon, 'tick'>, everyMs: number, log: Log) {
    this.#daemon = daemon;
    this.#everyMs = everyMs;
    this.#log = log;
  }

  start(): void {
    this.#isRunning = true;
    this.nudge();
  }

  /** The next round comes now, or right after the one that goes on. */
  nudge(): void {
    if (!this.#isRunning) return;
    if (this.#round !== null) {
      this.#isNudged = true;
      return;
    }
    if (this.#timer) clearTimeout(this.#timer);
    this.#round = this.#run();
  }

  /** Resolves when no round goes on. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#round;
  }

  async #run(): Promise<void> {
    this.#isNudged = false;
    try {
      await this.#daemon.tick();
    } catch (error) {
      this.#log.error({ err: error }, 'round failed');
    }
    this.#round = null;
    if (this.#isNudged) this.nudge();
    else if (this.#isRunning) this.#timer = setTimeout(() => this.nudge(), this.#everyMs);
  }
}
