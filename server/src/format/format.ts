import type { Column } from '../column/type.ts';
import type { CsvText } from './csv-rows.ts';
import type { JsonText } from './json-rows.ts';
import type { PdfOptions } from './options.ts';
import type { XmlText } from './xml-rows.ts';

/** How rows of text are made out of the engine's vectors. */
export type RowsText = CsvText | JsonText | XmlText;

/** How one segment is written, of `select {expressions} from segment`. */
export interface SegmentSql {
  /** SQL over the segment's columns; `name` null where the file has no names. */
  readonly expressions: readonly { readonly sql: string; readonly name: string | null }[];
  /** Options of the COPY by which the engine writes it, or how `vector-rows.ts` does. */
  readonly written: string | RowsText;
}

/** How finished segments become one file. */
export type Joining =
  | {
      readonly by: 'text';
      /** Bytes before the first row, which hold no row end. */
      readonly head: string;
      /** The file's head and tail when there is no row at all. */
      readonly empty: string;
      readonly tail: string;
      /** Bytes at the end of every row that stand only between rows: dropped after the last one. */
      readonly separatorBytes: number;
      /** Whether line ends inside double quotes belong to values. */
      readonly isQuoted: boolean;
    }
  | { readonly by: 'parquet' }
  /** Segments are the CSV text of `format/avro-rows.ts`; blocks of the object container file are made of it. */
  | {
      readonly by: 'avro';
      readonly columns: readonly Column[];
      readonly codec: 'null' | 'deflate' | 'zstandard';
      /** The file's header, sync marker included. */
      readonly header: Uint8Array;
      /** 16 bytes. */
      readonly sync: Uint8Array;
    }
  /** Segments are JSON lines; each row becomes a document of a zip. */
  | { readonly by: 'pdf'; readonly layout: PdfOptions };

/** Turns rows into the bytes of one complete file, by SQL the engine runs. Options are filled and checked. */
export interface Format<O> {
  readonly extension: string;
  readonly mediaType: string;
  /** Whether a compression may be put around the file. */
  readonly compressible: boolean;
  /** What its bytes depend on beside the engine, as one word; a run is not gone on with where it changed. */
  readonly versions?: string;
  /** Throws `request.invalid` for columns the format cannot carry as the options stand. */
  check(columns: readonly Column[], options: O): void;
  segment(columns: readonly Column[], options: O): SegmentSql;
  /** `seed` is a text that differs from plan to plan: what looks random in a file is made of it. */
  joining(columns: readonly Column[], options: O, seed: string): Joining;
}

/**
 * COPY options that write one text column as it is, a row a line. The columns' own text holds no line end. Forced
 * quotes, where the quote is none, put nothing around a row and spare the writer a look at its every byte: a sixth
 * of all time.
 */
export const RAW_LINES = "format csv, header false, quote '', escape '', delimiter '', force_quote *";
