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
  /** It was declared, and nothing in the source has it: NULL in every row. */
  readonly isAbsent?: true;
}

/** A fixed stretch of the source's rows, in the source's order. */
export interface Piece {
  /** Indexes into `inputs`, both included; of no meaning for a live relation. */
  readonly files: readonly [number, number];
  /** Half-open range of row numbers within the one file, or of pages of a live relation; null for all. */
  readonly rows: readonly [number, number] | null;
  /** Rows of whole files, where the source tells them: such a file may be cut at any of them. */
  readonly count?: number;
  /** A byte of the file where a row begins, the first of `rows` or one before, and that row's number. Left out, the file's start. */
  readonly start?: { readonly row: number; readonly byte: number };
  /** Bytes it takes uncompressed, as far as the source can tell: what segments are bounded by. */
  readonly bytes: number;
}

/** All a plan has to know of where its rows come from: frozen, printable, without a connection. */
export interface SourceShape {
  readonly type: SourceOptions['type'];
  readonly kind: 'parquet' | 'csv' | 'jsonl' | 'table' | 'live';
  readonly inputs: readonly PinnedFile[];
  /** Of CSV whose rows land. */
  readonly delimiter?: string;
  readonly columns: readonly SourceColumn[];
  /** SQL of the scan of one piece, `{files}` standing for its files or where they landed; for a table its quoted name; for a live relation empty. */
  readonly scan: string;
  /** SQL that numbers rows in the source's order over all pieces. */
  readonly position: string;
  /** SQL that numbers rows within one file; null when the source can only be read from its start. */
  readonly rowNumber: string | null;
  readonly pieces: readonly Piece[];
  /** Whether rows can be counted apart from reading them. */
  readonly countable: boolean;
  /** Null for what stands in files. */
  readonly live: LiveShape | null;
}

/** A relation that stands in no file and may change at any time: it is read over connections that share a snapshot. */
export interface LiveShape {
  /** Its quoted name in the source's own SQL. */
  readonly relation: string;
  /** One for each of the shape's columns, in their order. */
  readonly columns: readonly LiveColumn[];
  /** What the relation was like when it was described; when it is another at the start of a run, that is `source.changed`. */
  readonly signature: string;
}

export interface LiveColumn {
  readonly name: string;
  /** The source's SQL for the text that lands in a CSV file; the column's `expression` makes the value of it. NULL stays NULL. */
  readonly landed: string;
  /** What the plain text of docs/values.md is made of on its way, instants as ISO; null where only the engine can give it. */
  readonly plain: Sent | null;
  /** The source's own name of the column's type (`int8`, `timestamptz`) where the column is read as what it is, else null. */
  readonly natural: string | null;
}

/** The source's SQL of a value, and its own name of what it sends then. */
export interface Sent {
  readonly sql: string;
  readonly as: string;
}

/** What is read of a live relation. */
export interface LiveRead {
  /** Names of source columns, in order. */
  readonly columns: readonly string[];
  /** The source's SQL over its own columns, or null for every row. */
  readonly where: string | null;
  /** Null for all pieces. */
  readonly piece: Piece | null;
}

/** A file that rows are written to. */
export interface LiveTarget {
  /** Where none is yet. */
  readonly path: string;
  readonly rows: CsvRows | JsonRows;
}

/** CSV without header; RFC 4180 with `"` as quote, a line feed ends a row. */
export interface CsvRows {
  readonly as: 'csv';
  readonly text: 'landed' | 'plain';
  readonly delimiter: string;
  /** What NULL is written as, unquoted; text that equals it is quoted. */
  readonly nullText: string;
}

/** Of columns that have a plain text, an object a line. */
export interface JsonRows {
  readonly as: 'json';
  /** One for each column that is read. */
  readonly members: readonly JsonMember[];
  /** What follows on every object. */
  readonly after: '' | ',';
}

export interface JsonMember {
  /** Its name and what stands around it: `{"name":`, `,"name":`. */
  readonly head: string;
  /** Whether the plain text becomes a string, stands as it is, or is JSON whose line ends become spaces. */
  readonly is: 'string' | 'bare' | 'json';
}

/** How many columns a live source writes itself: no table of PostgreSQL has more. */
export const MAX_COLUMNS = 1600;

/** How long the heads of members may be together, in bytes; wider rows go through the engine. */
export const MAX_HEADS_BYTES = 48 * 1024;

/** Open connections to a live relation; all see one snapshot. Dispose ends them. Errors leave it as faults. */
export interface LiveReader extends AsyncDisposable {
  /** One for each connection; each does one thing at a time. */
  readonly lanes: readonly LiveLane[];
  /** Rows that match, counted by the source. */
  count(read: LiveRead): Promise<number>;
}

export interface LiveLane {
  /** Writes the rows into the file and gives their number as the source tells it. */
  copy(read: LiveRead, target: LiveTarget): Promise<number>;
}

export interface LiveAsk {
  readonly shape: Omit<SourceShape, 'pieces'>;
  readonly options: SourceOptions;
  /** Connections that are of use at most; a source may open fewer. */
  readonly lanes: number;
  /** Firing ends every statement within a second; what was under way fails with `run.cancelled`. */
  readonly signal: AbortSignal;
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
   * Finds and pins the input and tells its columns and pieces, reading no more than that takes, by so many threads at most.
   * Throws `source.refused` for input that cannot be exported, `source.unreachable` where there is none.
   */
  describe(ask: DescribeAsk, openEngine: OpenEngine, threads: number): Promise<SourceShape>;
  /** Opens a live relation for one run. Sources of files have none. */
  open?(ask: LiveAsk): Promise<LiveReader>;
  /** Writes the rows of a piece into a file for the engine, and gives their number: for files it does not read itself. */
  land?(ask: LandAsk): Promise<number>;
}

export interface LandAsk {
  readonly shape: Omit<SourceShape, 'pieces'>;
  readonly piece: Piece;
  /** Names of the source columns that are read of it; null for all. */
  readonly columns: readonly string[] | null;
  /** Where the file appears once it is whole. */
  readonly path: string;
  readonly signal: AbortSignal;
}

/** Opens an engine that can read these files and no others, or one attached database file. */
export type OpenEngine = (reads: { readonly files: readonly string[]; readonly database?: string }) => Promise<Engine>;
