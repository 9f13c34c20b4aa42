import type { Dataset } from '../dataset/dataset.ts';
import type { Principal } from '../tenant/principal.ts';

/** Datasets with the columns their sources were last found to have. */
export interface DatasetList {
  list(): readonly Dataset[];
  /** Throws `dataset.unknown`, naming those that are offered, or `source.unreachable`. */
  dataset(name: string, offered: readonly Dataset[]): Dataset;
}

/** Datasets that fill a dialect's shapes are for keys that speak it; to others they are not there. */
export class Offer {
  readonly #catalog: DatasetList;
  readonly #dialects: ReadonlyMap<string, string>;

  /** `dialects`: the dialect of every shape, by the shape's name. */
  constructor(catalog: DatasetList, dialects: ReadonlyMap<string, string>) {
    this.#catalog = catalog;
    this.#dialects = dialects;
  }

  list(principal: Principal): readonly Dataset[] {
    return this.#catalog.list().filter(({ name }) => this.#isFor(principal, name));
  }

  find(principal: Principal, name: string): Dataset {
    // A name nobody can declare is not there for anybody.
    return this.#catalog.dataset(this.#isFor(principal, name) ? name : '', this.list(principal));
  }

  /** The dialect whose shape it fills, or null. */
  dialectOf(name: string): string | null {
    return this.#dialects.get(name) ?? null;
  }

  #isFor({ dialects }: Principal, name: string): boolean {
    const dialect = this.dialectOf(name);
    return dialect === null || dialects.includes(dialect);
  }
}
