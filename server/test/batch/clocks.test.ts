import assert from 'node:assert/strict';
import { after, afterEach, before, mock, test } from 'node:test';
import { checkAnswer, setClock } from '../dialect-ground.ts';
import { checkRefusal, schemas } from './contract.ts';
import { parseCells } from './expected.ts';
import { BatchGround, exportOf } from './ground.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const LIVE = exportOf('LIVEAPP');

let ground: BatchGround;

before(async () => {
  ground = await BatchGround.open();
});

after(async () => {
  await ground[Symbol.asyncDispose]();
});

afterEach(() => mock.timers.reset());

/** A request that succeeded, and when it was made and done, in ms. */
async function finished() {
  const created = Date.now();
  setClock(created);
  const id = await ground.create('/userbase', { ids: ['install_id'] });
  const { json } = await ground.settled(id);
  assert.equal(json.status, 'SUCCESS');
  return { id, file_url: json.file_url, created, done: Date.now() };
}

const locationOf = async (url: string) => (await ground.call('GET', url)).headers.get('location') ?? '';

test('a link lives 20 minutes, a file 30 days, a request 180 days', async () => {
  const { id, file_url, created, done } = await finished();
  const status = () => ground.call('GET', `${LIVE}/request/${id}`);
  const follow = (link: string) => ground.call('GET', link, { key: null });
  const link = await locationOf(file_url);
  // Links count whole seconds.
  const end = Math.floor((done + 20 * MINUTE_MS) / 1000) * 1000;
  setClock(end - 1);
  assert.equal((await follow(link)).status, 200);
  setClock(end);
  const words = checkRefusal(await follow(link), 'ROUTE_NOT_FOUND');
  assert.match(words, /file_url/);
  const fresh = await locationOf(file_url);
  assert.notEqual(fresh, link);
  assert.equal((await follow(fresh)).status, 200);
  assert.equal(checkRefusal(await follow(fresh.replace(/expires=\d/, 'expires=9')), 'ROUTE_NOT_FOUND'), words);

  setClock(done + 30 * DAY_MS - 1000);
  checkAnswer(await status(), 200, schemas.status('userbase', 'success'));
  const last = await locationOf(file_url);
  assert.equal((await follow(last)).status, 200);
  setClock(done + 30 * DAY_MS);
  checkAnswer(await status(), 200, schemas.status('userbase', 'expired'));
  checkRefusal(await ground.call('GET', file_url), 'ROUTE_NOT_FOUND');
  assert.equal(checkRefusal(await follow(last), 'ROUTE_NOT_FOUND'), words);

  setClock(created + 180 * DAY_MS - 1);
  checkAnswer(await status(), 200, schemas.status('userbase', 'expired'));
  setClock(created + 180 * DAY_MS);
  for (const url of [`${LIVE}/request/${id}`, file_url])
    assert.equal(checkRefusal(await ground.call('GET', url), 'ROUTE_NOT_FOUND'), 'There is no such request.');
});

test('a row is offered for 90 days to the millisecond, and "now" is the time of the request', async () => {
  const [oldest] = ground.tables.push
    .filter(({ app, campaign }) => app === 'LIVEAPP' && campaign === 'spring')
    .map(({ event_date }) => Date.parse(String(event_date)))
    .toSorted((a, b) => a - b);
  assert.ok(oldest !== undefined);
  const body = { from: '2001-01-01T00:00:00', to: 'now', events: ['push_sent', 'push_open', 'push_error'] };
  const dates = async (clock: number) => {
    setClock(clock);
    const text = await ground.exported('/campaign/spring/events', { ...body, ids: ['install_id'] });
    return parseCells(text)
      .slice(1)
      .map(([, date]) => date);
  };
  const wanted = new Date(oldest).toISOString().slice(0, 19);
  const at = await dates(oldest + 90 * DAY_MS);
  assert.equal(at[0], wanted);
  const past = await dates(oldest + 90 * DAY_MS + 1);
  assert.deepEqual(past, at.slice(1));
  // The end is out, so a row of this very moment is not there yet.
  assert.deepEqual(await dates(oldest), []);
});
