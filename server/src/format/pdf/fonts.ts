import type { Face } from './faces.ts';
import { type PdfObjects, pdfText, type Reference, sealOf } from './objects.ts';
import type { Outline, Outlines } from './outlines.ts';
import type { Cluster } from './shape.ts';

/** Mappings a block of a CMap may hold. */
const MAX_MAPPINGS = 100;

/** Codes have 16 bits; parts of composed glyphs need numbers of their own behind them. */
const MAX_CODES = 20_000;

/** Units of UTF-16 a code may stand for in a CMap. */
const MAX_CODE_TEXT = 250;

/** Marks a font as symbolic: characters are found by number, not by name. */
const SYMBOLIC = 4;

interface Code {
  /** Four hex digits. */
  readonly hex: string;
  /** In thousandths of an em, whole. */
  readonly width: number;
  readonly text: string;
  readonly outline: Outline;
}

/** The part of a font that one document shows. A code is an outline with its text, so that text can be copied as it was. */
export class UsedFont {
  readonly key: string;
  readonly #face: Face;
  readonly #known = new Map<string, Code>();
  readonly #codes: Code[];

  constructor(key: string, face: Face) {
    this.key = key;
    this.#face = face;
    this.#codes = [{ hex: '0000', width: face.outlines.advance(0), text: '', outline: 0 }];
  }

  /** Whether so many more clusters may have no code. */
  isFullWith(clusters: number): boolean {
    return this.#codes.length + clusters > MAX_CODES;
  }

  code({ outline, text }: Cluster): Code {
    const key = typeof outline === 'number' ? `${outline} ${text}` : `${JSON.stringify(outline)} ${text}`;
    let code = this.#known.get(key);
    if (code === undefined) {
      code = { hex: hex4(this.#codes.length), width: this.#face.outlines.advance(outline), text, outline };
      this.#codes.push(code);
      this.#known.set(key, code);
    }
    return code;
  }

  write(objects: PdfObjects): Reference {
    const { outlines } = this.#face;
    const { program, box } = outlines.subset(this.#codes.map(({ outline }) => outline));
    const file = objects.addStream(program, `/Length1 ${program.length}`);
    const name = `${tagOf(sealOf(program))}+${this.#face.name}`;
    const { ascent, descent, capHeight } = outlines.metrics;
    const descriptor = objects.add(
      `<</Type/FontDescriptor/FontName/${name}/Flags ${SYMBOLIC}/FontBBox[${box.join(' ')}]/ItalicAngle 0/Ascent ${ascent}/Descent ${descent}/CapHeight ${capHeight}/StemV 80/FontFile2 ${file} 0 R>>`,
    );
    const widths = this.#codes.map(({ width }) => width).join(' ');
    const descendant = objects.add(
      `<</Type/Font/Subtype/CIDFontType2/BaseFont/${name}/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor ${descriptor} 0 R/W[0[${widths}]]/CIDToGIDMap/Identity>>`,
    );
    const unicode = objects.addStream(Buffer.from(toUnicode(this.#codes)));
    return objects.add(
      `<</Type/Font/Subtype/Type0/BaseFont/${name}/Encoding/Identity-H/DescendantFonts[${descendant} 0 R]/ToUnicode ${unicode} 0 R>>`,
    );
  }
}

/** The fonts of one document. */
export class UsedFonts {
  readonly #fonts: UsedFont[] = [];
  readonly #current = new Map<Outlines, UsedFont>();

  /** The font that shows so many clusters of a face; another one when the last has no codes left. */
  of(face: Face, clusters: number): UsedFont {
    let font = this.#current.get(face.outlines);
    if (font === undefined || font.isFullWith(clusters)) {
      font = new UsedFont(`F${this.#fonts.length + 1}`, face);
      this.#fonts.push(font);
      this.#current.set(face.outlines, font);
    }
    return font;
  }

  /** Gives the entries of a page's font dictionary. */
  write(objects: PdfObjects): string {
    return this.#fonts.map((font) => `/${font.key} ${font.write(objects)} 0 R`).join('');
  }
}

/** Six capital letters that tell subsets apart. */
function tagOf(hex: string): string {
  return Array.from({ length: 6 }, (_, at) =>
    String.fromCharCode(65 + (Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16) % 26)),
  ).join('');
}

function toUnicode(codes: readonly Code[]): string {
  const mappings = codes.flatMap(({ hex, text }) =>
    text === '' ? [] : [`<${hex}> <${utf16(text.slice(0, MAX_CODE_TEXT))}>`],
  );
  const blocks: string[] = [];
  for (let at = 0; at < mappings.length; at += MAX_MAPPINGS) {
    const block = mappings.slice(at, at + MAX_MAPPINGS);
    blocks.push(`${block.length} beginbfchar\n${block.join('\n')}\nendbfchar\n`);
  }
  return `/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo <</Registry(Adobe)/Ordering(UCS)/Supplement 0>> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <ffff>
endcodespacerange
${blocks.join('')}endcmap
CMapName currentdict /CMap defineresource pop
end
end
`;
}

function hex4(number: number): string {
  return number.toString(16).padStart(4, '0');
}

function utf16(text: string): string {
  return pdfText(text).slice(5, -1);
}
