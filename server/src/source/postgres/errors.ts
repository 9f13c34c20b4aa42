import { Fault, type FaultCode } from '../../base/errors.ts';

const MESSAGES = {
  unreachable: 'The database cannot be reached, or the connection to it was lost.',
  busy: 'The database is too busy or ended the query; it may work later.',
  changed: 'The table is not what it was when the export was planned.',
  login: 'The database refuses this user, password or database name.',
  right: 'The database user may not read the table.',
  value: 'A value of the table cannot be exported as the type of its column.',
  tls: "The database's certificate is not trusted, or it does not offer TLS.",
  query: 'The database could not read the table as planned.',
} as const;

/** What PostgreSQL's SQLSTATEs mean: whole codes, or classes of two characters. Anything else is `source.refused`. */
const BY_STATE: Readonly<Record<string, readonly [FaultCode, keyof typeof MESSAGES]>> = {
  '08': ['source.unreachable', 'unreachable'],
  '22P02': ['value.refused', 'value'],
  '22003': ['value.refused', 'value'],
  '22008': ['value.refused', 'value'],
  '22021': ['value.refused', 'value'],
  '22P05': ['value.refused', 'value'],
  '25P03': ['source.busy', 'busy'],
  '25P04': ['source.busy', 'busy'],
  28: ['source.refused', 'login'],
  '3D000': ['source.refused', 'login'],
  '3F000': ['source.changed', 'changed'],
  40: ['source.busy', 'busy'],
  42501: ['source.refused', 'right'],
  42703: ['source.changed', 'changed'],
  '42P01': ['source.changed', 'changed'],
  53: ['source.busy', 'busy'],
  '55P03': ['source.busy', 'busy'],
  57014: ['source.busy', 'busy'],
  '57P01': ['source.unreachable', 'unreachable'],
  '57P02': ['source.unreachable', 'unreachable'],
  '57P03': ['source.unreachable', 'unreachable'],
  '57P04': ['source.unreachable', 'unreachable'],
  '57P05': ['source.unreachable', 'unreachable'],
  72000: ['source.busy', 'busy'],
};

/** node's words for a certificate it does not trust, and pg's for a server that speaks no TLS. */
const TLS = /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_|ERR_TLS|ERR_SSL|ERR_OSSL)/;

/** Our own files' errors, which are nothing of the database's. */
const OF_FILES = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EEXIST', 'EIO', 'EMFILE', 'EACCES', 'EISDIR']);

/** Turns what pg or the server throws into a fault; its words may hold SQL, hosts and values, so they stay in `cause`. */
export function postgresFault(error: unknown): unknown {
  if (error instanceof Fault || isOfFiles(error)) return error;
  const [code, words] = meaningOf(error);
  return new Fault(code, MESSAGES[words], { cause: error });
}

function meaningOf(error: unknown): readonly [FaultCode, keyof typeof MESSAGES] {
  const code = codeOf(error);
  if (isState(error)) return BY_STATE[code] ?? BY_STATE[code.slice(0, 2)] ?? ['source.refused', 'query'];
  const words = error instanceof Error ? error.message : '';
  if (TLS.test(code) || /SSL connection/.test(words)) return ['source.refused', 'tls'];
  // pg's own refusals: no password in the URL though the server asks for one, or a server that knows none of its ways.
  if (/SASL|password|authentication/i.test(words)) return ['source.refused', 'login'];
  return ['source.unreachable', 'unreachable'];
}

/** The SQLSTATE of an error the server told, or the system's code; empty for none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function isState(error: unknown): boolean {
  return error instanceof Error && 'severity' in error && /^[0-9A-Z]{5}$/.test(codeOf(error));
}

function isOfFiles(error: unknown): boolean {
  return error instanceof Error && OF_FILES.has(codeOf(error)) && 'syscall' in error && !isNetwork(error.syscall);
}

function isNetwork(syscall: unknown): boolean {
  return syscall === 'connect' || syscall === 'getaddrinfo';
}

/** The fault of a relation that is not as it was described. */
export function changed(): Fault {
  return new Fault('source.changed', MESSAGES.changed);
}

/** The fault of a value that its column's type does not have. */
export function refusedValue(): Fault {
  return new Fault('value.refused', MESSAGES.value);
}

/** The fault of a statement that brought nothing for too long. */
export function stalled(): Fault {
  return new Fault('source.busy', MESSAGES.busy, { cause: 'The statement brought nothing for too long.' });
}
