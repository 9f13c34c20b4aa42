const [QUOTE, PLUS, MINUS, ZERO, NINE, BLANK, T, Z, DOT, LINE_FEED] = [
  0x22, 0x2b, 0x2d, 0x30, 0x39, 0x20, 0x54, 0x5a, 0x2e, 0x0a,
];

/** More than a chunk of the socket becomes: a moment grows by eight bytes at most. */
const OUT_BYTES = 256 * 1024;

/** Longer than any moment's text. */
const STAMP_BYTES = 64;

/** `2026-01-31 23:59:59`, without a fraction. */
const SECONDS_LENGTH = 19;
const FRACTION_DIGITS = 6;

/** What a column of moments is: with a zone, which is UTC, or without; null for every other column. */
export type Stamp = 'instant' | 'timestamp' | null;

/**
 * Rewrites the moments in rows of PostgreSQL's CSV, `2026-01-31 23:59:59.12+00`, as docs/values.md has them. That
 * takes a tenth of what to_char takes on the server. The cells of moments are not quoted; a row comes in any number
 * of parts, and what stands behind its last moment is not looked at.
 */
export class Stamps {
  readonly #stamps: readonly Stamp[];
  readonly #last: number;
  readonly #delimiter: number;
  #out: Buffer = Buffer.allocUnsafeSlow(OUT_BYTES);
  #used = 0;
  #cell = 0;
  #isQuoted = false;
  readonly #stamp: Buffer = Buffer.allocUnsafeSlow(STAMP_BYTES);
  #stampBytes = 0;

  /** One stamp for each column. */
  constructor(stamps: readonly Stamp[], delimiter: string) {
    this.#stamps = stamps;
    this.#last = stamps.findLastIndex((each) => each !== null);
    this.#delimiter = delimiter.charCodeAt(0);
  }

  /** Whether moments stand unquoted beside this delimiter and NULL, and can be told from it. */
  static areClear(delimiter: string, nullText: string): boolean {
    return !/[-+:. \d]/.test(delimiter) && /^([A-Za-z\\]{1,7}|)$/.test(nullText);
  }

  /** What is rewritten so far and not yet taken away. */
  get pending(): Buffer {
    return this.#out.subarray(0, this.#used);
  }

  /** Takes the first bytes of `pending` away. */
  drop(bytes: number): void {
    this.#out.copyWithin(0, bytes, this.#used);
    this.#used -= bytes;
  }

  /** A part of a row, `bytes[start, end)`. */
  take(bytes: Buffer, start: number, end: number): void {
    this.#makeRoom(end - start);
    let at = start;
    while (at < end && this.#cell <= this.#last) {
      at = this.#stamps[this.#cell] ? this.#takeStamp(bytes, at, end) : this.#takeCell(bytes, at, end);
    }
    if (at < end) this.#used += bytes.copy(this.#out, this.#used, at, end);
  }

  /** The next part begins a row. */
  endRow(): void {
    this.#cell = 0;
    this.#isQuoted = false;
  }

  #makeRoom(bytes: number): void {
    const needed = this.#used + bytes + (this.#stamps.length + 1) * STAMP_BYTES;
    if (needed <= this.#out.length) return;
    const larger = Buffer.allocUnsafeSlow(needed * 2);
    this.#out.copy(larger, 0, 0, this.#used);
    this.#out = larger;
  }

  /** Copies up to the cell's delimiter, and it too. */
  #takeCell(bytes: Buffer, start: number, end: number): number {
    const [out, delimiter] = [this.#out, this.#delimiter];
    let [at, used, isQuoted] = [start, this.#used, this.#isQuoted];
    while (at < end) {
      const byte = bytes[at++] as number;
      out[used++] = byte;
      if (byte === QUOTE) isQuoted = !isQuoted;
      else if (byte === delimiter && !isQuoted) {
        this.#cell++;
        break;
      }
    }
    this.#used = used;
    this.#isQuoted = isQuoted;
    return at;
  }

  #takeStamp(bytes: Buffer, start: number, end: number): number {
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number;
      if (byte === this.#delimiter || byte === LINE_FEED) {
        this.#write(this.#stamp.subarray(0, this.#stampBytes), this.#stamps[this.#cell] ?? null);
        this.#out[this.#used++] = byte;
        this.#stampBytes = 0;
        this.#cell++;
        return at + 1;
      }
      if (this.#stampBytes === STAMP_BYTES) throw new RangeError('A moment is longer than any moment is.');
      this.#stamp[this.#stampBytes++] = byte;
    }
    return end;
  }

  #write(text: Buffer, stamp: Stamp): void {
    const isUsual = text[4] === MINUS && text[10] === BLANK && text.length >= SECONDS_LENGTH && isDigit(text[0]);
    const end = isUsual ? this.#endOfUsual(text, stamp) : 0;
    if (end === 0) this.#used += this.#out.write(unusual(text.toString('latin1')), this.#used, 'latin1');
    else this.#writeUsual(text, end, stamp);
  }

  /** Where the digits of the fraction end, or zero for a text with more behind them than a zone. */
  #endOfUsual(text: Buffer, stamp: Stamp): number {
    const end = text.length - (stamp === 'instant' ? '+00'.length : 0);
    if (!isDigit(text[end - 1]) || (stamp === 'instant' && text[end] !== PLUS)) return 0;
    return end === SECONDS_LENGTH || text[SECONDS_LENGTH] === DOT ? end : 0;
  }

  #writeUsual(text: Buffer, end: number, stamp: Stamp): void {
    const [out, from] = [this.#out, this.#used];
    for (let at = 0; at < end; at++) out[from + at] = text[at] as number;
    out[from + 10] = T;
    out[from + SECONDS_LENGTH] = DOT;
    const full = SECONDS_LENGTH + 1 + FRACTION_DIGITS;
    for (let at = Math.max(end, SECONDS_LENGTH + 1); at < full; at++) out[from + at] = ZERO;
    if (stamp === 'instant') out[from + full] = Z;
    this.#used += full + (stamp === 'instant' ? 1 : 0);
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

/** Years before 1 and after 9999, and what is no moment: infinities and NULL stay as they are. */
function unusual(text: string): string {
  const [, year, day, time, fraction = '', zone, era] =
    /^(\d{4,})-(\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(\+00)?( BC)?$/.exec(text) ?? [];
  if (year === undefined) return text;
  // There is no year 0 in PostgreSQL: 1 BC is year 0 of ISO.
  const number = era === undefined ? Number(year) : 1 - Number(year);
  const digits = String(Math.abs(number));
  const written =
    number >= 0 && number <= 9999 ? digits.padStart(4, '0') : `${number < 0 ? '-' : '+'}${digits.padStart(6, '0')}`;
  return `${written}-${day}T${time}.${fraction.padEnd(FRACTION_DIGITS, '0')}${zone === undefined ? '' : 'Z'}`;
}
