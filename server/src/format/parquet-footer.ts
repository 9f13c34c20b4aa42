import type { ThriftField, ThriftStruct, ThriftValue } from './thrift.ts';
import { asList, asLong, asStruct, fieldOf, thriftType } from './thrift.ts';
import { decodeThrift } from './thrift-decode.ts';
import { encodeThrift } from './thrift-encode.ts';

// Field ids and layouts come from
// https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift

/** `PAR1`, which begins and ends a file; `PARE`, an encrypted footer, is refused. */
const MAGIC = Buffer.from('PAR1', 'latin1');
const MAGIC_BYTES = 4;
/** A little-endian uint32, the footer's length, and the magic. */
const TRAILER_BYTES = 8;
/** The length of a footer is an int32 to several readers, although the format leaves it open. */
const MAX_FOOTER_BYTES = 2 ** 31 - 1;
/** RowGroup.ordinal is an i16: row groups past this number go without one. */
const MAX_ORDINAL = 2 ** 15 - 1;

const FILE = { schema: 2, rows: 3, rowGroups: 4, createdBy: 6, encryption: 8 };
const ROW_GROUP = { columns: 1, rows: 3, fileOffset: 5, ordinal: 7 };
const COLUMN_CHUNK = { fileOffset: 2, metadata: 3 };
/**
 * Offset and length of a chunk's OffsetIndex (4, 5) and ColumnIndex (6, 7). An OffsetIndex holds absolute page
 * offsets among the copied bytes, where they stay those of the segment; so the joined footer names no page index.
 */
const PAGE_INDEX_FIELDS = new Set([4, 5, 6, 7]);
/** data_page_offset, index_page_offset, dictionary_page_offset, bloom_filter_offset. */
const COLUMN_OFFSETS = new Set([9, 10, 11, 14]);

/** The footer of one Parquet file: where its row groups begin is relative to its own file. */
export interface ParquetTail {
  /** Where the footer's thrift begins: bytes [4, dataEndBytes) are row groups, page indexes and bloom filters. */
  readonly dataEndBytes: number;
  /** FileMetaData in thrift's compact protocol, without the length and magic that follow it. */
  readonly footer: Uint8Array;
}

/** How far a segment's offsets move, and where its data ends in its own file. */
interface Shift {
  readonly deltaBytes: bigint;
  readonly dataEndBytes: bigint;
}

/**
 * Reads the tail of a file of `sizeBytes` through `read`, which gives exactly the bytes asked for.
 * Throws Error when the file is not a complete Parquet file with a plain footer.
 */
export async function readParquetTail(
  sizeBytes: number,
  read: (offset: number, length: number) => Promise<Uint8Array>,
): Promise<ParquetTail> {
  if (sizeBytes < MAGIC_BYTES + TRAILER_BYTES) throw new Error(`Not a Parquet file: only ${sizeBytes} bytes`);
  const readExactly = async (offset: number, length: number): Promise<Uint8Array> => {
    const bytes = await read(offset, length);
    if (bytes.length === length) return bytes;
    throw new Error(`Parquet file cut short: ${bytes.length} of ${length} bytes at ${offset}`);
  };
  // Copies, because `read` may hand out the same memory each time.
  const head = Buffer.from(await readExactly(0, MAGIC_BYTES));
  const trailer = Buffer.from(await readExactly(sizeBytes - TRAILER_BYTES, TRAILER_BYTES));
  if (!head.equals(MAGIC)) throw new Error('Not a Parquet file: it does not begin with PAR1');
  if (!trailer.subarray(4).equals(MAGIC)) throw new Error('Not a Parquet file: it does not end with PAR1');
  const footerBytes = trailer.readUInt32LE(0);
  const dataEndBytes = sizeBytes - TRAILER_BYTES - footerBytes;
  if (dataEndBytes < MAGIC_BYTES) throw new Error(`Not a Parquet file: its footer claims ${footerBytes} bytes`);
  return { dataEndBytes, footer: await readExactly(dataEndBytes, footerBytes) };
}

/**
 * Makes one footer out of those of many segments whose data was copied, one after the other, into one file.
 * Row groups are held encoded, as they will stand in the joined footer, and nothing else grows with the segments.
 */
export class FooterMerger {
  readonly #rowGroups: Uint8Array[] = [];
  #first: ThriftStruct | undefined;
  #rows = 0n;

