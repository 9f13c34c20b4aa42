import { createHash } from 'node:crypto';

export const MEBIBYTE: number = 2 ** 20;

/** Bytes that look random and are the same in each run. */
export function noiseBytes(length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let index = 0; index * 32 < length; index += 1) {
    blocks.push(createHash('sha256').update(`${index}`).digest());
  }
  return Buffer.concat(blocks).subarray(0, length);
}

/** Lines of CSV, the last one cut; longer ones begin with the shorter. */
export function csvBytes(length: number): Buffer {
  const lines: string[] = [];
  let size = 0;
  for (let row = 0; size < length; row += 1) {
    const line = `${row},customer ${(row * 7919) % 10_007},"${(row * 31) % 997} items, packed",${row % 90}.25\n`;
    lines.push(line);
    size += line.length;
  }
  return Buffer.from(lines.join('')).subarray(0, length);
}
