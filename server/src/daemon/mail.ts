import type { Transporter } from 'nodemailer';
import { emailAddress } from '../job/address.ts';
import type { SmtpOptions } from '../job/smtp.ts';

export interface Mail {
  /** The same mail sent again has the same, so that whoever receives it may drop the second. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** Why a mail was not taken. What a server answers may repeat names and addresses, so of that only the code is told. */
export interface MailFailure {
  /** Safe to show. */
  readonly reason: string;
  /** Trying again cannot help. */
  readonly isFinal: boolean;
  /** What lay behind it; for the log. */
  readonly detail?: string;
}

/** Below the wait before a notice goes to another server. */
const TIMEOUT_MS = 20_000;

const MAX_SUBJECT = 200;

/** Hands mails to an SMTP server, each over a connection of its own. The library is loaded with the first one. */
export class Mailer {
  readonly #options: SmtpOptions;
  readonly #timeoutMs: number;
  #transport: Promise<Pick<Transporter, 'sendMail'>> | null = null;

  constructor(options: SmtpOptions, timeoutMs = TIMEOUT_MS) {
    this.#options = options;
    this.#timeoutMs = timeoutMs;
  }

  /** Null once the server has taken the mail. */
  async send({ id, to, subject, text }: Mail): Promise<MailFailure | null> {
    if (!emailAddress.safeParse(to).success) return { reason: 'This is not an e-mail address.', isFinal: true };
    const { from } = this.#options;
    const domain = from.address.slice(from.address.lastIndexOf('@') + 1);
    this.#transport ??= openTransport(this.#options);
    const transport = await this.#transport;
    try {
      await transport.sendMail({
        from,
        // Taken as it is: a text would be read as a list of addresses.
        to: { name: '', address: to },
        envelope: { from: from.address, to: [to] },
        subject: oneLine(subject),
        text,
        messageId: `<${id}@${domain}>`,
        // No answers of those who are on holiday (RFC 3834).
        headers: { 'Auto-Submitted': 'auto-generated' },
        disableFileAccess: true,
        disableUrlAccess: true,
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      return null;
    } catch (error) {
      return failureOf(error);
    }
  }
}

async function openTransport({ url: { host, port, isSecure, login } }: SmtpOptions) {
  const { createTransport } = await import('nodemailer');
  return createTransport({
    host,
    port,
    secure: isSecure,
    // STARTTLS is used where it is offered; without it no secret leaves this machine.
    requireTLS: login !== null && !isLoopback(host),
    ...(login ? { auth: { user: login.user, pass: login.secret } } : {}),
  });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function oneLine(subject: string): string {
  return Array.from(subject.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' '))
    .slice(0, MAX_SUBJECT)
    .join('');
}

const REASONS: Readonly<Record<string, string>> = {
  EAUTH: 'The mail server refused the login',
  ENOAUTH: 'The mail server wants a login',
  EENVELOPE: 'The mail server refused the sender',
  EMESSAGE: 'The mail server refused the mail',
  ETLS: 'The mail server could not be spoken to over TLS',
  ETIMEDOUT: 'The mail server did not answer in time',
  EABORT: 'The mail server did not answer in time',
  EDNS: 'The name of the mail server is not known',
  ECONNECTION: 'The connection to the mail server failed',
  ESOCKET: 'The connection to the mail server failed',
};

interface SmtpError {
  readonly code?: unknown;
  readonly command?: unknown;
  /** Of the server's answer. */
  readonly responseCode?: unknown;
  readonly message?: unknown;
}

function failureOf(error: unknown): MailFailure {
  const { code, command, responseCode, message }: SmtpError = Object(error);
  const isAddress = code === 'EENVELOPE' && command === 'RCPT TO';
  const words = isAddress ? 'The mail server refused the address' : REASONS[String(code)];
  const answer = typeof responseCode === 'number' ? responseCode : null;
  return {
    reason: `${words ?? 'The mail could not be sent'}${answer === null ? '' : ` (${answer})`}.`,
    // An address that is refused for good stays refused (RFC 5321 §4.2.1); all else somebody may mend.
    isFinal: isAddress && answer !== null && answer >= 500,
    // Words of this machine.
    ...(answer === null && (code === 'ESOCKET' || code === 'EDNS') ? { detail: String(message) } : {}),
  };
}