  /**
   * Adds a segment whose bytes [4, dataEndBytes) were put at `atBytes` of the joined file. Returns its rows.
   * Throws Error, and leaves the merger as it was, when the footer does not decode, is of an encrypted file, states
   * other rows than its row groups, points outside its data, or has another schema or other file metadata than the
   * first segment (only `created_by` may differ; the first segment's is kept).
   */
  add(tail: ParquetTail, atBytes: number): number {
    const footer = decodeThrift(tail.footer);
    if (fieldOf(footer, FILE.encryption) !== undefined) throw new Error('An encrypted Parquet file cannot be joined');
    const shift = { deltaBytes: BigInt(atBytes - MAGIC_BYTES), dataEndBytes: BigInt(tail.dataEndBytes) };
    const rowGroups = asList(fieldOf(footer, FILE.rowGroups), 'row_groups').values;
    const rows = asLong(fieldOf(footer, FILE.rows), 'num_rows');
    let groupRows = 0n;
    const encoded = rowGroups.map((value, index) => {
      const rowGroup = asStruct(value, 'row group');
      groupRows += asLong(fieldOf(rowGroup, ROW_GROUP.rows), 'row group rows');
      return encodeThrift(moveRowGroup(rowGroup, shift, this.#rowGroups.length + index));
    });
    if (groupRows !== rows) throw new Error(`A Parquet footer states ${rows} rows, its row groups ${groupRows}`);
    const shared = withoutRowGroups(footer);
    if (this.#first === undefined) this.#first = shared;
    else requireSameFile(this.#first, shared);
    for (const rowGroup of encoded) this.#rowGroups.push(rowGroup);
    this.#rows += rows;
    return Number(rows);
  }

  /**
   * The joined file's last bytes: thrift footer, its length (4 bytes, little-endian) and `PAR1`.
   * Throws Error when no segment was added, or when the footer is longer than a Parquet file can state.
   */
  finish(): Uint8Array {
    if (this.#first === undefined) throw new Error('A Parquet file needs at least one segment');
    const rowGroups = { elementType: thriftType.struct, values: this.#rowGroups };
    const fields = this.#first.fields.map((field) => {
      if (field.id === FILE.rows) return { ...field, value: this.#rows };
      return field.id === FILE.rowGroups ? { ...field, value: rowGroups } : field;
    });
    const footer = encodeThrift({ fields });
    if (footer.length > MAX_FOOTER_BYTES) throw new Error(`A Parquet footer of ${footer.length} bytes is too long`);
    const trailer = Buffer.alloc(TRAILER_BYTES);
    trailer.writeUInt32LE(footer.length, 0);
    MAGIC.copy(trailer, 4);
    return Buffer.concat([footer, trailer]);
  }
}

/** The fields that all segments share, with rows and row groups emptied; free of the bytes it was decoded from. */
function withoutRowGroups(footer: ThriftStruct): ThriftStruct {
  const fields = footer.fields.map((field): ThriftField => {
    if (field.id === FILE.rows) return { ...field, value: 0n };
    if (field.id === FILE.rowGroups) return { ...field, value: { elementType: thriftType.struct, values: [] } };
    return field;
  });
  return decodeThrift(encodeThrift({ fields }));
}

function requireSameFile(first: ThriftStruct, other: ThriftStruct): void {
  for (const { id } of [...first.fields, ...other.fields]) {
    if (id === FILE.createdBy || isSameField(first, other, id)) continue;
    const what = id === FILE.schema ? 'schema' : `file metadata (field ${id} of FileMetaData)`;
    throw new Error(`A Parquet segment has another ${what} than the first one`);
  }
}

function isSameField(first: ThriftStruct, other: ThriftStruct, id: number): boolean {
  const bytesOf = (struct: ThriftStruct): Uint8Array =>
    encodeThrift({ fields: struct.fields.filter((field) => field.id === id) });
  return Buffer.compare(bytesOf(first), bytesOf(other)) === 0;
}

function moveRowGroup(rowGroup: ThriftStruct, shift: Shift, ordinal: number): ThriftStruct {
  const fields: ThriftField[] = [];
  for (const field of rowGroup.fields) {
    if (field.id === ROW_GROUP.columns) {
      const { elementType, values } = asList(field.value, 'columns');
      const chunks = values.map((value) => moveColumnChunk(asStruct(value, 'column chunk'), shift));
      fields.push({ ...field, value: { elementType, values: chunks } });
    } else if (field.id === ROW_GROUP.fileOffset) {
      fields.push({ ...field, value: moveOffset(field.value, shift) });
    } else if (field.id !== ROW_GROUP.ordinal) {
      fields.push(field);
    } else if (ordinal <= MAX_ORDINAL) {
      fields.push({ ...field, value: ordinal });
    }
  }
  return { fields };
}

function moveColumnChunk(chunk: ThriftStruct, shift: Shift): ThriftStruct {
  const fields: ThriftField[] = [];
  for (const field of chunk.fields) {
    if (PAGE_INDEX_FIELDS.has(field.id)) continue;
    if (field.id === COLUMN_CHUNK.fileOffset) {
      fields.push({ ...field, value: moveOffset(field.value, shift) });
    } else if (field.id === COLUMN_CHUNK.metadata) {
      const metadata = asStruct(field.value, 'column metadata').fields;
      const moved = metadata.map((inner) =>
        COLUMN_OFFSETS.has(inner.id) ? { ...inner, value: moveOffset(inner.value, shift) } : inner,
      );
      fields.push({ ...field, value: { fields: moved } });
    } else {
      fields.push(field);
    }
  }
  return { fields };
}

/**
 * No offset of a real file is below 4, and writers put 0 for "not set": DuckDB does so in ColumnChunk.file_offset,
 * which is required, and parquet-mr did in dictionary_page_offset. So 0 stays.
 */
function moveOffset(value: ThriftValue, { deltaBytes, dataEndBytes }: Shift): bigint {
  const offset = asLong(value, 'offset');
  if (offset === 0n) return offset;
  if (offset < MAGIC_BYTES || offset > dataEndBytes) throw new Error(`A Parquet footer points at ${offset}, not data`);
  return offset + deltaBytes;
}
