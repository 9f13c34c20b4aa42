import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** The first thing wrong, with its place as an RFC 6901 pointer, in words of ours. */
export function firstIssue(error: z.ZodError): { pointer: string; message: string } {
  const issue = error.issues[0];
  if (!issue) return { pointer: '', message: 'The request is not valid.' };
  return describe(issue, []);
}

function describe(issue: Issue, above: readonly PropertyKey[]): { pointer: string; message: string } {
  const path = [...above, ...issue.path];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) return describe(closest(issue.errors), path);
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    return { pointer: pointerOf([...path, key]), message: `${shown(key)} is not known here.` };
  }
  if (issue.code === 'invalid_key')
    return { pointer: pointerOf(path), message: `${shown(String(path.at(-1)))} is not allowed as a name.` };
  return { pointer: pointerOf(path), message: `${issue.message.replace(/\.$/, '')}.` };
}

/** Of a union's branches, the one that the value came furthest into. */
function closest(branches: readonly (readonly Issue[])[]): Issue {
  const depth = (issues: readonly Issue[]) =>
    Math.max(0, ...issues.map(({ path, code }) => path.length + (code === 'invalid_type' ? 0 : 0.5)));
  const best = [...branches].filter((issues) => issues.length > 0).sort((a, b) => depth(b) - depth(a))[0];
  const [first] = best ?? [];
  if (!first) throw new Error('A union was refused without an issue.');
  return first;
}

/** RFC 6901. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function shown(name: string): string {
  return name.length > 100 ? 'That name' : `"${name}"`;
}
