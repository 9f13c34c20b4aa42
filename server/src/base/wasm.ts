/** The part of Node's WebAssembly that is used: its types come with the DOM only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
  readonly Memory: new (pages: { readonly initial: number }) => Memory;
};

const PAGE_BYTES = 65_536;

/** What an exported global is. */
export interface Global<T> {
  value: T;
}

/** What an exported memory is; growing it detaches what was made of its buffer. */
export interface Memory {
  readonly buffer: ArrayBuffer;
  /** Adds pages of 64 KiB. */
  grow(pages: number): number;
}

/** A compiled module, of which there may be many instances. */
export class WasmModule<Exports> {
  readonly #module: object;

  constructor(base64: string) {
    this.#module = new WebAssembly.Module(Buffer.from(base64, 'base64'));
  }

  /** `memory` for modules that have none of their own, `calls` for those that ask back. */
  instantiate(memory?: Memory, calls: Readonly<Record<string, (...values: number[]) => number>> = {}): Exports {
    return new WebAssembly.Instance(this.#module, { memory: { memory }, calls }).exports as Exports;
  }
}

/** So many pages of 64 KiB. */
export function makeMemory(pages: number): Memory {
  return new WebAssembly.Memory({ initial: pages });
}

/** Memories of so many pages that nobody uses any more are used again: left to the collector, they would stay for long. */
export class SpareMemories {
  readonly #pages: number;
  readonly #spare: Memory[] = [];

  constructor(pages: number) {
    this.#pages = pages;
  }

  /** One that is empty or as it was given back. */
  take(): Memory {
    return this.#spare.pop() ?? makeMemory(this.#pages);
  }

  /** What has grown is left to the collector. */
  giveBack(memory: Memory): void {
    if (memory.buffer.byteLength === this.#pages * PAGE_BYTES) this.#spare.push(memory);
  }
}
