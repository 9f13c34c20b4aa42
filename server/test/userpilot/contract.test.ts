import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { replay } from '../conversations.ts';
import { type ContractName, flawOf, hold, LISTS, PAGES, withoutEach } from './contract.ts';
import { EXPORTS, JSON_TYPE, KEYS, UserpilotGround } from './ground.ts';
import { APPS, makeLookup, PAGED_ROWS } from './rows.ts';
import { TALK } from './talk.ts';

let ground: UserpilotGround;

before(async () => {
  ground = await UserpilotGround.open();
});

after(() => ground[Symbol.asyncDispose]());

describe('a recorded conversation', () => {
  it('goes the same way again, from create to download', () => replay(ground, TALK, 'export.json'));
});

describe('the given page', () => {
  it('makes a job of no body, and of one without Content-Type', async () => {
    const asked: readonly (readonly [file: string, options: readonly string[]])[] = [
      ['export-part1.csv', []],
      ['export-part1.csv', [...JSON_TYPE, '-d', '']],
      ['export-part1.ndjson', ['-H', 'Content-Type:', '-d', '{"format":"ndjson"}']],
    ];
    for (const [file, options] of asked) {
      const { status, json } = await ground.curl(KEYS.first, ...options);
      assert.equal(status, 201, JSON.stringify(json));
      hold('created', json);
      const job = await ground.settled(json.job_id);
      assert.deepEqual([job.status, job.presigned_urls[0].filename], ['completed', file]);
    }
  });

  it('takes a request with all that it names', async () => {
    const [event] = ground.events;
    const body = {
      from: event?.inserted_at.slice(0, 10),
      to: event?.inserted_at,
      emails: ['data@example.com'],
      event_type: ['page_view', 'track'],
      user_id: ['user-1', 'user-2'],
      company_id: ['company-1'],
      segment_id: '1',
      format: 'parquet',
      exclusions: 'metadata,track',
    };
    hold('request', body);
    const { status, json, text } = await ground.call('POST', `${EXPORTS}/`, { body });
    assert.equal(status, 201, text);
    assert.equal((await ground.settled(json.job_id)).status, 'completed');
    using database = ground.database();
    const told = database.prepare('select address from notices').all();
    assert.deepEqual(
      told.map(({ address }) => address),
      body.emails,
    );
  });
});

/** The first app's rows as they were made, in the words of the answer. */
function lookupOf(name: string): object[] {
  return makeLookup(`userpilot.${name}`)
    .filter(({ tenant }) => tenant === APPS[0])
    .map(({ tenant: _, ...row }) => {
      if ('modules' in row) return { ...row, modules: JSON.parse(String(row.modules)).map(without) };
      if (!('event' in row)) return row;
      const event = row.event === null ? null : without(JSON.parse(String(row.event)));
      return { ...row, event, inserted_at: toSeconds(row.inserted_at), last_seen: toSeconds(row.last_seen) };
    });
}

/** What lies in the data beyond what is documented is not shown. */
function without({ inner, ...rest }: Record<string, unknown>): object {
  assert.equal(inner, 'hidden');
  return rest;
}

function toSeconds(instant: unknown): string {
  return `${String(instant).slice(0, 19)}Z`;
}

