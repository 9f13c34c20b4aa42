import { blockType, readBlock } from './zstd-frame.ts';
import { type Sequence, SequenceDecoder } from './zstd-sequences.ts';

export interface Match {
  /** Where in the text it begins. */
  readonly at: number;
  /** How far back it looks. */
  readonly offset: number;
  readonly length: number;
}

/** A match by a repeated offset that was there before the text: behind other blocks it means something else. */
interface BorrowedMatch extends Match {
  /** Where the match's block begins, in the text and in the bytes. */
  readonly block: { readonly textAt: number; readonly at: number };
}

/** What the repeated offsets are when a frame begins (RFC 8878, section 3.1.1.5). */
const INITIAL_OFFSETS = [1, 4, 8] as const;

/**
 * The first borrowed match of blocks that began a frame; null when there is none, so that they decode to the same
 * text behind any other blocks. Where the repeated offset before them is known to be 1 as well, `ownOffsets` is 1,
 * else 0. Looks no further than the sequence by which all three repeated offsets are the text's own, usually one of
 * the first. Throws Error when the blocks are malformed.
 */
export function findBorrowed(blocks: Buffer, ownOffsets: 0 | 1): BorrowedMatch | null {
  const decoder = new SequenceDecoder(blocks);
  const offsets = new RepeatedOffsets(ownOffsets);
  let textAt = 0;
  for (let at = 0; at < blocks.length && !offsets.areOwn; ) {
    const place = { textAt, at };
    const block = readBlock(blocks, at);
    at = block.end;
    if (block.type !== blockType.compressed) {
      textAt += block.size;
      continue;
    }
    const { literalsBytes, sequences } = decoder.open(block);
    let literalsLeft = literalsBytes;
    for (const sequence of sequences) {
      const { offset, isOwn } = offsets.use(sequence);
      if (offset < 1) throw new Error('Zstandard: an offset of 0');
      literalsLeft -= sequence.literalsLength;
      textAt += sequence.literalsLength;
      if (!isOwn) return { at: textAt, offset, length: sequence.matchLength, block: place };
      if (offsets.areOwn) return null;
      textAt += sequence.matchLength;
    }
    textAt += literalsLeft;
  }
  return null;
}

/** The three repeated offsets, and how many of them the text has put there itself. */
class RepeatedOffsets {
  #offsets: readonly number[] = INITIAL_OFFSETS;
  /** These are always the first: an offset that is used, and is not one of them, comes to the front. */
  #own: number;

  constructor(own: 0 | 1) {
    this.#own = own;
  }

  get areOwn(): boolean {
    return this.#own === INITIAL_OFFSETS.length;
  }

  use({ offsetValue, literalsLength }: Sequence): { readonly offset: number; readonly isOwn: boolean } {
    if (offsetValue > INITIAL_OFFSETS.length) return this.#add(offsetValue - INITIAL_OFFSETS.length);
    // Behind no literals the first one is not meant: 1 is the second, 2 the third and 3 the first less 1.
    const index = offsetValue - (literalsLength === 0 ? 0 : 1);
    const isOwn = index % INITIAL_OFFSETS.length < this.#own;
    if (index === INITIAL_OFFSETS.length) return { ...this.#add((this.#offsets[0] ?? 0) - 1), isOwn };
    const offset = this.#offsets[index] ?? 0;
    this.#offsets = [offset, ...this.#offsets.toSpliced(index, 1)];
    return { offset, isOwn };
  }

  #add(offset: number): { readonly offset: number; readonly isOwn: true } {
    this.#offsets = [offset, ...this.#offsets.slice(0, 2)];
    this.#own = Math.min(this.#own + 1, INITIAL_OFFSETS.length);
    return { offset, isOwn: true };
  }
}
