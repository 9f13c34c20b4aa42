import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { emailAddress } from './address.ts';
import { configSchema } from './config.ts';
import { smtpOptions } from './smtp.ts';

const FROM = 'exports@example.com';

describe('smtp in the configuration', () => {
  const servers: readonly [url: string, host: string, port: number, isSecure: boolean, login: string | null][] = [
    ['smtp://mail.example.com', 'mail.example.com', 587, false, null],
    ['smtps://mail.example.com/', 'mail.example.com', 465, true, null],
    ['smtp://ada:s3@mail.example.com:2525', 'mail.example.com', 2525, false, 'ada s3'],
    ['smtps://ada%40example.com:p%2Fa%3As%23@[::1]:25', '::1', 25, true, 'ada@example.com p/a:s#'],
  ];
  for (const [url, host, port, isSecure, words] of servers)
    it(`reads ${url}`, () => {
      const [user = '', secret = ''] = words?.split(' ') ?? [];
      const login = words === null ? null : { user, secret };
      assert.deepEqual(smtpOptions.parse({ url, from: FROM }).url, { host, port, isSecure, login });
    });

  const senders: readonly [from: string, name: string][] = [
    [FROM, ''],
    [`Exports <${FROM}>`, 'Exports'],
    [`Größer & Söhne, Export <${FROM}>`, 'Größer & Söhne, Export'],
  ];
  for (const [from, name] of senders)
    it(`reads the sender ${from}`, () => {
      assert.deepEqual(smtpOptions.parse({ url: 'smtp://localhost', from }).from, { name, address: FROM });
    });

  const wrongUrls = [
    'mail.example.com:587',
    'https://ada:hunter2@mail.example.com',
    'smtp://',
    'smtp://ada@mail.example.com',
    'smtp://:hunter2@mail.example.com',
    'smtp://ada:hun/ter2@mail.example.com',
    'smtp://ada:hunter2%@mail.example.com',
    'smtp://ada:hunter2@mail.example.com/x',
    'smtp://ada:hunter2@mail.example.com?tls.rejectUnauthorized=false',
    'smtp://ada:hunter2@mail.example.com#x',
    'smtp://ada:hunter2@mail.example.com:99999',
    'smtp://ada:hunter2@ma il.example.com',
    ['hunter2'],
  ];
  for (const url of wrongUrls) {
    it(`refuses the url ${JSON.stringify(url)}`, () => {
      refusal({ url, from: FROM }, /^Allowed is smtp:\/\/user:secret@host:port/, ['smtp', 'url']);
    });
  }

  const wrongSenders = ['Exports', 'a@b.example, c@d.example', `Exports\r\nBcc: x <${FROM}>`, `"Exports" <${FROM}>`, 7];
  for (const from of wrongSenders)
    it(`refuses the sender ${JSON.stringify(from)}`, () => {
      refusal({ url: 'smtp://localhost', from }, /^Allowed is an e-mail address, or a name/, ['smtp', 'from']);
    });

  it('is an object', () => {
    refusal('smtp://ada:hunter2@mail.example.com', /^Allowed is an object with url and from$/, ['smtp']);
  });
});

/** Every refusal begins with what is allowed, so it is shown as it is, and holds nothing of the value. */
function refusal(smtp: unknown, words: RegExp, path: readonly string[]): void {
  const { error } = configSchema.safeParse({ datasets: {}, smtp }, { reportInput: true });
  const [issue, ...rest] = error?.issues ?? [];
  assert.ok(issue);
  assert.deepEqual([issue.path, rest], [path, []]);
  assert.match(issue.message, words);
  assert.doesNotMatch(issue.message, /hunter2|ter2/);
}

describe('an e-mail address', () => {
  const good = [
    'ada@example.com',
    "o'hara+exports@mail.example.com",
    'ADA@EXAMPLE.COM',
    'a@localhost',
    'a@xn--bcher-kva.example',
  ];
  for (const address of good)
    it(`may be ${address}`, () => {
      assert.equal(emailAddress.parse(address), address);
    });

  const bad = [
    '',
    'ada',
    '@example.com',
    'ada@',
    'ada@example.com\n',
    'ada@example.com\r\nBcc: eve@example.com',
    'ada@example.com,eve@example.com',
    'ada@example.com eve@example.com',
    'Ada <ada@example.com>',
    '<ada@example.com>',
    'ada@exa\u0000mple.com',
    'ada@-example.com',
    'größe@example.com',
    `${'a'.repeat(243)}@example.com`,
    7,
    null,
  ];
  for (const address of bad)
    it(`is not ${JSON.stringify(address)}`, () => {
      const { error } = emailAddress.safeParse(address);
      assert.equal(
        error?.issues[0]?.message,
        'Allowed is one e-mail address of up to 254 characters, as name@example.com',
      );
    });

  it('has up to 254 characters', () => {
    assert.equal(emailAddress.safeParse(`${'a'.repeat(242)}@example.com`).success, true);
  });
});
