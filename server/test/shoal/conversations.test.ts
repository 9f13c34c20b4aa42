import { after, before, suite, test } from 'node:test';
import { conversationsOf, replay, type Talk } from '../conversations.ts';
import { KEYS, ShoalGround } from './ground.ts';

/** Differ from one connection to the next, or with how often a client looked. */
const PASSING = ['date', 'connection', 'keep-alive', 'transfer-encoding', 'x-ratelimit-remaining'];

const TALK: Talk = {
  dialect: 'shoal',
  places: [
    ['expires', /(?<=expires=)\d+/g],
    ['signed', /(?<=signer=)\w+&signature=[\w-]+/g],
    ['job', /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g],
    ['file', /file_[0-9a-z]{26}/g],
  ],
  passing: [
    ['request', /req_[0-9a-z]{26}/g],
    // The rows' own lie in April.
    ['instant', /\b(?!2026-04)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g],
  ],
  isTold: (name) => !PASSING.includes(name),
  statusOf: ({ json }) => json?.data?.status,
  keys: KEYS,
};

suite('recorded conversations', () => {
  let ground: ShoalGround;

  before(async () => {
    ground = await ShoalGround.open();
  });

  after(() => ground[Symbol.asyncDispose]());

  for (const name of conversationsOf('shoal')) test(name, () => replay(ground, TALK, name));
});
