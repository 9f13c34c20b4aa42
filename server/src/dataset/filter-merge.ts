import { FILTER_LIMITS, type Filter, type Test, type Verb } from './filter.ts';

/**
 * The same filter with fewer tests: of one column or path, those for equality that any of which may hold (`or`),
 * or that all have to miss (`and`), are one. A thousand tests cost the engine a thousand times the memory of one.
 * For operands that fit.
 */
export function mergeTests(filter: Filter): Filter {
  if (filter.is === 'test') return filter;
  if (filter.is === 'not') return { is: 'not', of: mergeTests(filter.of) };
  const flat = filter.of.map(mergeTests).flatMap((each) => (each.is === filter.is ? each.of : [each]));
  const of = mergeAlike(flat, MERGED[filter.is]);
  const [only] = of;
  return only && of.length === 1 ? only : { is: filter.is, of };
}

/** By combinator: what a test becomes part of. */
const MERGED: Readonly<Record<'and' | 'or', Partial<Record<Verb, Verb>>>> = {
  or: { eq: 'in', in: 'in', anyOf: 'anyOf' },
  and: { ne: 'nin', nin: 'nin', noneOf: 'noneOf' },
};

function mergeAlike(filters: readonly Filter[], verbs: Partial<Record<Verb, Verb>>): readonly Filter[] {
  const groups = Map.groupBy(filters, (each) => {
    const verb = each.is === 'test' ? verbs[each.verb] : undefined;
    return each.is === 'test' && verb ? JSON.stringify([verb, each.column.name, ...each.path]) : each;
  });
  return [...groups.values()].flatMap((alike): readonly Filter[] => {
    const [first] = alike;
    const verb = first?.is === 'test' ? verbs[first.verb] : undefined;
    return first?.is === 'test' && verb && alike.length > 1 ? merged(first, verb, alike) : alike;
  });
}

function merged(first: Test, verb: Verb, alike: readonly Filter[]): readonly Test[] {
  const operands = [...new Set(alike.flatMap(operandsOf))];
  const count = Math.max(1, Math.ceil(operands.length / FILTER_LIMITS.listItems));
  return Array.from({ length: count }, (_, at) => ({
    ...first,
    verb,
    operand: operands.slice(at * FILTER_LIMITS.listItems, (at + 1) * FILTER_LIMITS.listItems),
  }));
}

function operandsOf(filter: Filter): readonly unknown[] {
  if (filter.is !== 'test') return [];
  return Array.isArray(filter.operand) ? filter.operand : [filter.operand];
}
