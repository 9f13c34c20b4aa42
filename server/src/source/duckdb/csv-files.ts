import type { CsvLines } from './csv-lines.ts';
import { badLine, type Feeding, feedLines, type Lines } from './line-files.ts';

interface FeedingCsv extends Feeding {
  readonly lines: CsvLines;
}

/** As `feedLines`, without the header at the start of the file. Throws `source.refused` for a quote that is never closed, too. */
export async function feedCsv(feeding: FeedingCsv): Promise<number> {
  const { path, lines, take } = feeding;
  let isHeader = feeding.fromByte === 0;
  let quoteByte = 0;
  const bytes = await feedLines({
    ...feeding,
    take: async (some: Lines) => {
      const { end, nextByte } = some;
      const start = isHeader ? passHeader(lines, some) : some.start;
      isHeader = false;
      lines.beginLines();
      const isGoingOn = await take({ ...some, start });
      if (lines.quoteAt !== null) quoteByte = nextByte - (end - lines.quoteAt);
      return isGoingOn;
    },
  });
  if (lines.isQuoted) throw await badLine(path, quoteByte, 'has a quote that is never closed');
  return bytes;
}

/** Where the rows begin; where a carriage return alone ends the header, one ends a row. No line end is in a name. */
function passHeader(lines: CsvLines, { start, end }: Lines): number {
  const { room } = lines;
  const feed = room.indexOf('\n', start);
  const back = start + room.subarray(start, feed).indexOf('\r');
  lines.isMac = back >= start && back < feed - 1;
  return lines.isMac ? Math.min(end, back + 1) : feed + 1;
}
