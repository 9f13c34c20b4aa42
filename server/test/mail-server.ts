import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { type SmtpOptions, smtpOptions } from '../src/job/smtp.ts';

export interface MailServerAsk {
  /** Left out, anybody may send. */
  readonly login?: { readonly user: string; readonly secret: string };
  /** PEM texts; left out, it does not speak TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly port?: number;
  /** Another way to answer an address than to take it. */
  refuse?(address: string): number | null;
  /** Awaited before a mail is taken. */
  hold?(): Promise<void>;
}

/** A mail as it came in. */
export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: Buffer;
  readonly isSecure: boolean;
}

/** An SMTP server on a port of 127.0.0.1. */
export class MailServer implements AsyncDisposable {
  readonly mails: TakenMail[] = [];
  /** Logins as they were tried. */
  readonly logins: string[] = [];
  readonly #server: SMTPServer;

  private constructor(ask: MailServerAsk) {
    this.#server = new SMTPServer({
      ...ask.tls,
      logger: false,
      disableReverseLookup: true,
      authOptional: ask.login === undefined,
      allowInsecureAuth: true,
      disabledCommands: [...(ask.tls ? [] : ['STARTTLS']), ...(ask.login ? [] : ['AUTH'])],
      ...this.#handlers(ask),
    });
    // A client that hangs up is no failure of the server.
    this.#server.on('error', () => {});
  }

  static async start(ask: MailServerAsk = {}): Promise<MailServer> {
    const server = new MailServer(ask);
    await once(server.#server.listen(ask.port ?? 0, '127.0.0.1'), 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  /** Options of a client, with `user:secret` for a login. */
  options(login?: string, host = '127.0.0.1'): SmtpOptions {
    return clientOptions(`smtp://${login ? `${login}@` : ''}${host}:${this.port}`);
  }

  /** The one mail there is. */
  mail(): TakenMail {
    assert.equal(this.mails.length, 1);
    const [mail] = this.mails;
    assert.ok(mail);
    return mail;
  }

  #handlers({ login, refuse, hold }: MailServerAsk): SMTPServerOptions {
    return {
      onAuth: ({ username, password }, _session, done) => {
        this.logins.push(`${username}:${password}`);
        if (username === login?.user && password === login?.secret) done(null, { user: username });
        else done(answer(535, `${username} with ${password} is nobody`));
      },
      onRcptTo: ({ address }, _session, done) => {
        const code = refuse?.(address) ?? null;
        done(code === null ? null : answer(code, `no ${address} here`));
      },
      onData: (stream, { envelope, secure }, done) => {
        const take = async () => {
          const raw = await buffer(stream);
          await hold?.();
          const from = envelope.mailFrom ? envelope.mailFrom.address : '';
          this.mails.push({ from, to: envelope.rcptTo.map(({ address }) => address), raw, isSecure: secure });
        };
        take().then(() => done(null), done);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Options of a client for a server at this URL. */
export function clientOptions(url: string): SmtpOptions {
  return smtpOptions.parse({ url, from: 'Exports <exports@example.com>' });
}

function answer(responseCode: number, words: string): Error {
  return Object.assign(new Error(words), { responseCode });
}
