import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fastify from 'fastify';
import { Desk, type DeskGround } from '../src/request/desk.ts';
import type { Dialect } from '../src/request/dialect.ts';
import { dialects } from '../src/request/dialects.ts';
import { checkDocument, type OpenapiDocument } from './openapi-check.ts';
import { ServerGround } from './server-ground.ts';

let ground: ServerGround;
const documents = new Map<string, OpenapiDocument>();

before(async () => {
  ground = await ServerGround.open({ dispatches: false, rows: 10 });
  for (const { name, prefix } of dialects)
    documents.set(name, (await ground.call('GET', `${prefix}/openapi.json`, { key: null })).json);
});

after(() => ground[Symbol.asyncDispose]());

/** `GET /jobs/{id}` of every route a dialect registers, but for those that say they are hidden. */
async function shownRoutes(dialect: Dialect): Promise<string[]> {
  const shown = new Set<string>();
  const app = fastify();
  app.decorateRequest('principal', null);
  app.addHook('onRoute', ({ method, url, schema }) => {
    if (schema?.hide || /^\/docs(\/|$)/.test(url)) return;
    for (const each of [method].flat()) if (each !== 'HEAD') shown.add(`${each} ${url.replaceAll(/:(\w+)/g, '{$1}')}`);
  });
  await dialect.routes(app, { desk: new Desk({} as DeskGround), options: dialect.options.parse({}), baseUrl: '' });
  await app.after();
  await app.close();
  return [...shown].toSorted();
}

for (const dialect of dialects)
  describe(`the document of ${dialect.name}`, () => {
    test('is OpenAPI 3.1 that tells of every operation what it takes and how it may end', () => {
      const document = documents.get(dialect.name);
      assert.ok(document);
      checkDocument(document);
    });

    test('has every route that is served and not hidden, and no other', async () => {
      const documented = Object.entries(documents.get(dialect.name)?.paths ?? {}).flatMap(([path, item]) =>
        Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
      );
      assert.ok(documented.length > 0);
      assert.deepEqual(documented.toSorted(), await shownRoutes(dialect));
    });
  });

// Names of schemas are shared by the whole process: of two alike, the last one would stand in both documents.
test('no schema has the same name in two documents, and those of vendors begin with their dialect', () => {
  const owners = new Map<string, string>();
  for (const [dialect, { components }] of documents)
    for (const name of Object.keys(components.schemas)) {
      assert.equal(owners.get(name), undefined, `${name} stands in ${dialect}, too`);
      owners.set(name, dialect);
      if (dialect !== 'native') assert.ok(name.toLowerCase().startsWith(dialect), `${name} of ${dialect}`);
    }
});

test('a body is required unless the route takes none', () => {
  const isRequired = (dialect: string, path: string) =>
    documents.get(dialect)?.paths[path]?.post?.requestBody?.required === true;
  assert.equal(isRequired('native', '/v1/jobs'), true);
  assert.equal(isRequired('shoal', '/v1/export/jobs'), true);
  assert.equal(isRequired('userpilot', '/api/v1/analytics/exports'), false);
});

test('a method that a route has not is refused alike with and without a slash at the end', async () => {
  const root = '/userpilot/api/v1/analytics/exports';
  for (const [path, allowed] of [
    [root, 'POST'],
    [`${root}/jobs`, 'GET, HEAD'],
  ])
    for (const method of ['PUT', 'PATCH', 'DELETE'])
      for (const form of [path, `${path}/`]) {
        const { status, headers } = await ground.call(method, form ?? '', { key: null });
        assert.deepEqual([status, headers.get('allow')], [405, allowed], `${method} ${form}`);
      }
});

test('a path stands behind the address the document names', async () => {
  for (const { name, prefix } of dialects) {
    const { servers } = documents.get(name) as unknown as { servers: { url: string }[] };
    assert.deepEqual(servers, [{ url: prefix === '' ? '/' : prefix }]);
  }
});

test('a method that a route has not is refused whatever is wrong with the body', async () => {
  for (const path of ['/v1/jobs', '/shoal/v1/export/jobs', '/userpilot/api/v1/analytics/exports']) {
    const plain = await ground.call('PUT', path);
    for (const headers of [{ 'content-type': 'application/json' }, { 'content-type': 'text/plain' }])
      assert.equal((await ground.call('PUT', path, { headers, body: '{' })).status, plain.status, path);
  }
});
