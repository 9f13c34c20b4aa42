import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

interface Wrong {
  /** RFC 6901. */
  readonly pointer: string;
  readonly message: string;
  /** Whether what the pointer names was not sent at all. */
  readonly isMissing: boolean;
}

/** The first thing wrong, in words of ours. The error must tell its inputs. */
export function firstIssue(error: z.ZodError): Wrong {
  const issue = error.issues[0];
  if (!issue) return { pointer: '', message: 'The request is not valid.', isMissing: false };
  return describe(issue, []);
}

function describe(issue: Issue, above: readonly PropertyKey[]): Wrong {
  const path = [...above, ...issue.path];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) return describe(closest(issue.errors), path);
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    return { pointer: pointerOf([...path, key]), message: `${shown(key)} is not known here.`, isMissing: false };
  }
  const pointer = pointerOf(path);
  if (issue.code === 'invalid_key')
    return { pointer, message: `${shown(String(path.at(-1)))} is not allowed as a name.`, isMissing: false };
  const isAbsent = isMissing(issue);
  const message = isAbsent ? missing(path) : inWords(issue);
  return { pointer, message: `${message.replace(/\.$/, '')}.`, isMissing: isAbsent };
}

/** Of a union's branches, the one that the value came furthest into. */
function closest(branches: readonly (readonly Issue[])[]): Issue {
  const depth = (issues: readonly Issue[]) =>
    Math.max(0, ...issues.map(({ path, code }) => path.length + (CLOSENESS[code] ?? 0.5)));
  const best = [...branches].filter((issues) => issues.length > 0).sort((a, b) => depth(b) - depth(a))[0];
  const [first] = best ?? [];
  if (!first) throw new Error('A union was refused without an issue.');
  return first;
}

/** A name too many lies inside a value of the right kind. */
const CLOSENESS: Partial<Record<Issue['code'], number>> = { invalid_type: 0, unrecognized_keys: 1 };

function isMissing(issue: Issue): boolean {
  if (issue.code === 'invalid_union') return memberOf(issue.input, issue.path.at(-1)) === undefined;
  if (issue.code !== 'invalid_type' && issue.code !== 'invalid_value') return false;
  // Fastify gives null for a body that is not there.
  return issue.input === undefined || (issue.input === null && issue.path.length === 0);
}

/** What tells a union's branches apart lies one step inside its input. */
function memberOf(value: unknown, name: PropertyKey | undefined): unknown {
  return Object.entries(value ?? {}).find(([key]) => key === name)?.[1];
}

function missing(path: readonly PropertyKey[]): string {
  const name = path.at(-1);
  return name === undefined ? 'The body is missing; allowed is a JSON object' : `${shown(String(name))} is missing`;
}

function inWords(issue: Issue): string {
  // A schema that says it itself says it better.
  if (issue.message.startsWith('Allowed')) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return `Allowed is ${KINDS[issue.expected] ?? issue.expected}; this is ${kindOf(issue.input)}`;
    case 'invalid_value':
      return `${oneOf(issue.values)}; this is ${kindOf(issue.input)}`;
    case 'invalid_union':
      return `${oneOf('options' in issue ? (issue.options ?? []) : [])}; this is ${kindOf(memberOf(issue.input, issue.path.at(-1)))}`;
    case 'too_small':
      return `Allowed is no less than ${sized(issue.minimum, issue.origin)}${lengthOf(issue.input)}`;
    case 'too_big':
      return `Allowed is no more than ${sized(issue.maximum, issue.origin)}${lengthOf(issue.input)}`;
    default:
      return issue.message;
  }
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return value.length > 60 ? 'a longer text' : JSON.stringify(value);
  return typeof value === 'object' ? 'an object' : String(value);
}

function oneOf(values: readonly unknown[]): string {
  return `Allowed ${values.length === 1 ? 'is' : 'are'} ${values.map(String).join(', ')}`;
}

const UNITS: Readonly<Record<string, string>> = { string: 'character', array: 'item' };

function sized(limit: number | bigint, origin: string): string {
  const unit = UNITS[origin];
  return unit === undefined ? String(limit) : `${limit} ${unit}${Number(limit) === 1 ? '' : 's'}`;
}

/** Characters are code points, as where they are limited. */
function lengthOf(value: unknown): string {
  return typeof value === 'string' || Array.isArray(value) ? `; this has ${[...value].length}` : '';
}

/** RFC 6901. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function shown(name: string): string {
  return name.length > 100 ? 'That name' : `"${name}"`;
}
