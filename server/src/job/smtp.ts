import { z } from 'zod';
import { emailAddress } from './address.ts';

// Every refusal is in words of its own, as those made from the value would show the secret.
const OBJECT_FORM = 'Allowed is an object with url and from';
const URL_FORM =
  'Allowed is smtp://user:secret@host:port, or smtps:// for TLS from the start; user and secret may both be left out, special characters in them are percent-encoded, and nothing follows the port';
const FROM_FORM = 'Allowed is an e-mail address, or a name with it as Exports <exports@example.com>';

/** The ports of submission (RFC 6409, RFC 8314). */
const PORTS: Readonly<Record<string, number>> = { 'smtp:': 587, 'smtps:': 465 };

interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the start. */
  readonly isSecure: boolean;
  readonly login: { readonly user: string; readonly secret: string } | null;
}

interface Sender {
  /** Empty for none. */
  readonly name: string;
  readonly address: string;
}

/** Where mails are handed over, and who they come from. */
export const smtpOptions = z.strictObject(
  {
    /** Holds the secret: never shown. */
    url: z.string({ error: URL_FORM }).transform((text, context): SmtpServer => {
      const server = readServer(text);
      if (server) return server;
      context.addIssue({ code: 'custom', message: URL_FORM });
      return z.NEVER;
    }),
    from: z.string({ error: FROM_FORM }).transform((text, context): Sender => {
      const sender = readSender(text);
      if (sender) return sender;
      context.addIssue({ code: 'custom', message: FROM_FORM });
      return z.NEVER;
    }),
  },
  { error: OBJECT_FORM },
);

export type SmtpOptions = z.output<typeof smtpOptions>;

function readServer(text: string): SmtpServer | null {
  if (!URL.canParse(text)) return null;
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text);
  const host = /^\[([\da-f:.]+)\]$/i.exec(hostname)?.[1] ?? hostname;
  const standard = PORTS[protocol];
  const isPlain = /^[\w.:-]+$/.test(host) && ['', '/'].includes(pathname) && search === '' && hash === '';
  const [user, secret] = [decoded(username), decoded(password)];
  if (standard === undefined || !isPlain || user === null || secret === null) return null;
  if ((user === '') !== (secret === '')) return null;
  return {
    host,
    port: port === '' ? standard : Number(port),
    isSecure: protocol === 'smtps:',
    login: user === '' ? null : { user, secret },
  };
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

function readSender(text: string): Sender | null {
  const named = /^([^<>"\p{Cc}]{1,100}) <([^<>]+)>$/u.exec(text);
  const [name, address] = named ? [named[1] ?? '', named[2] ?? ''] : ['', text];
  return emailAddress.safeParse(address).success ? { name, address } : null;
}
