import { literal } from '../../column/sql.ts';
import type { Connection } from './connection.ts';

/** What every value's text and every statement's meaning hang on; it holds until the transaction ends, behind any pooler. */
const SETTINGS: Readonly<Record<string, string>> = {
  client_encoding: 'UTF8',
  standard_conforming_strings: 'on',
  search_path: 'pg_catalog, pg_temp',
  timezone: 'UTC',
  datestyle: 'ISO, YMD',
  intervalstyle: 'postgres',
  extra_float_digits: '1',
  bytea_output: 'hex',
  lc_monetary: 'C',
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  // Rows come in the order they are stored in, however many others read the table.
  synchronize_seqscans: 'off',
  max_parallel_workers_per_gather: '0',
  // Compiling takes longer than reading a piece does.
  jit: 'off',
  enable_tidscan: 'on',
};

/** Settings that older servers, or other systems, do not have. */
const LATER_SETTINGS: readonly { readonly name: string; readonly value: string; readonly when: string }[] = [
  { name: 'transaction_timeout', value: '0', when: 'true' },
  // A server process at work on a long count would not see that the exporting process is gone.
  { name: 'client_connection_check_interval', value: '5s', when: "version() like '%linux%'" },
];

export interface Begin {
  /** A snapshot that another connection exported. */
  readonly snapshot: string | null;
  readonly lockTimeoutMs: number;
  /** A relation that nobody may change before the transaction ends. */
  readonly lock: string | null;
}

/** Begins the one transaction of a connection. The lock comes before the snapshot, so that both mean the same rows. */
export async function begin(connection: Connection, { snapshot, lockTimeoutMs, lock }: Begin): Promise<void> {
  const settings = { ...SETTINGS, lock_timeout: String(lockTimeoutMs) };
  await connection.query(
    [
      'begin transaction isolation level repeatable read, read only',
      ...(snapshot === null ? [] : [`set transaction snapshot ${literal(snapshot)}`]),
      ...Object.entries(settings).map(
        ([name, value]) => `set local ${name} to ${value.includes(',') ? value : literal(value)}`,
      ),
      ...(lock === null ? [] : [`lock table ${lock} in access share mode`]),
    ].join('; '),
  );
  const later = LATER_SETTINGS.map(
    ({ name, value, when }) =>
      `select set_config(name, ${literal(value)}, true) from pg_settings where name = ${literal(name)} and ${when}`,
  );
  await connection.query(later.join('; '));
}
