import { RE2JS } from 're2js';
import { refuse } from '../base/errors.ts';
import { readText, shown } from '../column/operand.ts';
import { FILTER_LIMITS, type Test, type Verb } from './filter.ts';

/** A longer pattern can make the regular expression engine allocate without bound. */
const MAX_PATTERN_CHARS = 1000;

/** SQL of the five comparisons, by verb. */
export const COMPARISONS: Partial<Record<Verb, string>> = { eq: '=', gt: '>', gte: '>=', lt: '<', lte: '<=' };

/** The operand of in. */
export function readItems({ operand, pointer }: Test): readonly unknown[] {
  if (!Array.isArray(operand)) throw refuse(pointer, `${shown(operand)} is not allowed here; allowed is a list.`);
  if (operand.length > FILTER_LIMITS.listItems) {
    throw refuse(pointer, `The list has ${operand.length} items; allowed are ${FILTER_LIMITS.listItems}.`);
  }
  return operand;
}

/** The operand of exists. */
export function readWanted({ operand, pointer }: Test): boolean {
  if (typeof operand !== 'boolean')
    throw refuse(pointer, `${shown(operand)} is not allowed here; allowed is true or false.`);
  return operand;
}

/** SQL of contains, startsWith or matches on an SQL text. */
export function textTest({ verb, operand, pointer }: Test, text: string): string {
  const wanted = readText(operand, pointer);
  if (verb === 'contains') return `contains(${text}, ${wanted})`;
  if (verb === 'startsWith') return `starts_with(${text}, ${wanted})`;
  if (String(operand).length > MAX_PATTERN_CHARS) {
    throw refuse(pointer, `The pattern has more than ${MAX_PATTERN_CHARS} characters.`);
  }
  checkPattern(String(operand), pointer);
  return `regexp_matches(${text}, ${wanted})`;
}

/** The engine has RE2 as well, but would only say so when a run begins; of named groups it knows `(?P<name>` alone. */
function checkPattern(pattern: string, pointer: string): void {
  const isNamed = /(?<!\\)\(\?</.test(pattern);
  if (!isNamed) {
    try {
      RE2JS.compile(pattern);
      return;
    } catch {
      // Its words would speak of Go.
    }
  }
  throw refuse(
    pointer,
    'This is not a regular expression of RE2: no lookaround, no backreferences, names as (?P<name>…).',
  );
}
