import { ticks } from '../base/clock.ts';
import { type AttemptGround, carryOut } from '../run/attempt.ts';
import type { TickingDaemon } from './daemon.ts';
import { Rounds } from './rounds.ts';

/** Retries fall due, and other servers accept jobs, without anybody telling us. */
const POLL_MS = 500;

export interface WorkerGround extends Omit<AttemptGround, 'stopping'> {
  /** Runs at a time. */
  readonly atOnce: number;
  /** How long runs may go on after a stop before they go back to the queue. */
  readonly graceMs: number;
}

/** Claims runs and carries them out, as many at a time as it may. */
export class WorkerDaemon implements TickingDaemon {
  readonly #ground: WorkerGround;
  readonly #rounds: Rounds;
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(ground: WorkerGround) {
    this.#ground = ground;
    this.#rounds = new Rounds(this, POLL_MS, ground.log);
  }

  async start(): Promise<void> {
    this.#rounds.start();
  }

  /** There may be something to claim. */
  nudge(): void {
    this.#rounds.nudge();
  }

  /** Claims what there is and there is room for; does not wait for it to be carried out. */
  async tick(): Promise<number> {
    const { work, tiers, atOnce, log } = this.#ground;
    let claimed = 0;
    while (this.#running.size < atOnce) {
      const claim = await work.claim(tiers);
      if (!claim) break;
      claimed++;
      log.info({ run: claim.run, attempt: claim.attempt, tenant: claim.tenant }, 'claimed');
      const running = carryOut(claim, { ...this.#ground, stopping: this.#stopping.signal })
        .catch((error: unknown) => log.error({ err: error, run: claim.run }, 'attempt interrupted'))
        .finally(() => {
          this.#running.delete(running);
          this.nudge();
        });
      this.#running.add(running);
    }
    return claimed;
  }

  /** Resolves when nothing that was claimed goes on any more. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** No new claims; what runs has its grace time, then goes back to the queue. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
    const start = ticks();
    const timer = setTimeout(() => this.#stopping.abort(), this.#ground.graceMs);
    await this.idle();
    clearTimeout(timer);
    this.#ground.log.info({ ms: Math.round(ticks() - start) }, 'drained');
  }
}
