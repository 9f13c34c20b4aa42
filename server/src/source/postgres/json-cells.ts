import { type Global, WasmModule } from '../../base/wasm.ts';
import { type JsonMember, type JsonRows, MAX_COLUMNS, MAX_HEADS_BYTES } from '../source.ts';
import type { CellKind } from './cells.ts';
import { type CellsExports, CopyCells, KINDS_AT } from './copy-cells.ts';
import { JSON_CELLS_WASM_BASE64 } from './json-cells.wasm.ts';

/** As json-cells.wat has its regions. */
const FORMS_AT = KINDS_AT + MAX_COLUMNS;
const PLACES_AT = FORMS_AT + MAX_COLUMNS;
const HEADS_AT = 13968;

const FORMS = { bare: 0, string: 1, json: 2 } as const;

interface Exports extends CellsExports, Readonly<Record<'close' | 'closeBytes', Global<number>>> {}

const cellsModule = new WasmModule<Exports>(JSON_CELLS_WASM_BASE64);

/** Takes the rows of a binary COPY and writes each as a line of JSON. */
export class JsonCells extends CopyCells<Exports> {
  constructor() {
    super(cellsModule);
  }

  /** Rows come, of as many columns as members, one kind a column. */
  begin(kinds: readonly CellKind[], { members, after }: JsonRows): this {
    const { close, closeBytes } = this.wasm;
    const end = Buffer.from(`}${after}\n`);
    this.restart(kinds, HEADS_AT + MAX_HEADS_BYTES, MAX_HEADS_BYTES + end.length);
    closeBytes.value = end.length;
    close.value = end.readUIntLE(0, end.length);
    this.#writeHeads(members);
    return this;
  }

  #writeHeads(members: readonly JsonMember[]): void {
    let at = HEADS_AT;
    members.forEach(({ head, is }, column) => {
      this.memory.writeUInt8(FORMS[is], FORMS_AT + column);
      this.memory.writeUInt32LE(at, PLACES_AT + 4 * column);
      at += this.memory.write(is === 'string' ? `${head}"` : head, at);
      if (at > HEADS_AT + MAX_HEADS_BYTES) throw new RangeError('The names of columns are longer than there is room.');
    });
    this.memory.writeUInt32LE(at, PLACES_AT + 4 * members.length);
  }
}
