import type { Catalog } from '../run/catalog.ts';
import type { Pool } from '../run/pool.ts';
import { type SweepGround, sweepOnce } from '../run/sweep.ts';
import type { TickingDaemon } from './daemon.ts';
import { Rounds } from './rounds.ts';

const EVERY_MS = 5000;

export interface SweeperGround extends SweepGround {
  readonly catalog: Catalog;
  readonly pool: Pool;
  /** Called when runs may have become due. */
  swept(): void;
}

/** Clears up: leases that ran out, files over their life, what crashes left, sources that were away. */
export class SweeperDaemon implements TickingDaemon {
  readonly #ground: SweeperGround;
  readonly #rounds: Rounds;

  constructor(ground: SweeperGround) {
    this.#ground = ground;
    this.#rounds = new Rounds(this, EVERY_MS, ground.log);
  }

  async start(): Promise<void> {
    this.#rounds.start();
  }

  async tick(): Promise<number> {
    const count = await sweepOnce(this.#ground);
    await this.#ground.catalog.load(this.#ground.pool);
    if (count > 0) this.#ground.swept();
    return count;
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }
}
