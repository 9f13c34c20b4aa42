import { type JsonMember, type JsonRows, MAX_HEADS_BYTES } from '../source.ts';
import { COPY_JSON_WASM_BASE64 } from './copy-json.wasm.ts';
import { moduleOf, RowTaker, type TakerExports } from './row-taker.ts';
import type { Stamp } from './stamps.ts';

/** As copy-json.wat has its regions. */
const MODULE = { module: moduleOf(COPY_JSON_WASM_BASE64), readAt: 65536, rowsAt: 131072 };
const PLACES_AT = 2048;
const HEADS_AT = 10240;

/** What a column is. */
const KIND = { timestamp: 1, instant: 2, json: 3, other: 0 } as const;
const IN_QUOTES = 4;

interface Exports extends TakerExports {
  readonly close: { value: number };
  readonly closeBytes: { value: number };
  readonly state: { value: number };
}

/** Takes rows of PostgreSQL's text format and writes each as a line of JSON, values as docs/values.md has them. */
export class CopyJson extends RowTaker<Exports> {
  constructor() {
    super(MODULE);
  }

  /** Rows come, of as many columns as members and stamps. What was before is forgotten. */
  begin({ members, after }: JsonRows, stamps: readonly Stamp[]): this {
    this.restart();
    const { delimiter, last, close, closeBytes, state } = this.wasm;
    delimiter.value = '\t'.charCodeAt(0);
    last.value = members.length - 1;
    state.value = 0;
    const end = Buffer.from(`}${after}\n`);
    closeBytes.value = end.length;
    close.value = end.readUIntLE(0, end.length);
    members.forEach(({ is }, column) => {
      const kind = KIND[stamps[column] ?? (is === 'json' ? is : 'other')];
      this.memory.writeUInt8(is === 'string' ? kind | IN_QUOTES : kind, column);
    });
    this.#writeHeads(members);
    return this;
  }

  #writeHeads(members: readonly JsonMember[]): void {
    let at = HEADS_AT;
    members.forEach(({ head, is }, column) => {
      this.memory.writeUInt32LE(at, PLACES_AT + 4 * column);
      at += this.memory.write(is === 'string' ? `${head}"` : head, at);
      if (at > HEADS_AT + MAX_HEADS_BYTES) throw new RangeError('The names of columns are longer than there is room.');
    });
    this.memory.writeUInt32LE(at, PLACES_AT + 4 * members.length);
  }
}
