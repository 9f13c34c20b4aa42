import { type Global, WasmModule } from '../base/wasm.ts';
import type { Layout } from '../column/vectors.ts';
import { type RowsExports, VectorRows } from './vector-rows.ts';
import { XML_ROWS_WASM_BASE64 } from './xml-rows.wasm.ts';

/** How cells become rows of XML. */
export interface XmlText {
  readonly as: 'xml';
  /** What stands before each column's value, and before NULL, from the end of the value before it on. */
  readonly tags: readonly { readonly value: string; readonly none: string }[];
  /** What stands behind the last value, line end included. */
  readonly end: string;
}

/** The exports of xml-rows.wat, which says what they mean. */
type Exports = RowsExports & Readonly<Record<'tags' | 'endAt' | 'endLength', Global<number>>>;

const rowsModule = new WasmModule<Exports>(XML_ROWS_WASM_BASE64);

const TAGS_BYTES = 16;

/** Writes rows of XML. */
export class XmlRows extends VectorRows<Exports> {
  constructor(layouts: readonly Layout[], { tags, end }: XmlText) {
    const texts = tags.flatMap(({ value, none }) => [Buffer.from(value), Buffer.from(none)]);
    const endBytes = Buffer.byteLength(end);
    const placedBytes = texts.reduce((sum, { length }) => sum + length, tags.length * TAGS_BYTES + endBytes);
    // A line feed becomes `&#10;`.
    super(rowsModule, layouts, { placedBytes, rowBytes: placedBytes, expansion: 5 });
    this.wasm.tags.value = this.placedAt;
    let at = this.placedAt + tags.length * TAGS_BYTES;
    texts.forEach((text, index) => {
      this.bytes.writeUInt32LE(at, this.placedAt + index * 8);
      this.bytes.writeUInt32LE(text.length, this.placedAt + index * 8 + 4);
      this.bytes.set(text, at);
      at += text.length;
    });
    this.wasm.endAt.value = at;
    this.wasm.endLength.value = this.bytes.write(end, at);
  }
}
