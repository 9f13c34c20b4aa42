import { type Catalog, describeFailure } from '../run/catalog.ts';
import type { Pool } from '../run/pool.ts';
import { type SweepGround, sweepOnce } from '../run/sweep.ts';
import type { TickingDaemon } from './daemon.ts';
import { Rounds } from './rounds.ts';

const EVERY_MS = 5000;

/** At the start and every hour or so. */
const FULL_ROUNDS = 720;

/** Sources that were away are looked for every minute. */
const LOAD_ROUNDS = 12;

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
  #round = 0;

  constructor(ground: SweeperGround) {
    this.#ground = ground;
    this.#rounds = new Rounds(this, EVERY_MS, ground.log);
  }

  async start(): Promise<void> {
    this.#rounds.start();
  }

  async tick(): Promise<number> {
    const { catalog, pool, log } = this.#ground;
    const round = this.#round++;
    const count = await sweepOnce(this.#ground, round % FULL_ROUNDS === 0);
    if (round % LOAD_ROUNDS === LOAD_ROUNDS - 1)
      for (const [dataset, error] of await catalog.load(pool))
        log.warn({ dataset, ...describeFailure(error) }, 'dataset');
    if (count > 0) this.#ground.swept();
    return count;
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }
}
