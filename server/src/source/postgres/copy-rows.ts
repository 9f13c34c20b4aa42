import { COPY_ROWS_WASM_BASE64 } from './copy-rows.wasm.ts';
import { moduleOf, RowTaker } from './row-taker.ts';
import type { Stamp } from './stamps.ts';

/** As copy-rows.wat has its regions. */
const MODULE = { module: moduleOf(COPY_ROWS_WASM_BASE64), readAt: 8192, rowsAt: 81920 };

const KINDS = { timestamp: 1, instant: 2 } as const;

/** Takes rows of PostgreSQL's CSV and rewrites the moments in them, which stand unquoted, as docs/values.md has them. */
export class CopyRows extends RowTaker {
  constructor() {
    super(MODULE);
  }

  /** Rows come, one stamp a column, or null for rows that go as they come. What was before is forgotten. */
  begin(stamps: readonly Stamp[] | null, delimiter: string): this {
    this.restart();
    this.wasm.delimiter.value = delimiter.charCodeAt(0);
    this.wasm.last.value = stamps?.findLastIndex((stamp) => stamp !== null) ?? -1;
    stamps?.forEach((stamp, column) => {
      this.memory.writeUInt8(stamp === null ? 0 : KINDS[stamp], column);
    });
    return this;
  }
}
