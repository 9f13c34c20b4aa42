import { refuse } from '../../base/errors.ts';
import { FILTER_LIMITS } from '../../dataset/filter.ts';
import type { CoreTest } from './filter-operators.ts';

/** Counts nodes as the core does, so that its limit is told with their place. */
export class NodeCount {
  #nodes = 0;

  add(pointer: string): void {
    this.#nodes++;
    if (this.#nodes > FILTER_LIMITS.nodes)
      throw refuse(pointer, `The filter has more than ${FILTER_LIMITS.nodes} fields and levels.`);
  }
}

/** One object of the core's filter while it is put together. */
export class FilterLevel {
  readonly #nodes: NodeCount;
  readonly #depth: number;
  readonly #tests = new Map<string, Map<string, unknown>>();
  readonly #combined = new Map<string, unknown>();
  /** Tests whose place in the object is taken: they go beside it, one level down. */
  readonly #beside: object[] = [];

  constructor(nodes: NodeCount, depth: number) {
    this.#nodes = nodes;
    this.#depth = depth;
  }

  combine(combinator: string, value: unknown, pointer: string): void {
    if (this.#combined.has(combinator))
      throw refuse(pointer, `${combinator} stands here twice, with $ and without; allowed is one of them.`);
    this.#combined.set(combinator, value);
  }

  test({ name, verb, operand }: CoreTest, pointer: string): void {
    this.#nodes.add(pointer);
    const tests = this.#tests.get(name) ?? new Map<string, unknown>();
    if (!tests.has(verb)) {
      this.#tests.set(name, tests.set(verb, operand));
      return;
    }
    this.#nodes.add(pointer);
    if (this.#depth === FILTER_LIMITS.depth)
      throw refuse(pointer, `${name} is asked about twice, which at level ${FILTER_LIMITS.depth} cannot be said.`);
    this.#beside.push({ [name]: { [verb]: operand } });
  }

  filter(): object {
    const tests = [...this.#tests].map(([name, verbs]) => [name, Object.fromEntries(verbs)]);
    const and = this.#combined.get('and');
    const all = [...(Array.isArray(and) ? and : []), ...this.#beside];
    return { ...Object.fromEntries([...tests, ...this.#combined]), ...(all.length === 0 ? {} : { and: all }) };
  }
}
