import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, mock, test } from 'node:test';
import { checkAnswer, setClock } from '../dialect-ground.ts';
import { checkRefusal, SCHEMAS } from './contract.ts';
import { EVIDENCE, IroncladGround, TASKS } from './ground.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const BODY = { start_date: '2022-10-06T00:00:00.000Z', end_date: '2022-10-06T00:00:00.000Z' };

let ground: IroncladGround;

before(async () => {
  ground = await IroncladGround.open();
});

after(async () => {
  await ground[Symbol.asyncDispose]();
});

afterEach(() => mock.timers.reset());

test('URLs live an hour, files 30 days, exports are known for good', async () => {
  setClock(Date.now());
  const id = await ground.create(BODY);
  await ground.settled(id);
  const done = Date.now();
  const urls = () => ground.get(`${EVIDENCE}/${id}/urls`);
  const follow = (url: string) => ground.call('GET', url, { key: null });
  const first = (await urls()).json.presignedUrls[0];
  // Links count whole seconds.
  const end = Math.floor((done + HOUR_MS) / 1000) * 1000;
  setClock(end - 1);
  assert.equal((await follow(first)).status, 200);
  setClock(end);
  assert.match(checkRefusal(await follow(first), 404), /expired; ask for the URLs/);
  const fresh = (await urls()).json.presignedUrls[0];
  assert.notEqual(fresh, first);
  assert.equal((await follow(fresh)).status, 200);
  checkRefusal(await follow(fresh.replace(/expires=\d/, 'expires=9')), 403);

  setClock(done + 30 * DAY_MS - 1000);
  const last = await urls();
  checkAnswer(last, 200, SCHEMAS.urls);
  assert.equal((await follow(last.json.presignedUrls[0])).status, 200);
  setClock(done + 30 * DAY_MS);
  assert.match(checkRefusal(await urls(), 404), /not kept any more/);
  checkRefusal(await follow(last.json.presignedUrls[0]), 404);
  const job = await ground.get(`${EVIDENCE}/${id}`);
  checkAnswer(job, 200, SCHEMAS.job);
  assert.deepEqual([job.json.status, job.json.active], ['success', false]);
  assert.deepEqual((await ground.get(`${TASKS}/${id}`)).json.data.links, []);
});

test('an export that fails says so in its message and where its URLs would be', async () => {
  await using broken = await IroncladGround.open();
  await broken.settled(await broken.create(BODY));
  writeFileSync(join(broken.folder, 'activities.parquet'), 'no Parquet');
  const id = await broken.create({ ...BODY, select: { standard: ['id'] } });
  const failed = await broken.settled(id);
  checkAnswer(failed, 200, SCHEMAS.job);
  const message = 'Export job failed: Something went wrong on our side; try again later.';
  assert.deepEqual([failed.json.status, failed.json.message], ['failed', message]);
  const urls = await broken.get(`${EVIDENCE}/${id}/urls`);
  checkAnswer(urls, 200, SCHEMAS.failure);
  assert.equal(urls.json.error, message);
});
