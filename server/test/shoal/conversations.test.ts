import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Answer } from '../server-ground.ts';
import { KEYS, PUBLIC_URL, ShoalGround } from './ground.ts';

/** Recorded exchanges. After a change that is meant, write their answers anew: DRAYAGE_WRITE_CONVERSATIONS=1 on this test. */
const FOLDER = fileURLToPath(new URL('../../src/request/shoal/conversations', import.meta.url));

interface Exchange {
  readonly request: {
    readonly method: string;
    /** May hold what an earlier answer had, by its placeholder. */
    readonly path: string;
    readonly key: keyof typeof KEYS | null;
    readonly body?: unknown;
    /** Asked again until the job is in this status. */
    readonly until?: string;
  };
  readonly response: object;
}

suite('recorded conversations', () => {
  let ground: ShoalGround;

  before(async () => {
    ground = await ShoalGround.open();
  });

  after(() => ground[Symbol.asyncDispose]());

  for (const name of readdirSync(FOLDER).sort())
    test(name, async () => {
      const path = join(FOLDER, name);
      const recorded = JSON.parse(readFileSync(path, 'utf8')) as Exchange[];
      const places = new Places();
      const replayed: Exchange[] = [];
      for (const { request } of recorded) replayed.push({ request, response: await replay(ground, request, places) });
      if (process.env.DRAYAGE_WRITE_CONVERSATIONS === '1')
        writeFileSync(path, `${JSON.stringify(replayed, null, 2)}\n`);
      assert.deepEqual(replayed, recorded, 'write it anew with DRAYAGE_WRITE_CONVERSATIONS=1');
    });
});

async function replay(ground: ShoalGround, request: Exchange['request'], places: Places): Promise<object> {
  const { method, key, body, until } = request;
  const path = places.fill(request.path);
  const asked = { key: key && KEYS[key], ...(body === undefined ? {} : { body }) };
  let answer = await ground.call(method, path, asked);
  for (let at = 0; until !== undefined && answer.json.data.status !== until; at++) {
    assert.ok(at < 600, `never ${until}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    answer = await ground.call(method, path, asked);
  }
  return shown(answer, places);
}

/** Differ from one connection to the next, or with how often a client looked. */
const PASSING = ['date', 'connection', 'keep-alive', 'transfer-encoding', 'x-ratelimit-remaining'];

function shown({ status, headers, text }: Answer, places: Places): object {
  const told = [...headers].filter(([name]) => !PASSING.includes(name));
  const body = headers.get('content-type')?.startsWith('application/json')
    ? JSON.parse(places.mark(text))
    : places.mark(text);
  return { status, headers: Object.fromEntries(told.map(([name, value]) => [name, places.mark(value)])), body };
}

/** What differs from one replay to the next, by placeholders that stay the same. */
class Places {
  readonly #values = new Map<string, string>();

  /** The text with placeholders for what differs. Instants of the rows' own April stay. */
  mark(text: string): string {
    return text
      .replaceAll(PUBLIC_URL, '{server}')
      .replaceAll(/expires=\d+&key=(\d+)&signer=\w+&signature=[\w-]+/g, (query, key) =>
        this.#place(`query-of-${key}`, query),
      )
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) => this.#place('job', id))
      .replaceAll(/file_[0-9a-z]{26}/g, (id) => this.#place('file', id))
      .replaceAll(/req_[0-9a-z]{26}/g, '{request}')
      .replaceAll(/\b(?!2026-04)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '{instant}');
  }

  /** The text with what its placeholders stood for. */
  fill(text: string): string {
    return text
      .replaceAll('{server}', PUBLIC_URL)
      .replaceAll(/\{[\w-]+\}/g, (place) => [...this.#values].find(([, each]) => each === place)?.[0] ?? place);
  }

  #place(kind: string, value: string): string {
    const known = this.#values.get(value);
    if (known !== undefined) return known;
    const count = [...this.#values.values()].filter((each) => each.startsWith(`{${kind}-`)).length;
    const place = `{${kind}-${count + 1}}`;
    this.#values.set(value, place);
    return place;
  }
}
