import { Fault, recordOf } from '../base/errors.ts';
import type { Dataset } from '../dataset/dataset.ts';
import { declareDataset, declaredTypes } from '../dataset/declare.ts';
import type { ParsedConfig } from '../job/config.ts';
import type { SourceOptions } from '../source/options.ts';
import type { SourceShape } from '../source/source.ts';
import type { EngineVersions, Limits } from './plan.ts';
import type { Pool } from './pool.ts';
import type { Worker } from './worker.ts';

export interface Described {
  readonly dataset: Dataset;
  readonly shape: SourceShape;
  readonly engine: EngineVersions;
}

export interface CatalogGround {
  readonly config: Pick<ParsedConfig, 'datasets'>;
  /** Folder relative paths in the configuration start at. */
  readonly folder: string;
  readonly limits: Limits;
}

/** How long a source may take to say what it has when nobody waits for it. */
const DESCRIBE_MS = 30_000;

/** The declared datasets with the columns their sources were last found to have. */
export class Catalog {
  readonly #ground: CatalogGround;
  readonly #datasets = new Map<string, Dataset>();
  /** Those whose source was read and does not have what is declared of it. */
  readonly #misdeclared = new Set<string>();
  readonly #warnings = new Map<string, string>();

  constructor(ground: CatalogGround) {
    this.#ground = ground;
  }

  /** Looks at every source that has not been described yet, and tells what failed, by dataset. */
  async load(pool: Pool): Promise<Map<string, unknown>> {
    const failed = new Map<string, unknown>();
    for (const name of Object.keys(this.#ground.config.datasets)) {
      if (this.#datasets.has(name)) continue;
      await pool
        .use(async (worker) => {
          // A dead mount answers nothing at all; the others must not wait for it.
          using _ = worker.endOn(AbortSignal.timeout(DESCRIBE_MS));
          await this.describe(name, worker);
        })
        .catch((error: unknown) => failed.set(name, error));
    }
    return failed;
  }

  /** The source as it is now, and the dataset made of it. */
  async describe(name: string, worker: Worker): Promise<Described> {
    const { folder, limits } = this.#ground;
    const declaration = this.#declaration(name);
    const ask = { options: declaration.source, types: declaredTypes(declaration), folder };
    this.#misdeclared.delete(name);
    try {
      const { shape, engine } = await worker.describe(ask, limits);
      const dataset = declareDataset(name, declaration, shape.columns);
      this.#datasets.set(name, dataset);
      this.#warn(name, shape);
      return { dataset, shape, engine };
    } catch (error) {
      if (error instanceof Fault && error.code === 'request.invalid') this.#misdeclared.add(name);
      throw error;
    }
  }

  /** Columns that nothing has are legal: rows may be sparse, or there are none yet. A name may be misspelt as well. */
  #warn(name: string, { columns }: SourceShape): void {
    const [absent, found] = [true, false].map((is) => columns.filter(({ isAbsent = false }) => isAbsent === is));
    this.#warnings.delete(name);
    if (!absent?.length || !found?.length) return;
    const text = `No row has ${namesOf(absent)}, so that is NULL everywhere; rows have ${namesOf(found)}.`;
    this.#warnings.set(name, text);
  }

  /** What looks wrong of datasets that can be served, by dataset. */
  get warnings(): ReadonlyMap<string, string> {
    return this.#warnings;
  }

  #declaration(name: string) {
    const { datasets } = this.#ground.config;
    const declaration = Object.hasOwn(datasets, name) ? datasets[name] : undefined;
    if (!declaration) throw new Fault('dataset.unknown', 'The dataset is not declared any more.');
    return declaration;
  }

  /** How a dataset's source is reached. */
  access(name: string): SourceOptions {
    return this.#declaration(name).source;
  }

  /** Every dataset that could be described, by name. */
  list(): readonly Dataset[] {
    return [...this.#datasets.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * Throws `dataset.unknown`, naming those `offered`, `source.unreachable` for one whose source could not be described
   * yet, `source.refused` for one that is declared wrongly.
   */
  dataset(name: string, offered = this.list()): Dataset {
    const dataset = this.#datasets.get(name);
    if (dataset) return dataset;
    if (this.#misdeclared.has(name))
      throw new Fault('source.refused', "The dataset's source does not have what is declared of it.");
    if (Object.hasOwn(this.#ground.config.datasets, name))
      throw new Fault('source.unreachable', 'The dataset cannot be read at the moment.', { retryAfterMs: 30_000 });
    throw new Fault(
      'dataset.unknown',
      `There is no such dataset; there are ${offered.map((each) => each.name).join(', ') || 'none'}.`,
      {
        pointer: '/dataset',
      },
    );
  }
}

function namesOf(columns: readonly { readonly name: string }[]): string {
  const names = columns.slice(0, 40).map(({ name }) => JSON.stringify(name));
  return `${names.join(', ')}${columns.length > 40 ? ' …' : ''}`;
}

/** What is logged of a dataset that could not be described. */
export function describeFailure(error: unknown): object {
  const { code, message, detail } = recordOf(error);
  return { code, message, detail };
}
