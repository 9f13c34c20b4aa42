import type { Joining } from '../format/format.ts';
import type { ByteSink } from '../format/sink.ts';
import type { HeldSegment } from './zstd-segment.ts';

/** Where a finished segment is. */
export interface SegmentPlace {
  readonly path: string;
  /** Only a joiner of Zstandard's blocks meets any; null where the segment is in its file. */
  readonly held: HeldSegment | null;
}

/** Joins finished segments, in order, into one file, and counts the rows in the bytes that pass. */
export interface Joiner {
  append(segment: SegmentPlace): Promise<void>;
  /** Writes what comes after the last row and ends the sink. */
  finish(): Promise<void>;
  /** Rows found so far in the bytes themselves. */
  readonly rows: number;
  /** Ends what works beside the joiner, finished or not. */
  [Symbol.asyncDispose]?(): Promise<void>;
}

/** What a joiner works with beside its bytes. */
export interface JoinGround {
  /** Threads it may use; they change no byte. */
  readonly threads: number;
  readonly signal: AbortSignal;
}

/** A run joins one way, most often: the others are not loaded. */
export async function joinInto(sink: ByteSink, joining: Joining, ground: JoinGround): Promise<Joiner> {
  switch (joining.by) {
    case 'text': {
      const { TextJoiner } = await import('./join-text.ts');
      return new TextJoiner(sink, joining);
    }
    case 'parquet': {
      const { ParquetJoiner } = await import('./join-parquet.ts');
      return new ParquetJoiner(sink);
    }
    case 'avro': {
      const { AvroJoiner } = await import('./join-avro.ts');
      return new AvroJoiner(sink, joining);
    }
    case 'pdf': {
      const { PdfJoiner } = await import('./join-pdf.ts');
      return new PdfJoiner(sink, joining, ground);
    }
  }
}
