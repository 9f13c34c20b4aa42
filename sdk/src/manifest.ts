/** The signed list of what a run wrote. The signature is over its RFC 8785 canonical JSON without `signature`. */
export interface Manifest {
  readonly version: 1;
  readonly run: string | null;
  readonly job: string | null;
  readonly tenant: string | null;
  readonly dataset: string;
  /** sha-256 of the plan. */
  readonly plan: string;
  /** What wrote the bytes. */
  readonly engine: string;
  readonly window: { readonly start: string | null; readonly end: string | null };
  readonly outputs: readonly ManifestOutput[];
  readonly createdAt: string;
  readonly key: { readonly id: string; readonly algorithm: 'ed25519'; readonly public: string };
  readonly signature: string;
}

export interface ManifestOutput {
  readonly format: string;
  readonly compression: string;
  /** Null where nothing is compressed around the file. */
  readonly compressionLevel: number | null;
  readonly options: Readonly<Record<string, unknown>>;
  readonly schema: readonly { readonly name: string; readonly type: string; readonly nullable: boolean }[];
  /** Null where the source cannot be counted apart from reading it. */
  readonly rowsPlanned: number | null;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly files: readonly {
    readonly path: string;
    readonly rows: number;
    readonly bytes: number;
    readonly sha256: string;
  }[];
}
