/** What may stand between cells. */
export const DELIMITER = /^[\t -!#-/:-@[-`{-~]$/;
export const DELIMITER_FORM = 'Allowed is one ASCII character that is no letter, digit, quote or line end';

/** Where modules with csv-text.wat have what doubles quotes, and where that ends. */
const DOUBLING_AT = 256;
const PATTERNS = 256;
export const DOUBLING_END = DOUBLING_AT + PATTERNS * 16;

/** Room behind every region of such a module's memory, since sixteen bytes are read and written at a time. */
export const SLACK_BYTES = 32;

/** Puts into a module's memory what csv-text.wat wants there. */
export function putDoubling(memory: Buffer): void {
  for (let pattern = 0; pattern < PATTERNS; pattern++) memory.set(doubling(pattern), DOUBLING_AT + pattern * 16);
}

/** Of eight bytes with quotes where the pattern has bits: which of them stands where once quotes are doubled. */
function doubling(pattern: number): number[] {
  return [0, 1, 2, 3, 4, 5, 6, 7].flatMap((place) => ((pattern >> place) & 1 ? [place, place] : [place]));
}

/** Whether a number, a moment, a UUID or a bool could hold the delimiter or be taken for NULL. */
export function mayNeedQuotes(delimiter: string, nullText: string): boolean {
  return '+-.:'.includes(delimiter) || /^[0-9a-fti+-]/i.test(nullText);
}
