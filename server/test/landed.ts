/** What stands for a character in rows that land, as landed-text.ts says. */
const OTHERS = new Map([
  ['\n', '\u0001'],
  ['\r', '\u0002'],
  ['\u0001', '\u00031'],
  ['\u0002', '\u00032'],
  ['\u0003', '\u00033'],
]);

/** The text as it lands. */
export function landedText(text: string): string {
  return Array.from(text, (char) => OTHERS.get(char) ?? char).join('');
}

/** The text that landed so. */
export function textLanded(landed: string): string {
  let text = landed.replaceAll('\u0001', '\n').replaceAll('\u0002', '\r');
  for (const code of [1, 2, 3]) text = text.replaceAll(`\u0003${code}`, String.fromCharCode(code));
  return text;
}
