import { type Global, WasmModule } from '../../base/wasm.ts';
import { mayNeedQuotes, putDoubling } from '../../column/csv-text.ts';
import type { CsvRows } from '../source.ts';
import type { CellKind } from './cells.ts';
import { type CellsExports, CopyCells, KINDS_AT } from './copy-cells.ts';
import { CSV_CELLS_WASM_BASE64 } from './csv-cells.wasm.ts';

interface Exports
  extends CellsExports,
    Readonly<Record<'delimiter' | 'nullAt' | 'nullLength' | 'mayNeedQuotes', Global<number>>> {}

const cellsModule = new WasmModule<Exports>(CSV_CELLS_WASM_BASE64);

/** Takes the rows of a binary COPY and writes them as CSV; what equals the text of NULL is quoted. */
export class CsvCells extends CopyCells<Exports> {
  constructor() {
    super(cellsModule);
    putDoubling(this.memory);
  }

  /** Rows come, one kind a column. */
  begin(kinds: readonly CellKind[], { delimiter, nullText }: Pick<CsvRows, 'delimiter' | 'nullText'>): this {
    const { nullAt, nullLength, ...wasm } = this.wasm;
    const nullBytes = Buffer.byteLength(nullText);
    nullAt.value = KINDS_AT + kinds.length;
    this.restart(kinds, nullAt.value + nullBytes, kinds.length * (nullBytes + delimiter.length));
    nullLength.value = this.memory.write(nullText, nullAt.value);
    wasm.delimiter.value = delimiter.charCodeAt(0);
    wasm.mayNeedQuotes.value = Number(mayNeedQuotes(delimiter, nullText));
    return this;
  }
}
