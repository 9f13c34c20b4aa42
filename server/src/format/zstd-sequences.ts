import {
  type Codes,
  LITERALS_LENGTH_CODES,
  LITERALS_LENGTH_DEFAULTS,
  MATCH_LENGTH_CODES,
  MATCH_LENGTH_DEFAULTS,
  OFFSET_DEFAULTS,
} from './zstd-codes.ts';
import type { Block } from './zstd-frame.ts';
import { BackwardBits, type FseTable, fseTable, numberAt, readFseTable, singleSymbolTable } from './zstd-fse.ts';

/** RFC 8878, section 3.1.1.3.2: so many literals, then so many bytes from further back. */
export interface Sequence {
  readonly literalsLength: number;
  /** Offset_Value: 1 to 3 name a repeated offset, others are 3 more than the offset. */
  readonly offsetValue: number;
  readonly matchLength: number;
}

/** What a compressed block is made of. */
export interface BlockSequences {
  readonly literalsBytes: number;
  /** Decoded as they are asked for. Reading on throws Error where they are malformed. */
  readonly sequences: Iterable<Sequence>;
}

/** A kind of symbol that sequences are coded with. */
interface SymbolKind {
  readonly defaults: FseTable;
  readonly allowed: { readonly accuracyLog: number; readonly symbols: number };
}

const literalsLengthKind: SymbolKind = {
  defaults: fseTable(6, LITERALS_LENGTH_DEFAULTS),
  allowed: { accuracyLog: 9, symbols: 36 },
};
const offsetKind: SymbolKind = { defaults: fseTable(5, OFFSET_DEFAULTS), allowed: { accuracyLog: 8, symbols: 32 } };
const matchLengthKind: SymbolKind = {
  defaults: fseTable(6, MATCH_LENGTH_DEFAULTS),
  allowed: { accuracyLog: 9, symbols: 53 },
};

/** Symbol compression modes (section 3.1.1.3.2.1); 3 is Repeat_Mode. */
const mode = { predefined: 0, single: 1, described: 2 } as const;

interface Tables {
  readonly literalsLength: FseTable;
  readonly offset: FseTable;
  readonly matchLength: FseTable;
}

interface At<T> {
  readonly value: T;
  /** The byte behind it. */
  readonly end: number;
}

