import { Fault, refuse } from '../../base/errors.ts';
import { FILTER_LIMITS } from '../../dataset/filter.ts';
import { type Field, type FilterFields, findField } from './filter-fields.ts';
import { NodeCount } from './filter-level.ts';
import { coreTest, kindOf, type Operator } from './filter-operators.ts';

const OPERATORS: Readonly<Record<string, Operator>> = {
  '==': '$eq',
  '!=': '$ne',
  '>=': '$gte',
  '<=': '$lte',
  '>': '$gt',
  '<': '$lt',
};

const ALLOWED = Object.keys(OPERATORS).join(', ');

/**
 * Reads the string form of a filter and gives the core's: terms `field==value` (also != > >= < <=)
 * joined by ` and ` in any case; no terms are no filter. A value ends at the next ` and ` unless it
 * stands in quotes, single or double, with a backslash before a quote or backslash in it; ` or `
 * stands in quotes alone. Throws `request.invalid` saying at which character.
 */
export function readStringFilter(text: string, fields: FilterFields): unknown {
  const bytes = Buffer.byteLength(text);
  if (bytes > FILTER_LIMITS.bytes)
    throw refuse('/filter', `The filter has ${bytes} bytes; allowed are ${FILTER_LIMITS.bytes}.`);
  if (!text.isWellFormed()) throw refuse('/filter', 'The filter is not well-formed Unicode.');
  if (text.trim() === '') return {};
  const filters = new StringReader(text, fields).terms();
  return filters.length === 1 ? filters[0] : { and: filters };
}

interface Value {
  readonly text: string;
  readonly isQuoted: boolean;
}

class StringReader {
  readonly #text: string;
  readonly #fields: FilterFields;
  readonly #nodes = new NodeCount();
  #at = 0;

  constructor(text: string, fields: FilterFields) {
    this.#text = text;
    this.#fields = fields;
  }

  terms(): readonly object[] {
    const terms = [this.#term()];
    this.#nodes.add('/filter');
    while (this.#at < this.#text.length) {
      this.#skipAnd();
      terms.push(this.#term());
    }
    return terms;
  }

  #term(): object {
    this.#skip(/\s*/y);
    const start = this.#at;
    const name = this.#skip(/[^\s=!<>"']*/y);
    const field = this.#located(start, () => this.#resolve(name));
    this.#skip(/\s*/y);
    const operator = this.#operator(name);
    this.#skip(/\s*/y);
    const from = this.#at;
    const value = this.#value();
    return this.#located(from, () => {
      this.#nodes.add('/filter');
      this.#nodes.add('/filter');
      const test = coreTest({ field, operator, operand: meant(value, field), pointer: '/filter' });
      return { [test.name]: { [test.verb]: test.operand } };
    });
  }

  #resolve(name: string): Field {
    const missing = 'A term is missing: a field, an operator and a value';
    if (name === '') throw refuse('/filter', `${missing}; allowed are terms joined by " and ".`);
    const names = name.split('.', FILTER_LIMITS.depth + 1);
    if (names.length > FILTER_LIMITS.depth)
      throw refuse('/filter', `The name has more than ${FILTER_LIMITS.depth} parts between dots.`);
    const field = findField(this.#fields, names);
    if (typeof field === 'string') throw refuse('/filter', `${field} A value with " and " in it goes into quotes.`);
    return field;
  }

  #operator(name: string): Operator {
    const at = this.#at;
    const found = this.#skip(/[=!<>]*/y);
    const operator = Object.hasOwn(OPERATORS, found) ? OPERATORS[found] : undefined;
    if (operator) return operator;
    const wrong = found === '' ? `${kindOf(name)} has no operator` : `${kindOf(found)} is not an operator`;
    throw this.#refusal(at, `${wrong}; allowed are ${ALLOWED}.`);
  }

  #value(): Value {
    const quote = this.#text[this.#at];
    if (quote === '"' || quote === "'") return { text: this.#quoted(quote), isQuoted: true };
    const from = this.#at;
    const and = /(?<=\s)and(?=\s|$)/gi;
    and.lastIndex = from;
    this.#at = and.exec(this.#text)?.index ?? this.#text.length;
    const text = this.#text.slice(from, this.#at).trim();
    if (text === '') throw this.#refusal(from, 'A value is missing; allowed for empty text is "".');
    const or = /(?<=\s)or(?=\s)/i.exec(text);
    if (or)
      throw this.#refusal(from + or.index, 'Terms are joined by " and " alone; " or " in a value goes into quotes.');
    return { text, isQuoted: false };
  }

  #quoted(quote: string): string {
    const from = this.#at + 1;
    let end = from;
    while (end < this.#text.length && this.#text[end] !== quote) end += this.#text[end] === '\\' ? 2 : 1;
    if (end >= this.#text.length) throw this.#refusal(this.#at, 'The quote that begins here has no end.');
    this.#at = end + 1;
    this.#skip(/\s*/y);
    return this.#text.slice(from, end).replace(/\\(["'\\])/g, '$1');
  }

  #skipAnd(): void {
    const at = this.#at;
    const isApart = /\s/.test(this.#text[at - 1] ?? '');
    const found = this.#skip(/and(?=\s|$)/iy);
    if (!isApart || found === '') throw this.#refusal(at, 'Behind a value in quotes allowed is " and " or the end.');
  }

  /** Steps over what the sticky pattern matches here and gives it. */
  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [found = ''] = pattern.exec(this.#text) ?? [];
    this.#at += found.length;
    return found;
  }

  #located<T>(at: number, read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw error instanceof Fault ? this.#refusal(at, error.message) : error;
    }
  }

  #refusal(at: number, message: string): Fault {
    // Characters as a reader counts them, from 1.
    const place = [...this.#text.slice(0, at)].length + 1;
    return refuse('/filter', `At character ${place}: ${message}`);
  }
}

const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/** Without quotes null is none; within JSON, and for columns that are no text, true, false and numbers are those. */
function meant({ text, isQuoted }: Value, { type, path }: Field): unknown {
  if (isQuoted) return text;
  if (text === 'null') return null;
  if (type.is === 'text') return text;
  if (text === 'true' || text === 'false') return text === 'true';
  return path.length > 0 && NUMBER.test(text) ? Number(text) : text;
}
