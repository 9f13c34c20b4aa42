import { after, afterEach, before, beforeEach, suite } from 'node:test';
import { whyNoPostgres } from './readers/postgres.ts';
import { testClaims } from './store-claims.contract.ts';
import { testDatabase } from './store-database.contract.ts';
import { type GroundOf, StoreGround, type StoreKind } from './store-ground.ts';
import { testHistory } from './store-history.contract.ts';
import { testManyConnections } from './store-many.contract.ts';
import { testReferences } from './store-references.contract.ts';
import { testRequests } from './store-requests.contract.ts';
import { testSweep } from './store-sweep.contract.ts';

function withGround(kind: StoreKind): GroundOf {
  let ground: StoreGround;
  before(async () => {
    ground = await StoreGround.open(kind);
  });
  after(() => ground[Symbol.asyncDispose]());
  beforeEach(() => ground.reset());
  afterEach(async () => {
    await ground.closeOthers();
    await ground.checkUses();
  });
  return () => ground;
}

function testStore(kind: StoreKind): GroundOf {
  const ground = withGround(kind);
  testDatabase(ground);
  testRequests(ground);
  testReferences(ground);
  testClaims(ground);
  testSweep(ground);
  testHistory(ground);
  return ground;
}

suite('the store on SQLite', () => {
  testStore('sqlite');
});

suite('the store on PostgreSQL', { skip: whyNoPostgres() }, () => {
  testManyConnections(testStore('postgres'));
});
