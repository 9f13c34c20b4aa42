import { after, before, test } from 'node:test';
import { conversationsOf, replay, type Talk } from '../conversations.ts';
import { IroncladGround } from './ground.ts';

/** Headers that mean something to a client. */
const TOLD = ['content-type', 'retry-after', 'cache-control', 'content-disposition', 'www-authenticate', 'allow'];

const TALK: Talk = {
  dialect: 'ironclad',
  places: [
    ['link', /\/files\/file_[^"\s]*/g],
    ['id', /(?<![0-9a-f])[0-9a-f]{24}(?![0-9a-f])/g],
  ],
  passing: [['time', /(?<=_time":")[^"]*/g]],
  isTold: (name) => TOLD.includes(name),
  statusOf: ({ json }) => json?.status,
};

let ground: IroncladGround;

before(async () => {
  ground = await IroncladGround.open();
});

after(async () => {
  await ground[Symbol.asyncDispose]();
});

for (const name of conversationsOf('ironclad')) test(name, () => replay(ground, TALK, name));
