import { type Global, WasmModule } from '../base/wasm.ts';
import type { Layout } from '../column/vectors.ts';
import { JSON_ROWS_WASM_BASE64 } from './json-rows.wasm.ts';
import { type RowsExports, VectorRows } from './vector-rows.ts';

/** How cells become members of JSON objects. */
export interface JsonText {
  readonly as: 'json';
  readonly members: readonly {
    /** What stands before the value: `{"name":` or `,"name":`. */
    readonly head: string;
    /** Whether the value is written as a string; text that is not is JSON by itself. */
    readonly isString: boolean;
  }[];
  /** What stands behind the last value, line end included: 4 bytes at most. */
  readonly end: string;
}

/** The exports of json-rows.wat, which says what they mean. */
type Exports = RowsExports & Readonly<Record<'members' | 'close' | 'closeLength', Global<number>>>;

const rowsModule = new WasmModule<Exports>(JSON_ROWS_WASM_BASE64);

const MEMBER_BYTES = 16;

/** Writes rows as JSON objects, a line each. */
export class JsonRows extends VectorRows<Exports> {
  constructor(layouts: readonly Layout[], { members, end }: JsonText) {
    const heads = members.map(({ head }) => Buffer.from(head));
    const placedBytes = heads.reduce((sum, { length }) => sum + length, members.length * MEMBER_BYTES);
    // A control character becomes six.
    super(rowsModule, layouts, { placedBytes, rowBytes: placedBytes + end.length, expansion: 6 });
    this.wasm.members.value = this.placedAt;
    let at = this.placedAt + members.length * MEMBER_BYTES;
    heads.forEach((head, column) => {
      const member = this.placedAt + column * MEMBER_BYTES;
      this.bytes.writeUInt32LE(at, member);
      this.bytes.writeUInt32LE(head.length, member + 4);
      this.bytes.writeUInt32LE(Number(members[column]?.isString), member + 8);
      this.bytes.set(head, at);
      at += head.length;
    });
    this.wasm.close.value = Buffer.from(end).readUIntLE(0, end.length);
    this.wasm.closeLength.value = end.length;
  }
}
