import { ticks } from '../base/clock.ts';
import { Fault } from '../base/errors.ts';
import type { Catalog, Described } from '../run/catalog.ts';
import type { Worker } from '../run/worker.ts';

/** A new file may match a pattern, or a link point elsewhere, which the pins of known files cannot tell. */
const FILES_KEPT_MS = 5000;

interface Kept extends Described {
  /** Tick from which on it is not used any more. */
  readonly until: number;
}

/**
 * What sources were last found to be. Whoever executes a plan looks at pins and signatures again, so a
 * description that is out of date ends as `source.changed`, never as rows of something else.
 */
export class Descriptions {
  readonly #catalog: Catalog;
  readonly #kept = new Map<string, Kept>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** The dataset as last described, or as it is now. Tells whether it is the former. */
  async describe(name: string, worker: Worker): Promise<{ described: Described; isKept: boolean }> {
    const kept = this.#kept.get(name);
    if (kept && ticks() < kept.until) return { described: kept, isKept: true };
    const described = await this.#describe(name, worker);
    const until = described.shape.live === null ? ticks() + FILES_KEPT_MS : Number.POSITIVE_INFINITY;
    this.#kept.set(name, { ...described, until });
    return { described, isKept: false };
  }

  forget(name: string): void {
    this.#kept.delete(name);
  }

  /** What is wrong with a source is the operator's to know: its words name paths and columns nobody else may see. */
  async #describe(name: string, worker: Worker): Promise<Described> {
    try {
      return await this.#catalog.describe(name, worker);
    } catch (error) {
      if (!(error instanceof Fault) || ['internal', 'run.memory', 'dataset.unknown'].includes(error.code)) throw error;
      const isThere = error.code !== 'source.unreachable';
      throw isThere
        ? new Fault('source.refused', "The dataset's source cannot be read as it is declared.", { cause: error })
        : new Fault('source.unreachable', "The dataset's source is not there.", { cause: error });
    }
  }
}
