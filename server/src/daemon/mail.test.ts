import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { clientOptions, MailServer } from '../../test/mail-server.ts';
import { whyNoPython } from '../../test/readers/python-json.ts';
import { readMail } from '../../test/readers/python-mail.ts';
import { whyNo } from '../../test/source-server.ts';
import { Mailer } from './mail.ts';

const LINK = `https://exports.example.com/files/${'a1-_'.repeat(100)}?expires=1&signature=${'x='.repeat(60)}`;

const MAIL = {
  id: 'notice_1',
  to: 'ada@example.org',
  subject: 'Your export is ready – größer',
  text: `Hello,\n\n.a line with a dot\n${LINK}\nFrom here it is ${'very '.repeat(40)}long. ✓\n`,
};

describe('a mail', () => {
  it('of long lines without any other letters is not folded', { skip: whyNoPython() }, async () => {
    await using server = await MailServer.start();
    const text = `${'very '.repeat(40)}long\n${LINK}\n`;
    assert.equal(await new Mailer(server.options()).send({ ...MAIL, text }), null);
    assert.equal(readMail(server.mail().raw).text, text);
  });

  it('arrives as it was written, however long its lines are', { skip: whyNoPython() }, async () => {
    await using server = await MailServer.start();
    assert.equal(await new Mailer(server.options()).send(MAIL), null);
    const { from, to, raw } = server.mail();
    assert.deepEqual([from, to], ['exports@example.com', [MAIL.to]]);
    const { headers, text } = readMail(raw);
    assert.equal(text, MAIL.text);
    const shown = new Map(headers);
    assert.equal(shown.get('Subject'), MAIL.subject);
    assert.equal(shown.get('From'), 'Exports <exports@example.com>');
    assert.equal(shown.get('To'), MAIL.to);
    assert.equal(shown.get('Message-ID'), '<notice_1@example.com>');
    assert.equal(shown.get('Auto-Submitted'), 'auto-generated');
    for (const line of raw.toString('latin1').split('\r\n')) assert.ok(line.length <= 998, line);
  });

  const hostile = [
    'Ready\r\nBcc: eve@example.net',
    'Ready\nBcc: eve@example.net\n\nbody',
    'Ready\u2028\u0000\u0085\rBcc: x',
  ];
  for (const subject of hostile)
    it(`has one subject whatever stands in it: ${JSON.stringify(subject)}`, { skip: whyNoPython() }, async () => {
      await using server = await MailServer.start();
      assert.equal(await new Mailer(server.options()).send({ ...MAIL, subject }), null);
      const { to, raw } = server.mail();
      const { headers, text } = readMail(raw);
      assert.deepEqual(to, [MAIL.to]);
      assert.deepEqual(
        headers.filter(([name]) => /^(bcc|cc)$/i.test(name)),
        [],
      );
      const shown = headers.find(([name]) => name === 'Subject')?.[1] ?? '';
      assert.match(shown, /^Ready Bcc: /);
      assert.equal(text, MAIL.text);
    });

  const addresses = [
    'ada@example.org\r\nBcc: eve@example.net',
    'ada@example.org\r\nRCPT TO:<eve@example.net>',
    'ada@example.org, eve@example.net',
    'Ada <ada@example.org>',
    '"ada eve"@example.org',
    'ada@example.org\n',
    'ada',
    '',
  ];
  for (const to of addresses)
    it(`goes nowhere for the address ${JSON.stringify(to)}`, async () => {
      await using server = await MailServer.start();
      const failure = await new Mailer(server.options()).send({ ...MAIL, to });
      assert.deepEqual(failure, { reason: 'This is not an e-mail address.', isFinal: true });
      assert.deepEqual(server.mails, []);
    });

  it('of many characters in the subject keeps the first 200', { skip: whyNoPython() }, async () => {
    await using server = await MailServer.start();
    assert.equal(await new Mailer(server.options()).send({ ...MAIL, subject: '😀'.repeat(300) }), null);
    const { headers } = readMail(server.mail().raw);
    assert.equal(headers.find(([name]) => name === 'Subject')?.[1], '😀'.repeat(200));
  });
});

