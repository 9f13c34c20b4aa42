/** Outlines of single glyphs as the table glyf holds them (OpenType 1.9). */

/** Contours one behind the other, in whole units. */
export interface Points {
  readonly xs: number[];
  readonly ys: number[];
  /** Whether a point is on the curve; others bend it. */
  readonly isOn: boolean[];
  /** Points up to the end of each contour. */
  readonly ends: number[];
}

export function noPoints(): Points {
  return { xs: [], ys: [], isOn: [], ends: [] };
}

const HEAD_BYTES = 10;
const IS_ON = 0x01;
const HAS_SHORT = 0x02;
/** Of a short step its sign; of others that there is none. */
const IS_SAME = 0x10;
/** Contours of variable fonts overlap; some readers would cut holes where they do. */
const OVERLAPS = 0x40;

/** No points are no bytes. */
export function writeGlyph({ xs, ys, isOn, ends }: Points): Buffer {
  const count = xs.length;
  if (count === 0) return Buffer.alloc(0);
  const flagsAt = HEAD_BYTES + 2 * ends.length + 2;
  const glyph = Buffer.alloc(flagsAt + 5 * count);
  glyph.writeInt16BE(ends.length, 0);
  for (const [at, end] of ends.entries()) glyph.writeUInt16BE(end - 1, HEAD_BYTES + 2 * at);
  for (let at = 0; at < count; at++) glyph[flagsAt + at] = isOn[at] ? IS_ON : 0;
  const across = writeSteps(glyph, xs, { flagsAt, at: flagsAt + count, shift: 0 });
  const up = writeSteps(glyph, ys, { flagsAt, at: across.end, shift: 1 });
  glyph[flagsAt] = (glyph[flagsAt] ?? 0) | OVERLAPS;
  for (const [at, edge] of [across.min, up.min, across.max, up.max].entries()) glyph.writeInt16BE(edge, 2 + 2 * at);
  return glyph.subarray(0, up.end);
}

interface StepPlace {
  readonly flagsAt: number;
  readonly at: number;
  /** 0 for the flags of x, 1 for those of y. */
  readonly shift: number;
}

function writeSteps(glyph: Buffer, places: readonly number[], { flagsAt, at, shift }: StepPlace) {
  let end = at;
  let last = 0;
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let point = 0; point < places.length; point++) {
    const place = places[point] ?? 0;
    const step = place - last;
    const flag = flagOf(step);
    glyph[flagsAt + point] = (glyph[flagsAt + point] ?? 0) | (flag << shift);
    if (flag & HAS_SHORT) glyph[end++] = Math.abs(step);
    else if (step !== 0) end = glyph.writeInt16BE(step, end);
    last = place;
    if (place < min) min = place;
    if (place > max) max = place;
  }
  return { end, min, max };
}

/** The flag of a step of x. */
function flagOf(step: number): number {
  if (step === 0) return IS_SAME;
  if (Math.abs(step) > 255) return 0;
  return step > 0 ? HAS_SHORT | IS_SAME : HAS_SHORT;
}
