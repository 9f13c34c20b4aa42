import canonicalize from 'canonicalize';
import { z } from 'zod';
import { nameOf } from '../column/type.ts';
import type { OutputResult } from './execution.ts';
import { isSignedBy, type Signer } from './keys.ts';
import { hashPlan, outputColumns, type Plan } from './plan.ts';

const count = z.number().int().nonnegative();

const fileSchema = z.strictObject({
  path: z.string().min(1),
  rows: count,
  bytes: count,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const outputSchema = z.strictObject({
  format: z.string(),
  compression: z.string(),
  /** Null where nothing is compressed around the file. */
  compressionLevel: count.nullable(),
  options: z.record(z.string(), z.unknown()),
  schema: z.array(z.strictObject({ name: z.string(), type: z.string(), nullable: z.boolean() })),
  /** Null where the source cannot be counted apart from reading it. */
  rowsPlanned: count.nullable(),
  rowsRead: count,
  rowsWritten: count,
  files: z.array(fileSchema),
});

/** The list of a run's files and counts, signed over its RFC 8785 canonical JSON without `signature`. */
export const manifestSchema = z.strictObject({
  version: z.literal(1),
  /** Ids, or null for exports the service did not run. */
  run: z.string().nullable(),
  job: z.string().nullable(),
  tenant: z.string().nullable(),
  dataset: z.string(),
  /** sha-256 of the plan. */
  plan: z.string(),
  /** What wrote the bytes. */
  engine: z.string(),
  window: z.strictObject({ start: z.string().nullable(), end: z.string().nullable() }),
  outputs: z.array(outputSchema),
  createdAt: z.string(),
  key: z.strictObject({ id: z.string(), algorithm: z.literal('ed25519'), public: z.string() }),
  signature: z.string(),
});

export type Manifest = z.infer<typeof manifestSchema>;

export interface ManifestAsk {
  readonly plan: Plan;
  readonly results: readonly OutputResult[];
  readonly createdAt: string;
  readonly signer: Signer;
  /** Ids, or null for exports the service did not run. */
  readonly run: string | null;
  readonly job: string | null;
}

export function makeManifest({ plan, results, createdAt, signer, run, job }: ManifestAsk): Manifest {
  const { duckdb, node, zlib, zstd, arch } = plan.engine;
  const unsigned = {
    version: 1 as const,
    run,
    job,
    tenant: plan.scope.is === 'tenant' ? plan.scope.tenant : null,
    dataset: plan.dataset,
    plan: hashPlan(plan),
    engine: `duckdb ${duckdb}, node ${node}, zlib ${zlib}, zstd ${zstd}, ${arch}`,
    window: { ...plan.window },
    outputs: results.map((result) => describeOutput(result, plan)),
    createdAt,
    key: signer.publicKey,
  };
  return { ...unsigned, signature: signer.sign(signedText(unsigned)) };
}

function describeOutput(result: OutputResult, plan: Plan): Manifest['outputs'][number] {
  const { format, compression } = result.output;
  const { type, ...options } = format;
  return {
    format: type,
    compression: compression.type,
    compressionLevel: compression.type === 'none' ? null : compression.level,
    options,
    schema: outputColumns(plan.query, result.output).map((column) => ({
      name: column.label ?? column.name,
      type: nameOf(column.type),
      nullable: column.nullable,
    })),
    rowsPlanned: result.rowsPlanned,
    rowsRead: result.rowsRead,
    rowsWritten: result.rowsWritten,
    files: result.files.map(({ path, rows, bytes, sha256 }) => ({ path, rows, bytes, sha256 })),
  };
}

/** Whether the manifest's own key signed it as it stands. */
export function isGenuine({ signature, ...unsigned }: Manifest): boolean {
  return isSignedBy(unsigned.key, signedText(unsigned), signature);
}

function signedText(unsigned: Omit<Manifest, 'signature'>): string {
  return canonicalize(unsigned) ?? '';
}

/** The manifest as its file holds it. */
export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
