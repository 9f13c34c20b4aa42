import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Answer, Asked } from '../server-ground.ts';
import type { UserpilotGround } from './ground.ts';

/** What was asked and answered, with `{names}` for what differs from one time to the next. */
interface Exchange {
  readonly request: { readonly method: string; readonly path: string } & Asked;
  /** Asked again until the answer's body has this status. */
  readonly until?: string;
  readonly answer?: { readonly status: number; readonly headers: object; readonly body: unknown };
}

const FOLDER = '../../src/request/userpilot/conversations';

/** Answers that were meant to change are recorded anew with this set to 1. */
const IS_RECORDED_ANEW = process.env.DRAYAGE_WRITE_CONVERSATIONS === '1';

/** Has a recorded conversation again and holds every answer to the recorded one. */
export async function replay(ground: UserpilotGround, name: string): Promise<void> {
  const path = fileURLToPath(new URL(`${FOLDER}/${name}.json`, import.meta.url));
  const recorded = JSON.parse(readFileSync(path, 'utf8')) as Exchange[];
  const known = new Map<string, string>();
  const had: Exchange[] = [];
  for (const exchange of recorded) {
    const { method, path: asked, ...how } = exchange.request;
    const answer = await answered(ground, { method, path: filled(asked, known), ...how }, exchange.until);
    learn(answer, known);
    had.push({ ...exchange, answer: masked(answer, known) });
  }
  if (IS_RECORDED_ANEW) writeFileSync(path, `${JSON.stringify(had, null, 2)}\n`);
  else assert.deepEqual(had, recorded, `${name}: record it anew with DRAYAGE_WRITE_CONVERSATIONS=1`);
}

async function answered(ground: UserpilotGround, request: Exchange['request'], until?: string): Promise<Answer> {
  const { method, path, ...how } = request;
  for (let at = 0; at < 600; at++) {
    const answer = await ground.call(method, path, how);
    if (until === undefined || answer.json?.status === until) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${path} was never ${until}.`);
}

/** What later requests name, and what it is called. */
function learn({ json }: Answer, known: Map<string, string>): void {
  if (json?.job_id) known.set('{job}', json.job_id);
  const url = json?.presigned_urls?.[0]?.url;
  if (url) known.set('{file}', new URL(url).pathname.split('/')[2] ?? '').set('{signed}', new URL(url).search.slice(1));
}

function filled(path: string, known: ReadonlyMap<string, string>): string {
  return [...known].reduce((text, [name, value]) => text.replaceAll(name, value), path);
}

const TOLD = [
  ...['content-type', 'location', 'retry-after', 'www-authenticate', 'cache-control', 'allow'],
  ...['content-disposition', 'etag', 'repr-digest', 'x-content-type-options'],
];

function masked({ status, headers, text, json }: Answer, known: ReadonlyMap<string, string>) {
  const mask = (value: string) =>
    [...known]
      .reduce((masking, [name, hidden]) => masking.replaceAll(hidden, name), value)
      .replaceAll(/req_[0-9a-z]{26}/g, '{request}')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '{time}')
      .replaceAll(/("elapsed_time(?:_seconds)?":")[\d:]+/g, '$1{elapsed}');
  const told = TOLD.filter((name) => headers.has(name)).map((name) => [name, mask(headers.get(name) ?? '')]);
  const body = json === undefined ? mask(text) : JSON.parse(mask(text));
  return { status, headers: Object.fromEntries(told), body };
}
