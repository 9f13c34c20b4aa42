import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Answer } from '../server-ground.ts';
import type { IroncladGround } from './ground.ts';

const FOLDER = new URL('../../src/request/ironclad/conversations/', import.meta.url);

/** Headers that mean something to a client. */
const TOLD = ['content-type', 'location', 'retry-after', 'cache-control', 'content-disposition'];

interface Exchange {
  readonly request: {
    readonly method: string;
    /** May hold placeholders of answers before. */
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: unknown;
  };
  /** Asked again until the answer's body has this status. */
  readonly until?: string;
  readonly answer: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  };
}

/** What may differ from one time to another, in the order it is looked for. */
const PLACEHOLDERS: readonly [name: string, pattern: RegExp][] = [
  ['link', /\/files\/file_[^"\s]*/g],
  ['id', /(?<![0-9a-f])[0-9a-f]{24}(?![0-9a-f])/g],
  ['time', /(?<=_time":")[^"]*/g],
];

/** Names of the recorded conversations. */
export function conversations(): readonly string[] {
  return readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
}

/**
 * Holds the conversation, and every answer must be as recorded. With DRAYAGE_WRITE_CONVERSATIONS=1 it is
 * recorded anew instead.
 */
export async function checkConversation(ground: IroncladGround, name: string): Promise<void> {
  const file = new URL(name, FOLDER);
  const recorded: Exchange[] = JSON.parse(readFileSync(file, 'utf8'));
  /** Placeholder → what it stands for this time. */
  const names = new Map<string, string>();
  const held: Exchange[] = [];
  for (const exchange of recorded) {
    const answer = await ask(ground, exchange, names);
    held.push({ ...exchange, answer: replaced(answer, names) });
  }
  if (process.env.DRAYAGE_WRITE_CONVERSATIONS === '1') writeFileSync(file, `${JSON.stringify(held, null, 2)}\n`);
  else assert.deepEqual(held, recorded);
}

async function ask(
  ground: IroncladGround,
  { request, until }: Exchange,
  names: ReadonlyMap<string, string>,
): Promise<Answer> {
  const { method, body, headers = {} } = request;
  const path = [...names].reduce((text, [name, value]) => text.replaceAll(name, value), request.path);
  for (let at = 0; at < 1500; at++) {
    const answer = await ground.call(method, path, { key: null, body, headers });
    if (until === undefined || answer.json?.status === until) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${path} did not become ${until}.`);
}

/** The answer with its ids, times and links named; the same one gets the same name. */
function replaced({ status, headers, text, json }: Answer, names: Map<string, string>): Exchange['answer'] {
  const told = TOLD.flatMap((name) => (headers.has(name) ? [[name, headers.get(name) ?? '']] : []));
  const whole = JSON.stringify({ headers: Object.fromEntries(told), body: json ?? text });
  const named = PLACEHOLDERS.reduce(
    (rest, [name, pattern]) => rest.replaceAll(pattern, (value) => nameOf(name, value, names)),
    whole,
  );
  return { status, ...JSON.parse(named) };
}

function nameOf(kind: string, value: string, names: Map<string, string>): string {
  if (kind === 'time') return '<time>';
  const known = [...names].find(([, each]) => each === value)?.[0];
  const name = known ?? `<${kind} ${[...names.keys()].filter((each) => each.startsWith(`<${kind} `)).length + 1}>`;
  names.set(name, value);
  return name;
}
