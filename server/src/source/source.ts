import type { Column, ColumnType } from '../column/type.ts';
import type { Engine } from './engine.ts';
import type { SourceOptions } from './options.ts';

/** An input file as it was when the plan was made. A run reads these files and checks them again at its end. */
export interface PinnedFile {
  /** Absolute, symlinks resolved. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Nanoseconds since 1970, as decimal digits. */
  readonly modifiedNs: string;
  /** Tells a replaced file from the one it replaced. */
  readonly inode: string;
}

export interface SourceColumn extends Column {
  /** SQL over the raw scan that gives the column in its engine type. */
  readonly expression: string;
}

/** A fixed stretch of the source's rows, in the source's order. */
export interface Piece {
  /** Indexes into `inputs`, both included. */
  readonly files: readonly [number, number];
  /** Half-open range of row numbers within the one file; null for whole files. */
  readonly rows: readonly [number, number] | null;
  /** Bytes it takes uncompressed, as far as the source can tell: what segments are bounded by. */
  readonly bytes: number;
}

/** All a plan has to know of where its rows come from: frozen, printable, without a connection. */
export interface SourceShape {
  readonly type: SourceOptions['type'];
  readonly kind: 'parquet' | 'csv' | 'jsonl' | 'table';
  readonly inputs: readonly PinnedFile[];
  readonly columns: readonly SourceColumn[];
  /** SQL of the scan of one piece, `{files}` standing for its files; for a table its quoted name. */
  readonly scan: string;
  /** SQL that numbers rows in the source's order over all pieces. */
  readonly position: string;
  /** SQL that numbers rows within one file; null when the source can only be read from its start. */
  readonly rowNumber: string | null;
  readonly pieces: readonly Piece[];
  /** Whether rows can be counted apart from reading them. */
  readonly countable: boolean;
}

/** Types the operator declared, by source column. */
type DeclaredTypes = Readonly<Record<string, ColumnType>>;

export interface DescribeAsk {
  readonly options: SourceOptions;
  readonly types: DeclaredTypes;
  /** Folder relative paths start at. */
  readonly folder: string;
}

/** Turns what an operator points at into a relation of typed columns. Knows nothing of formats or of where rows end up. */
export interface Source {
  /**
   * Finds and pins the input and tells its columns and pieces, reading no more than that takes.
   * Throws `source.refused` for input that cannot be exported, `source.unreachable` where there is none.
   */
  describe(ask: DescribeAsk, openEngine: OpenEngine): Promise<SourceShape>;
}

/** Opens an engine that can read these files and no others, or one attached database file. */
export type OpenEngine = (reads: { readonly files: readonly string[]; readonly database?: string }) => Promise<Engine>;
