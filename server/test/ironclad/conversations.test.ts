import { after, before, test } from 'node:test';
import { checkConversation, conversations } from './conversations.ts';
import { IroncladGround } from './ground.ts';

let ground: IroncladGround;

before(async () => {
  ground = await IroncladGround.open();
});

after(async () => {
  await ground[Symbol.asyncDispose]();
});

for (const name of conversations()) test(name, () => checkConversation(ground, name));
