import assert from 'node:assert/strict';
import { request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { kindOf } from '../base/errors.ts';
import { openLog } from '../base/log.ts';
import { Desk, type DeskGround } from './desk.ts';
import type { Dialect, DialectGround } from './dialect.ts';
import { openFront } from './front.ts';

/** Dialects of the test's own: their routes never ask the desk. */
function dialect(name: string, prefix: string): Dialect {
  return {
    name,
    prefix,
    shapes: [],
    options: z.unknown(),
    routes: async (app) => {
      app.get('/things', async () => ({ from: name }));
      app.post('/things', async ({ body }) => ({ from: name, body }));
      app.get('/slow', async (_, reply) => {
        const body = new PassThrough();
        body.write('half');
        return reply.header('content-length', 1000).send(body);
      });
      app.get('/broken', async () => {
        throw new Error('a secret cause');
      });
    },
    refuse: ({ fault }) => ({
      status: kindOf(fault.code).status,
      headers: { 'content-type': `application/${name}` },
      body: { [name]: fault.code },
    }),
  };
}

const groundOf = (): DialectGround => ({ desk: new Desk({} as DeskGround), options: {}, baseUrl: '' });
const log = openLog('silent');

describe('the front', () => {
  let server: Server;
  let port: number;

  before(async () => {
    const dialects = [dialect('plain', ''), dialect('other', '/other')];
    server = await openFront({ groundOf, dialects, hosts: { 'other.localhost': 'other' }, log });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });

  after(() => new Promise((resolve) => server.close(resolve)));

  function ask(method: string, path: string, { host = 'localhost', body = '', type = 'application/json' } = {}) {
    return new Promise<string>((resolve, reject) => {
      const headers = { host, ...(body ? { 'content-type': type } : {}) };
      const asked = request({ port, host: '127.0.0.1', method, path, headers, agent: false }, async (response) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve(`${response.statusCode} ${response.headers['content-type']?.split(';')[0]} ${text}`);
      });
      asked.on('error', reject).end(body);
    });
  }

  it('picks a dialect by host name, whatever the port and the case, then by prefix', async () => {
    const cases: [string, string, string][] = [
      ['localhost', '/things', 'plain'],
      ['localhost:4400', '/things?a=1', 'plain'],
      ['localhost', '/other/things', 'other'],
      ['localhost', '/other/things?a=1', 'other'],
      ['other.localhost', '/things', 'other'],
      ['OTHER.localhost:8443', '/things', 'other'],
      ['other.localhost.', '/things', 'other'],
      ['localhost', 'http://localhost/other/things', 'other'],
      ['other.localhost', 'http://LOCALHOST:80/things?a=1', 'plain'],
      ['localhost', 'http://other.localhost/things', 'other'],
    ];
    for (const [host, path, from] of cases)
      assert.equal(await ask('GET', path, { host }), `200 application/json {"from":"${from}"}`);
  });

  it('lets every error answer in the envelope of its dialect', async () => {
    const cases: [string, string, object, string][] = [
      ['GET', '/nope', {}, '404 application/NAME {"NAME":"route.unknown"}'],
      ['GET', '/%zz', {}, '400 application/NAME {"NAME":"request.malformed"}'],
      ['PUT', '/things', {}, '405 application/NAME {"NAME":"method.refused"}'],
      ['POST', '/things', { body: '{bad' }, '400 application/NAME {"NAME":"request.malformed"}'],
      ['POST', '/things', { body: '<a/>', type: 'text/xml' }, '400 application/NAME {"NAME":"request.type"}'],
      ['POST', '/things', { body: `"${'x'.repeat(1_048_577)}"` }, '400 application/NAME {"NAME":"request.too_large"}'],
      ['GET', '/broken', {}, '500 application/NAME {"NAME":"internal"}'],
    ];
    for (const [method, path, options, answer] of cases) {
      assert.equal(await ask(method, path, options), answer.replaceAll('NAME', 'plain'), path);
      assert.equal(await ask(method, `/other${path}`, options), answer.replaceAll('NAME', 'other'), path);
      assert.equal(
        await ask(method, path, { ...options, host: 'other.localhost' }),
        answer.replaceAll('NAME', 'other'),
      );
    }
  });

  it('shows no route of one dialect on the host of another', async () => {
    assert.match(await ask('GET', '/other/things', { host: 'other.localhost' }), /^404 application\/other/);
    assert.match(await ask('GET', '/otherthings'), /^404 application\/plain/);
  });

  it('answers a URL or head that is too long in the envelope of its dialect', async () => {
    const things = (length: number) => `/things?${'x'.repeat(length - '/things?'.length)}`;
    assert.equal(await ask('GET', `/other${things(16_384)}`), '200 application/json {"from":"other"}');
    for (const length of [16_385, 20_000, 48_000, 60_000, 200_000]) {
      assert.equal(await ask('GET', things(length)), '400 application/plain {"plain":"request.malformed"}');
      assert.equal(
        await ask('GET', `/other${things(length)}`),
        '400 application/other {"other":"request.malformed"}',
        String(length),
      );
    }
  });

  it('writes no refusal into an answer that is under way', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
      if (text.endsWith('half')) socket.write('garbage\r\n\r\n');
    });
    await new Promise((resolve) => socket.on('close', resolve).on('error', () => {}));
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nhalf$/);
  });

  it('answers what is no HTTP', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / NOTHTTP\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += chunk;
    assert.match(
      text,
      /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*application\/plain[\s\S]*\{"plain":"request\.malformed"\}$/,
    );
  });
});
