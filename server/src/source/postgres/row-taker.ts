import { rewriteStamp } from './stamps.ts';

/** What a server sends at once seldom has more. */
const READ_BYTES = 64 * 1024;

/** No moment's text is as long, nor a message's header, nor a backslash with what it stands before. */
const MAX_LEFT_BYTES = 64;

interface Global<T> {
  value: T;
}

/** The exports that all modules with copy-messages.wat have. */
export interface TakerExports
  extends Readonly<
    Record<'at' | 'end' | 'out' | 'rest' | 'cell' | 'last' | 'delimiter' | 'momentEnd', Global<number>>
  > {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly count: Global<bigint>;
  readonly take: () => number;
}

const MOMENT_IS_UNUSUAL = 2;
const IS_OTHER = 3;

/** The part of Node's WebAssembly that is used here: its types come with the DOM only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

/** A module of copy-messages.wat, and where it has its regions: what was left of the last read stands right before `readAt`. */
export interface TakerModule {
  readonly module: object;
  readonly readAt: number;
  readonly rowsAt: number;
}

export function moduleOf(base64: string): object {
  return new WebAssembly.Module(Buffer.from(base64, 'base64'));
}

/**
 * Takes the rows out of a server's bytes, which may part anywhere, and writes them in another way. Call `receive`, then
 * `take` and empty `rows` until nothing is left to take, then `keep`, before more is read into `input`.
 */
export class RowTaker<Exports extends TakerExports = TakerExports> {
  /** A socket may read right into it. */
  readonly input: Buffer;
  protected readonly memory: Buffer;
  protected readonly wasm: Exports;
  readonly #module: TakerModule;
  #taken: number;

  protected constructor(module: TakerModule) {
    this.#module = module;
    this.wasm = new WebAssembly.Instance(module.module).exports as Exports;
    this.memory = Buffer.from(this.wasm.memory.buffer);
    this.input = this.memory.subarray(module.readAt, module.readAt + READ_BYTES);
    this.#taken = module.rowsAt;
  }

  /** Forgets what was before. */
  protected restart(): void {
    const { at, end, out, rest, count, cell } = this.wasm;
    at.value = end.value = this.#module.readAt;
    out.value = this.#taken = this.#module.rowsAt;
    rest.value = cell.value = 0;
    count.value = 0n;
  }

  /** Takes bytes in, which may stand in `input` already, and tells how many. */
  receive(bytes: Buffer): number {
    const length = Math.min(bytes.length, READ_BYTES);
    if (bytes.buffer !== this.memory.buffer) bytes.copy(this.input, 0, 0, length);
    this.wasm.end.value = this.#module.readAt + length;
    return length;
  }

  /** Takes rows out of what came, `rows` being empty. True when a message is next that is none of rows. */
  take(): boolean {
    const { out, take } = this.wasm;
    out.value = this.#taken = this.#module.rowsAt;
    let what = take();
    for (; what === MOMENT_IS_UNUSUAL; what = take()) this.#rewriteUnusual();
    return what === IS_OTHER;
  }

  /** Rows that were taken and not yet dropped. */
  get rows(): Buffer {
    return this.memory.subarray(this.#taken, this.wasm.out.value);
  }

  /** Takes the first bytes of `rows` away. */
  drop(bytes: number): void {
    this.#taken += bytes;
  }

  /** What came and is not taken. */
  get left(): Buffer {
    return this.memory.subarray(this.wasm.at.value, this.wasm.end.value);
  }

  /** Steps over bytes that are none of rows. */
  skip(bytes: number): void {
    this.wasm.at.value += bytes;
  }

  /** Puts what is left aside, so that `input` is free. */
  keep(): void {
    const { at, end } = this.wasm;
    const { readAt } = this.#module;
    const length = end.value - at.value;
    if (length > MAX_LEFT_BYTES) throw new RangeError('What has to come as a whole is longer than it can be.');
    this.memory.copyWithin(readAt - length, at.value, end.value);
    at.value = readAt - length;
    end.value = readAt;
  }

  /** Rows that began so far. */
  get count(): number {
    return Number(this.wasm.count.value);
  }

  #rewriteUnusual(): void {
    const { at, out, rest, momentEnd } = this.wasm;
    const text = this.memory.toString('latin1', at.value, momentEnd.value);
    out.value += this.memory.write(rewriteStamp(text), out.value, 'latin1');
    rest.value -= momentEnd.value - at.value;
    at.value = momentEnd.value;
  }
}
