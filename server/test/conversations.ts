import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Answer, Asked } from './server-ground.ts';

/** What was asked and answered, with `{kind-1}` for what differs from one time to the next. */
interface Exchange {
  readonly request: { readonly method: string; readonly path: string } & Asked;
  /** Asked again until the answer's status word is this. */
  readonly until?: string;
  readonly answer?: { readonly status: number; readonly headers: object; readonly body: unknown };
}

/** How the conversations of a dialect are had. */
export interface Talk {
  readonly dialect: string;
  /** What differs and may be named in later requests, in the order it is looked for: the same value keeps its number. */
  readonly places: readonly (readonly [kind: string, pattern: RegExp])[];
  /** What differs and is nobody's business, as `{kind}`. */
  readonly passing?: readonly (readonly [kind: string, pattern: RegExp])[];
  /** Whether a header is recorded. */
  readonly isTold: (name: string) => boolean;
  /** The word `until` waits for. */
  readonly statusOf: (answer: Answer) => unknown;
  /** Keys by their names in the recording; left out, as they stand there. */
  readonly keys?: Readonly<Record<string, string>>;
}

interface Speaker {
  call(method: string, path: string, asked?: Asked): Promise<Answer>;
}

/** Answers that were meant to change are recorded anew with this set to 1. */
const IS_RECORDED_ANEW = process.env.DRAYAGE_WRITE_CONVERSATIONS === '1';

/** Names of a dialect's recorded conversations. */
export function conversationsOf(dialect: string): readonly string[] {
  return readdirSync(folderOf(dialect)).sort();
}

/** Has a recorded conversation again and holds every answer to the recorded one. */
export async function replay(ground: Speaker, talk: Talk, name: string): Promise<void> {
  const file = new URL(name, folderOf(talk.dialect));
  const recorded = JSON.parse(readFileSync(file, 'utf8')) as Exchange[];
  const places = new Map<string, string>();
  const had: Exchange[] = [];
  for (const exchange of recorded) {
    const answer = await answered(ground, talk, { exchange, places });
    had.push({ ...exchange, answer: shown(answer, talk, places) });
  }
  if (IS_RECORDED_ANEW) writeFileSync(file, `${JSON.stringify(had, null, 2)}\n`);
  else assert.deepEqual(had, recorded, `${name}: record it anew with DRAYAGE_WRITE_CONVERSATIONS=1`);
}

function folderOf(dialect: string): URL {
  return new URL(`../src/request/${dialect}/conversations/`, import.meta.url);
}

interface Turn {
  readonly exchange: Exchange;
  /** What placeholders stand for, by their names. */
  readonly places: ReadonlyMap<string, string>;
}

async function answered(ground: Speaker, { statusOf, keys }: Talk, { exchange, places }: Turn): Promise<Answer> {
  const { request, until } = exchange;
  const { method, path: marked, key, ...how } = request;
  const path = [...places].reduce((text, [place, value]) => text.replaceAll(place, value), marked);
  const asked = { ...how, ...(key === undefined ? {} : { key: key && (keys?.[key] ?? key) }) };
  for (let at = 0; at < 1500; at++) {
    const answer = await ground.call(method, path, asked);
    if (until === undefined || statusOf(answer) === until) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${path} was never ${until}.`);
}

function shown({ status, headers, text, json }: Answer, talk: Talk, places: Map<string, string>) {
  const told = [...headers].filter(([name]) => talk.isTold(name));
  const whole = { headers: Object.fromEntries(told), body: json ?? text };
  return { status, ...JSON.parse(marked(JSON.stringify(whole), talk, places)) };
}

function marked(text: string, { places: kinds, passing = [] }: Talk, places: Map<string, string>): string {
  const numbered = kinds.reduce(
    (rest, [kind, pattern]) => rest.replaceAll(pattern, (value) => placeOf(kind, value, places)),
    text,
  );
  return passing.reduce((rest, [kind, pattern]) => rest.replaceAll(pattern, `{${kind}}`), numbered);
}

function placeOf(kind: string, value: string, places: Map<string, string>): string {
  const known = [...places].find(([, each]) => each === value)?.[0];
  const place = known ?? `{${kind}-${[...places.keys()].filter((each) => each.startsWith(`{${kind}-`)).length + 1}}`;
  places.set(place, value);
  return place;
}