describe('a mail server', () => {
  const login = { user: 'exports@example.com', secret: 'p@ss/w:rd' };
  const encoded = `${encodeURIComponent(login.user)}:${encodeURIComponent(login.secret)}`;

  it('that wants a login gets it', async () => {
    await using server = await MailServer.start({ login });
    assert.equal(await new Mailer(server.options(encoded)).send(MAIL), null);
    assert.deepEqual(server.logins, [`${login.user}:${login.secret}`]);
    assert.equal(server.mails.length, 1);
  });

  it('that refuses the login is told of without its words, and may be asked again', async () => {
    await using server = await MailServer.start({ login });
    const failure = await new Mailer(server.options('ada:wrong')).send(MAIL);
    assert.deepEqual(failure, { reason: 'The mail server refused the login (535).', isFinal: false });
    assert.deepEqual([server.logins, server.mails], [['ada:wrong'], []]);
  });

  it('that wants a login where none is set is told of', async () => {
    await using server = await MailServer.start({ login });
    const failure = await new Mailer(server.options()).send(MAIL);
    assert.deepEqual(failure, { reason: 'The mail server refused the sender (530).', isFinal: false });
    assert.deepEqual(server.mails, []);
  });

  for (const [code, isFinal] of [
    [550, true],
    [450, false],
  ] as const)
    it(`that answers an address with ${code} is ${isFinal ? 'not ' : ''}asked again`, async () => {
      await using server = await MailServer.start({ refuse: () => code });
      const failure = await new Mailer(server.options()).send(MAIL);
      const reason = `The mail server refused the address (${code}).`;
      assert.deepEqual(failure, { reason, isFinal });
      assert.deepEqual(server.mails, []);
    });

  it('that is down is told of', async () => {
    const server = await MailServer.start();
    const options = server.options();
    await server[Symbol.asyncDispose]();
    const failure = await new Mailer(options).send(MAIL);
    const detail = `connect ECONNREFUSED 127.0.0.1:${options.url.port}`;
    assert.deepEqual(failure, { reason: 'The connection to the mail server failed.', isFinal: false, detail });
  });

  it('that never says a word is left', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    try {
      const address = silent.address();
      assert.ok(address !== null && typeof address === 'object');
      const mailer = new Mailer(clientOptions(`smtp://127.0.0.1:${address.port}`), 100);
      const failure = await mailer.send(MAIL);
      assert.deepEqual(failure, { reason: 'The mail server did not answer in time.', isFinal: false });
    } finally {
      silent.close();
    }
  });

  it('elsewhere that offers no TLS never sees the login', async () => {
    await using server = await MailServer.start({ login });
    // On Linux this is the machine itself, under an address that does not say so.
    const failure = await new Mailer(server.options(encoded, '0.0.0.0')).send(MAIL);
    assert.equal(failure?.isFinal, false);
    assert.match(failure.reason, /over TLS/);
    assert.deepEqual([server.logins, server.mails], [[], []]);
  });
});

describe('TLS', { skip: whyNo('openssl') }, () => {
  const trusted = getCACertificates('default');
  let folder: string;
  let tls: { key: string; cert: string };

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'drayage-mail-'));
    tls = makeCertificate(folder);
  });

  after(() => {
    setDefaultCACertificates(trusted);
    rmSync(folder, { recursive: true, force: true });
  });

  it('is refused with a certificate nobody vouches for', async () => {
    await using server = await MailServer.start({ tls });
    const failure = await new Mailer(clientOptions(`smtp://localhost:${server.port}`)).send(MAIL);
    assert.equal(failure?.isFinal, false);
    assert.match(failure.detail ?? '', /self-signed certificate/);
    assert.deepEqual(server.mails, []);
  });

  it('is used where it is offered, before the login', async () => {
    setDefaultCACertificates([...trusted, tls.cert]);
    const login = { user: 'ada', secret: 'secret' };
    await using server = await MailServer.start({ tls, login });
    assert.equal(await new Mailer(clientOptions(`smtp://ada:secret@localhost:${server.port}`)).send(MAIL), null);
    assert.equal(server.mail().isSecure, true);
  });
});

function makeCertificate(folder: string): { key: string; cert: string } {
  const [key, cert] = [join(folder, 'server.key'), join(folder, 'server.crt')];
  const line = 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost';
  const [program = '', ...args] = `${line} -addext subjectAltName=DNS:localhost`.split(' ');
  execFileSync(program, [...args, '-keyout', key, '-out', cert], { stdio: 'pipe' });
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}

describe('the library', () => {
  it('is not loaded before the first mail', () => {
    const script = `
      import { registerHooks } from 'node:module';
      const loaded = [];
      registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
      const { Mailer } = await import(${JSON.stringify(new URL('./mail.ts', import.meta.url).href)});
      const ours = () => loaded.some((url) => url.includes('/node_modules/nodemailer/'));
      const url = { host: '127.0.0.1', port: 1, isSecure: false, login: null };
      const mailer = new Mailer({ url, from: { name: '', address: 'a@example.com' } });
      const before = ours();
      await mailer.send({ id: 'x', to: 'b@example.com', subject: '', text: '' });
      console.log(JSON.stringify([before, ours()]));`;
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    assert.deepEqual(JSON.parse(out), [false, true]);
  });
});
