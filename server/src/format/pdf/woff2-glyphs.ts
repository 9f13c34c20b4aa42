import { ByteReader } from './byte-reader.ts';
import { noPoints, type Points, writeGlyph } from './glyph.ts';

/** The table glyf as WOFF2 takes it apart: a stream each of what glyphs are made of. */
interface Streams {
  readonly contours: ByteReader;
  readonly points: ByteReader;
  readonly flags: ByteReader;
  readonly steps: ByteReader;
  readonly composites: ByteReader;
  /** A bit for each glyph whose box is told. */
  readonly isBoxed: Buffer;
  readonly boxes: ByteReader;
}

const COMPOSITE = -1;

/** Flags of a part of a composite glyph. */
const ARGS_ARE_WORDS = 0x0001;
const HAS_SCALE = 0x0008;
const HAS_MORE = 0x0020;
const HAS_TWO_SCALES = 0x0040;
const HAS_MATRIX = 0x0080;
const HAS_INSTRUCTIONS = 0x0100;

/** Glyphs without their hinting, which nothing here asks for. */
export function readGlyphs(table: Buffer): Buffer[] {
  const reader = new ByteReader(table);
  reader.take(4);
  const count = reader.uint16();
  reader.take(2);
  const sizes = Array.from({ length: 7 }, () => reader.uint32());
  const [contours, points, flags, steps, composites, boxes] = sizes.map((size) => reader.take(size));
  const bits = 4 * Math.ceil(count / 32);
  const empty = Buffer.alloc(0);
  const streams: Streams = {
    contours: new ByteReader(contours ?? empty),
    points: new ByteReader(points ?? empty),
    flags: new ByteReader(flags ?? empty),
    steps: new ByteReader(steps ?? empty),
    composites: new ByteReader(composites ?? empty),
    isBoxed: (boxes ?? empty).subarray(0, bits),
    boxes: new ByteReader((boxes ?? empty).subarray(bits)),
  };
  return Array.from({ length: count }, (_, glyph) => readGlyph(streams, glyph));
}

function readGlyph(streams: Streams, glyph: number): Buffer {
  const contours = streams.contours.int16();
  const isBoxed = ((streams.isBoxed[glyph >> 3] ?? 0) & (0x80 >> (glyph & 7))) !== 0;
  const box = isBoxed ? streams.boxes.take(8) : null;
  if (contours === COMPOSITE) return Buffer.concat([COMPOSITE_HEAD, box ?? Buffer.alloc(8), readParts(streams)]);
  const bytes = writeGlyph(readPoints(streams, contours));
  box?.copy(bytes, 2);
  return bytes;
}

const COMPOSITE_HEAD = Buffer.from([0xff, 0xff]);

function readPoints({ points: lengths, flags, steps }: Streams, contours: number): Points {
  const points = noPoints();
  for (let contour = 0, end = 0; contour < contours; contour++) {
    end += lengths.short255();
    points.ends.push(end);
  }
  const count = points.ends.at(-1) ?? 0;
  let [x, y] = [0, 0];
  for (let at = 0; at < count; at++) {
    const flag = flags.uint8();
    const step = readStep(steps, flag & 0x7f);
    x += step.x;
    y += step.y;
    points.xs.push(x);
    points.ys.push(y);
    points.isOn.push(flag < 0x80);
  }
  if (contours > 0) steps.short255();
  return points;
}

/** A step in 1 to 4 bytes; how it is packed is a table of WOFF2 (5.2). */
function readStep(steps: ByteReader, flag: number): { readonly x: number; readonly y: number } {
  const first = steps.uint8();
  if (flag < 10) return { x: 0, y: signed(flag, ((flag & 14) << 7) + first) };
  if (flag < 20) return { x: signed(flag, (((flag - 10) & 14) << 7) + first), y: 0 };
  if (flag < 84) {
    const base = flag - 20;
    const x = signed(flag, 1 + (base & 0x30) + (first >> 4));
    return { x, y: signed(flag >> 1, 1 + ((base & 0x0c) << 2) + (first & 0x0f)) };
  }
  const second = steps.uint8();
  if (flag < 120) {
    const base = flag - 84;
    const x = signed(flag, 1 + (Math.floor(base / 12) << 8) + first);
    return { x, y: signed(flag >> 1, 1 + (((base % 12) >> 2) << 8) + second) };
  }
  const third = steps.uint8();
  if (flag < 124) {
    return { x: signed(flag, (first << 4) + (second >> 4)), y: signed(flag >> 1, ((second & 0x0f) << 8) + third) };
  }
  return { x: signed(flag, (first << 8) + second), y: signed(flag >> 1, (third << 8) + steps.uint8()) };
}

function signed(flag: number, length: number): number {
  return flag & 1 ? length : -length;
}

/** The parts of a composite glyph, none with instructions. */
function readParts({ composites, steps }: Streams): Buffer {
  const parts: Buffer[] = [];
  let isHinted = false;
  for (let flags = HAS_MORE; flags & HAS_MORE; ) {
    flags = composites.uint16();
    isHinted ||= (flags & HAS_INSTRUCTIONS) !== 0;
    const head = Buffer.alloc(2);
    head.writeUInt16BE(flags & ~HAS_INSTRUCTIONS);
    const scale = flags & HAS_SCALE ? 2 : flags & HAS_TWO_SCALES ? 4 : flags & HAS_MATRIX ? 8 : 0;
    parts.push(head, composites.take(2 + (flags & ARGS_ARE_WORDS ? 4 : 2) + scale));
  }
  if (isHinted) steps.short255();
  return Buffer.concat(parts);
}
