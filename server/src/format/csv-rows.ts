import { type Global, WasmModule } from '../base/wasm.ts';
import { putDoubling } from '../column/csv-text.ts';
import type { Layout } from '../column/vectors.ts';
import { CSV_ROWS_WASM_BASE64 } from './csv-rows.wasm.ts';
import { type RowsExports, VectorRows } from './vector-rows.ts';

/** How cells become rows of CSV. */
export interface CsvText {
  readonly as: 'csv';
  /** One ASCII character. */
  readonly delimiter: string;
  readonly lineEnd: '\n' | '\r\n';
  readonly nullText: string;
  readonly decimalPoint: '.' | ',';
}

type Numbers = 'delimiter' | 'point' | 'lineEnd' | 'lineEndLength' | 'nullAt' | 'nullLength';

/** The exports of csv-rows.wat, which says what they mean. */
type Exports = RowsExports & Readonly<Record<Numbers, Global<number>>>;

const rowsModule = new WasmModule<Exports>(CSV_ROWS_WASM_BASE64);

/** Writes rows of CSV. */
export class CsvRows extends VectorRows<Exports> {
  constructor(layouts: readonly Layout[], text: CsvText) {
    const nullBytes = Buffer.byteLength(text.nullText);
    const rowBytes = layouts.length * (text.delimiter.length + nullBytes) + text.lineEnd.length;
    // Every character of a text may be a quote.
    super(rowsModule, layouts, { placedBytes: nullBytes, rowBytes, expansion: 2 });
    const { delimiter, point, lineEnd, lineEndLength, nullAt, nullLength } = this.wasm;
    delimiter.value = text.delimiter.charCodeAt(0);
    point.value = text.decimalPoint.charCodeAt(0);
    lineEnd.value = Buffer.from(text.lineEnd.padEnd(2)).readUInt16LE();
    lineEndLength.value = text.lineEnd.length;
    nullAt.value = this.placedAt;
    nullLength.value = this.bytes.write(text.nullText, this.placedAt);
    putDoubling(this.bytes);
  }
}