/** Decodes the sequences of compressed blocks, which are to be opened one after the other from a frame's first on. */
export class SequenceDecoder {
  readonly #bytes: Uint8Array;
  /** Of the last block with sequences, for those that repeat them. */
  #tables: Tables | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Throws Error when the block is malformed before its first sequence. */
  open({ start, end }: Block): BlockSequences {
    const literals = readLiteralsHeader(this.#bytes, start);
    const count = readSequenceCount(this.#bytes, literals.end);
    if (count.value === 0) return { literalsBytes: literals.value, sequences: [] };
    const tables = this.#readTables(count.end);
    this.#tables = tables.value;
    const bits = new BackwardBits(this.#bytes, tables.end, end);
    return { literalsBytes: literals.value, sequences: decode(bits, tables.value, count.value) };
  }

  #readTables(at: number): At<Tables> {
    const modes = numberAt(this.#bytes, at);
    if ((modes & 3) !== 0) throw new Error('Zstandard: reserved bits of the modes are set');
    const last = this.#tables;
    const literalsLength = this.#readTable(literalsLengthKind, modes >> 6, { at: at + 1, last: last?.literalsLength });
    const offset = this.#readTable(offsetKind, (modes >> 4) & 3, { at: literalsLength.end, last: last?.offset });
    const matchLength = this.#readTable(matchLengthKind, (modes >> 2) & 3, { at: offset.end, last: last?.matchLength });
    return {
      value: { literalsLength: literalsLength.value, offset: offset.value, matchLength: matchLength.value },
      end: matchLength.end,
    };
  }

  #readTable(
    kind: SymbolKind,
    tableMode: number,
    { at, last }: { readonly at: number; readonly last: FseTable | undefined },
  ): At<FseTable> {
    switch (tableMode) {
      case mode.predefined:
        return { value: kind.defaults, end: at };
      case mode.single:
        return { value: singleSymbolTable(numberAt(this.#bytes, at)), end: at + 1 };
      case mode.described:
        return readFseTable(this.#bytes, at, kind.allowed);
      default:
        if (last === undefined) throw new Error('Zstandard: a table is repeated before there was one');
        return { value: last, end: at };
    }
  }
}

/** Order of reading: section 3.1.1.3.2.1.2. */
function* decode(bits: BackwardBits, tables: Tables, count: number): Generator<Sequence> {
  const literalsLengths = new Decoder(tables.literalsLength, bits);
  const offsets = new Decoder(tables.offset, bits);
  const matchLengths = new Decoder(tables.matchLength, bits);
  for (let index = 0; index < count; index += 1) {
    const offsetCode = offsets.symbol;
    const offsetValue = 2 ** offsetCode + bits.read(offsetCode);
    const matchLength = readLength(bits, MATCH_LENGTH_CODES, matchLengths.symbol);
    const literalsLength = readLength(bits, LITERALS_LENGTH_CODES, literalsLengths.symbol);
    yield { literalsLength, offsetValue, matchLength };
    if (index + 1 === count) return;
    literalsLengths.advance();
    matchLengths.advance();
    offsets.advance();
  }
}

/** A state in a table; the first one is read at once. */
class Decoder {
  readonly #table: FseTable;
  readonly #bits: BackwardBits;
  #state: number;

  constructor(table: FseTable, bits: BackwardBits) {
    this.#table = table;
    this.#bits = bits;
    this.#state = bits.read(table.accuracyLog);
  }

  get symbol(): number {
    return numberAt(this.#table.symbols, this.#state);
  }

  advance(): void {
    const { baselines, bitCounts } = this.#table;
    this.#state = numberAt(baselines, this.#state) + this.#bits.read(numberAt(bitCounts, this.#state));
  }
}

function readLength(bits: BackwardBits, { baselines, bitCounts }: Codes, code: number): number {
  return numberAt(baselines, code) + bits.read(numberAt(bitCounts, code));
}

/** How many literals there are (section 3.1.1.3.1.1), and where the literals section ends. */
function readLiteralsHeader(bytes: Uint8Array, at: number): At<number> {
  const first = numberAt(bytes, at);
  const isCoded = (first & 2) !== 0;
  const format = (first >> 2) & 3;
  if (isCoded) {
    const sizeBits = [10, 10, 14, 18][format] ?? 0;
    const header = readNumber(bytes, at, [3, 3, 4, 5][format] ?? 0);
    const sizes = Math.floor(header / 16);
    const codedBytes = Math.floor(sizes / 2 ** sizeBits);
    return { value: sizes % 2 ** sizeBits, end: at + ([3, 3, 4, 5][format] ?? 0) + codedBytes };
  }
  const headerBytes = [1, 2, 1, 3][format] ?? 0;
  const size = readNumber(bytes, at, headerBytes) >> (headerBytes === 1 ? 3 : 4);
  const isRepeated = (first & 1) === 1;
  return { value: size, end: at + headerBytes + (isRepeated ? 1 : size) };
}

/** Number_of_Sequences (section 3.1.1.3.2.1). */
function readSequenceCount(bytes: Uint8Array, at: number): At<number> {
  const first = numberAt(bytes, at);
  if (first < 128) return { value: first, end: at + 1 };
  if (first < 255) return { value: ((first - 128) << 8) + numberAt(bytes, at + 1), end: at + 2 };
  return { value: readNumber(bytes, at + 1, 2) + 0x7f00, end: at + 3 };
}

/** The lowest byte comes first. */
function readNumber(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let index = length - 1; index >= 0; index -= 1) value = value * 256 + numberAt(bytes, at + index);
  return value;
}
