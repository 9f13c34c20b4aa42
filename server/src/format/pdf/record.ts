import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { exactly } from '../../column/exact-json.ts';

/** A row as evidence: what its document shows, attaches and hashes. */
export interface EvidenceRecord {
  readonly values: Readonly<Record<string, unknown>>;
  /** RFC 8785, UTF-8. */
  readonly canonical: Buffer;
  /** Of `canonical`, in lower-case hex. */
  readonly sha256: string;
}

/** Reads a row written as one line of JSON. */
export function readRecord(line: string): EvidenceRecord {
  const values = JSON.parse(line, exactly) as Record<string, unknown>;
  const canonical = Buffer.from(canonicalize(values) ?? '');
  return { values, canonical, sha256: hashRecord(canonical) };
}

export function hashRecord(canonical: Uint8Array): string {
  return createHash('sha256').update(canonical).digest('hex');
}
