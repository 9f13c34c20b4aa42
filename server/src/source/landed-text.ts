/** The last column of rows that land: 0 where every character stands for itself, else 1. */
export const OTHERS = '__drayage_others';

/**
 * SQL of the text of a cell that landed. No line end stands within a row that lands, since where the engine begins to
 * read in the middle of a file it guesses which of them are quoted: U+0001 stands for a line feed, U+0002 for a
 * carriage return, and U+0003 and a digit for one of these three themselves.
 */
export function landedText(cell: string): string {
  // To replace is slow, to look for a character is not.
  const has = (code: number) => `contains(${cell}, chr(${code}))`;
  const feeds = `replace(${cell}, chr(1), chr(10))`;
  const ends = `replace(${feeds}, chr(2), chr(13))`;
  const all = [1, 2, 3].reduce((sql, code) => `replace(${sql}, chr(3) || '${code}', chr(${code}))`, ends);
  return `case when ${OTHERS} = '0' then ${cell} when ${has(2)} or ${has(3)} then ${all} when ${has(1)} then ${feeds} else ${cell} end`;
}
