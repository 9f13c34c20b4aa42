import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { bodyMutations, type Mutation } from './mutate.ts';
import { extraQueryMutations, parameterMutations } from './mutate-request.ts';
import { Contract } from './openapi-check.ts';
import { type Answer, KEYS, ServerGround } from './server-ground.ts';

const AT_LEAST = 5000;
const AT_LEAST_A_PROPERTY = 20;
const AT_ONCE = 16;

let ground: ServerGround;

before(async () => {
  ground = await ServerGround.open({ dispatches: false, rows: 100 });
});

after(async () => {
  await ground[Symbol.asyncDispose]();
});

test('nothing wrong is accepted, every refusal names its place, and the database stays as it was', async (context) => {
  const accepted = await ground.call('POST', '/v1/jobs', { body: { dataset: 'events', format: 'csv' } });
  assert.equal(accepted.status, 202);
  const { json: document } = await ground.call('GET', '/openapi.json');
  const contract = new Contract(document);
  const mutations = mutationsOf(contract);
  const earlier = tables();
  const faults: string[] = [];
  await inParallel(mutations, async (mutation) => {
    const { method, path, headers = {}, body } = mutation;
    const answer = await ground.call(method, path, { ...(body === undefined ? {} : { body }), headers });
    const fault = faultOf(mutation, answer) ?? contractFault(contract, mutation, answer);
    if (fault)
      faults.push(
        `${fault}\n  ${mutation.property}: ${method} ${path.slice(0, 200)} ${body?.slice(0, 400) ?? ''}\n  ${answer.text.slice(0, 300)}`,
      );
  });
  assert.equal(faults.length, 0, `${faults.length} faults:\n${faults.slice(0, 30).join('\n')}`);
  assert.deepEqual(tables(), earlier);
  const counts = Map.groupBy(mutations, ({ property }) => property);
  context.diagnostic(`${mutations.length} requests, ${counts.size} properties`);
  assert.ok(mutations.length >= AT_LEAST, `only ${mutations.length} requests`);
  for (const [property, { length }] of counts) assert.ok(length >= AT_LEAST_A_PROPERTY, `${property}: only ${length}`);
});

/** Link queries are checked by their signature and ranges that say nothing are none, so they are not here. */
function mutationsOf(contract: Contract): Mutation[] {
  return contract.operations().flatMap(({ method, path, operation }) => {
    const { parameters = [], requestBody } = operation;
    const isFile = operation.operationId === 'downloadFile';
    const own = parameters.filter((each) => !isFile || each.in === 'path');
    const schema = requestBody?.content['application/json']?.schema;
    return [
      ...own.flatMap((parameter) => parameterMutations({ method, path }, parameter)),
      ...(own.some((each) => each.in === 'query') ? extraQueryMutations({ method, path }) : []),
      ...(schema ? bodyMutations(method, path, schema) : []),
    ];
  });
}

async function inParallel(mutations: readonly Mutation[], work: (mutation: Mutation) => Promise<void>): Promise<void> {
  const left = mutations.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const mutation of left) await work(mutation);
    }),
  );
}

function faultOf({ pointer, orAbove }: Mutation, { status, json }: Answer): string | null {
  if (status < 400) return 'ACCEPTED';
  if (status >= 500) return `answered ${status}`;
  if (typeof json?.code !== 'string') return 'no code';
  if (/Invalid|expected|received|undefined/.test(json.detail)) return `not in plain words: ${json.detail}`;
  if (pointer === null) return null;
  const given = json.pointer;
  if (typeof given !== 'string') return 'no pointer';
  const isThere = given === pointer || given.startsWith(`${pointer}/`);
  return isThere || (orAbove && pointer.startsWith(given)) ? null : `points to ${given}, not ${pointer}`;
}

function contractFault(contract: Contract, { method, path }: Mutation, answer: Answer): string | null {
  try {
    contract.check(method, path.replaceAll(/%(?![0-9a-f]{2})/gi, '%25'), answer);
    return null;
  } catch (error) {
    return `not as documented: ${(error as Error).message.slice(0, 300)}`;
  }
}

/** Every row of every table. */
function tables(): Record<string, unknown[]> {
  const database = new DatabaseSync(join(ground.dataFolder, 'drayage.db'), { readOnly: true });
  const names = database.prepare("select name from sqlite_master where type = 'table' order by name").all();
  const rows = names.map(({ name }) => [String(name), database.prepare(`select * from "${name}"`).all()] as const);
  database.close();
  const dump = Object.fromEntries(rows);
  assert.equal(dump.jobs?.length, 1, `the dump shows ${KEYS.acme}'s job`);
  assert.equal(dump.audit?.length, 1);
  return dump;
}
