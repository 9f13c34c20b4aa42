import { HAN, type Script } from './families.ts';
import { type UsedFont, UsedFonts } from './fonts.ts';
import { type Line, setParagraph } from './paragraph.ts';
import type { Cluster, ShapedText } from './shape.ts';
import { paragraphsOf } from './visible.ts';

/** A4 in points. */
export const PAGE = { width: 595, height: 842 } as const;
export const MARGIN = 57;
const TOP = PAGE.height - 72;
const BOTTOM = 66;
export const TEXT_WIDTH = PAGE.width - 2 * MARGIN;

export interface Look {
  readonly size: number;
  readonly weight: 'regular' | 'bold';
  /** 0 is black, 1 white. */
  readonly gray: number;
}

/** Where text is set: from `x`, at most `width` wide. */
interface Box {
  readonly x: number;
  readonly width: number;
}

interface Column {
  readonly lines: Iterable<Line>;
  readonly box: Box;
  readonly look: Look;
}

/** The pages of one document, filled from top to bottom. */
export class Pages {
  readonly fonts = new UsedFonts();
  readonly #han: readonly Script[];
  readonly #pages: string[][] = [];
  #y = TOP;

  constructor(han: readonly Script[]) {
    this.#han = han;
    this.#turn();
  }

  get count(): number {
    return this.#pages.length;
  }

  /** The content of each page. */
  contents(): string[] {
    return this.#pages.map((operators) => operators.join('\n'));
  }

  /** The text in lines, made as they are asked for: a long text is never there as a whole. */
  *break(text: string, { width }: Pick<Box, 'width'>, { size, weight }: Look): Generator<Line> {
    const style = { weight, han: hanOf(text, this.#han) };
    for (const paragraph of paragraphsOf(text)) yield* setParagraph(paragraph, (width * 1000) / size, style);
  }

  /** Begins a new page unless `height` is left on this one. */
  ensure(height: number): void {
    if (this.#y - height < BOTTOM) this.#turn();
  }

  skip(height: number): void {
    this.#y -= height;
  }

  /** Sets lines below each other, over as many pages as they take. */
  flow(lines: Iterable<Line>, box: Box, look: Look): void {
    for (const line of lines) {
      this.ensure(leading(look));
      this.#y -= leading(look);
      this.#draw(line, box, look);
    }
  }

  /** Sets two columns of lines side by side. */
  flowPair(left: Column, right: Column): void {
    const height = Math.max(leading(left.look), leading(right.look));
    const rest = [left, right].map(({ lines, ...column }) => ({ ...column, lines: lines[Symbol.iterator]() }));
    for (;;) {
      const row = rest.map(({ lines, box, look }) => ({ line: lines.next().value ?? null, box, look }));
      if (row.every(({ line }) => line === null)) return;
      this.ensure(height);
      this.#y -= height;
      for (const { line, box, look } of row) if (line) this.#draw(line, box, look);
    }
  }

  rule(gray: number): void {
    this.#put(`${gray} G 0.5 w ${MARGIN} ${round(this.#y)} m ${PAGE.width - MARGIN} ${round(this.#y)} l S`);
  }

  /** Sets one line on a page that may be full already. */
  stamp(page: number, line: Line, place: Box & { readonly y: number }, look: Look): void {
    for (const operator of this.#lineOperators(line, place, { look, y: place.y })) this.#pages[page]?.push(operator);
  }

  #draw(line: Line, box: Box, look: Look): void {
    for (const operator of this.#lineOperators(line, box, { look, y: this.#y })) this.#put(operator);
  }

  #lineOperators(line: Line, { x, width }: Box, { look, y }: { look: Look; y: number }): string[] {
    const em = look.size / 1000;
    let left = line.isRtl ? x + width - line.width * em : x;
    return line.items.map((item) => {
      const operators = this.#textOperators(item, look, `${round(left)} ${round(y)}`);
      for (const { advance } of item.clusters) left += advance * em;
      return operators;
    });
  }

  #textOperators(item: ShapedText, { size, gray }: Look, at: string): string {
    const font = this.fonts.of(item.face, item.clusters.length);
    const thick = item.face.isThickened ? `2 Tr ${round(size / 30)} w ${gray} G ` : '';
    const text = showText(item.clusters, font);
    return `BT /${font.key} ${size} Tf ${gray} g ${thick}${at} Td ${text}TJ${thick && ' 0 Tr'} ET`;
  }

  #put(operator: string): void {
    this.#pages.at(-1)?.push(operator);
  }

  /** A full page becomes one flat string: strings put together of many hold ten times their length. */
  #turn(): void {
    const full = this.#pages.pop();
    if (full) this.#pages.push([full.join('\n')]);
    this.#pages.push([]);
    this.#y = TOP;
  }
}

export function leading({ size }: Look): number {
  return Math.round(size * 1.45);
}

/** Japanese and Korean share code points with Chinese but not all shapes; kana and Hangul tell them apart. */
function hanOf(text: string, han: readonly Script[]): readonly Script[] {
  if (/\p{Script=Hangul}/u.test(text)) return HAN.korean;
  if (/[\u3041-\u30ff\uff66-\uff9d]/.test(text)) return HAN.japanese;
  return han;
}

/** The operand of TJ: codes, and where the pen is to move by something else than their widths. */
function showText(clusters: readonly Cluster[], font: UsedFont): string {
  const parts: string[] = [];
  let run = '';
  let ahead = 0;
  for (const cluster of clusters) {
    const back = Math.round(ahead);
    if (back !== 0) {
      parts.push(`<${run}>${back}`);
      run = '';
    }
    const { hex, width } = font.code(cluster);
    run += hex;
    ahead += width - cluster.advance - back;
  }
  return `[${parts.join('')}<${run}>]`;
}

function round(number: number): number {
  return Math.round(number * 100) / 100;
}