describe('every answer', () => {
  const answers = new Map<ContractName, unknown>();

  before(async () => {
    const { json } = await ground.create({ format: 'avro' });
    answers.set('created', json);
    await ground.settled(json.job_id);
    const get = async (name: ContractName, path: string, key?: string) => {
      const { json: body } = await ground.call('GET', `${EXPORTS}${path}`, key === undefined ? {} : { key });
      answers.set(name, body);
    };
    await get('detail', `/jobs/${json.job_id}`);
    await get('list', '/jobs/');
    await get('refusal', '/jobs', 'nobody');
    for (const name of [...LISTS, ...PAGES]) await get(name, `/lookups/${name}`);
  });

  it('is as it was published', () => {
    assert.equal(answers.size, 16);
    for (const [name, value] of answers) hold(name, value);
    assert.ok(Array.isArray(answers.get('list')));
  });

  it('of a lookup has the rows of the own app, in the order of the key', () => {
    for (const name of LISTS) assert.deepEqual(answers.get(name), lookupOf(name), name);
    for (const name of PAGES) {
      const { data, metadata } = answers.get(name) as { data: object[]; metadata: object };
      assert.deepEqual(data, lookupOf(name).slice(0, 50), name);
      assert.deepEqual({ ...metadata, cursor: null }, { cursor: null, limit: 50, total_count: PAGED_ROWS });
    }
  });

  it('of a lookup with pages leads forwards and back by cursors', async () => {
    const path = `${EXPORTS}/lookups/events_properties`;
    const turn = async (query: string) => (await ground.call('GET', `${path}?${query}`)).json;
    // biome-ignore lint/suspicious/noExplicitAny: a page of any lookup
    const first = answers.get('events_properties') as any;
    const second = await turn(`after_cursor=${first.metadata.cursor.after}`);
    const third = await turn(`after_cursor=${second.metadata.cursor.after}`);
    const all = [first, second, third].flatMap(({ data }) => data);
    assert.deepEqual(all, lookupOf('events_properties'));
    assert.deepEqual([first.metadata.cursor.before, third.metadata.cursor.after], [null, null]);
    assert.deepEqual(await turn(`before_cursor=${third.metadata.cursor.before}`), second);
    assert.deepEqual(await turn(`before_cursor=${second.metadata.cursor.before}`), first);
  });

  it('of a lookup with pages leads back from a page without rows, to where it was asked from', async () => {
    const path = `${EXPORTS}/lookups/segments`;
    const turn = async (query: string) => (await ground.call('GET', `${path}?${query}`)).json;
    const all = lookupOf('segments') as readonly { id: number }[];
    const cursorOf = (id: number | undefined) => Buffer.from(`segments ${id}`).toString('base64url');
    const early = await turn(`before_cursor=${cursorOf(all[0]?.id)}`);
    hold('segments', early);
    assert.deepEqual([early.data, early.metadata.cursor.before], [[], null]);
    assert.deepEqual((await turn(`after_cursor=${early.metadata.cursor.after}`)).data, all.slice(0, 50));
    const late = await turn(`after_cursor=${cursorOf(all.at(-1)?.id)}`);
    assert.deepEqual([late.data, late.metadata.cursor.after], [[], null]);
    assert.deepEqual((await turn(`before_cursor=${late.metadata.cursor.before}`)).data, all.slice(-50));
    const lowest = await turn(`before_cursor=${Buffer.from(`segments ${-(2n ** 63n)}`).toString('base64url')}`);
    assert.deepEqual([lowest.data, lowest.metadata.cursor], [[], { after: null, before: null }]);
  });

  it('would be found out were a single field missing or one too many', () => {
    let tried = 0;
    for (const [name, value] of answers) {
      for (const [place, rest] of withoutEach(value)) {
        assert.notEqual(flawOf(name, rest), null, `${name} without ${place} passed`);
        tried++;
      }
      const [first] = Array.isArray(value) ? value : [value];
      const more = { ...first, extra: 1 };
      assert.notEqual(flawOf(name, Array.isArray(value) ? [more] : more), null, `${name} with one more passed`);
    }
    assert.ok(tried > 100, `only ${tried} fields were taken away`);
  });

  it('comes on paths with and without a slash at the end', async () => {
    const [one] = answers.get('list') as { job_id: string }[];
    for (const path of ['/jobs', `/jobs/${one?.job_id}`, '/lookups/flows']) {
      const plain = await ground.call('GET', `${EXPORTS}${path}`);
      const slashed = await ground.call('GET', `${EXPORTS}${path}/`);
      assert.deepEqual([plain.status, slashed.status, slashed.text], [200, 200, plain.text]);
    }
  });

  it('is in the OpenAPI document, which needs no key', async () => {
    const { json } = await ground.call('GET', '/openapi.json', { key: null });
    const paths = [EXPORTS, `${EXPORTS}/jobs`, `${EXPORTS}/jobs/{job_id}`];
    const lookups = [...LISTS, ...PAGES].map((name) => `${EXPORTS}/lookups/${name}`);
    assert.deepEqual(Object.keys(json.paths).sort(), [...paths, ...lookups].sort());
    assert.equal(json.paths[EXPORTS].post.requestBody.required, false);
  });
});
