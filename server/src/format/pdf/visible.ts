/** Shown for characters that would act on the text around them instead of being seen. */
const REPLACEMENT = '\ufffd';

const LINE_ENDS = /\r\n|[\n\v\f\r\x85\u2028\u2029]/;
/** Controls, overrides of the direction (they show text in another order than it is stored in) and halves of pairs. */
const UNSEEN = /[\p{Cc}\p{Cs}\u202d\u202e]/gu;

/** Text as it can be shown, a paragraph each. */
export function paragraphsOf(text: string): string[] {
  return text.split(LINE_ENDS).map((line) => line.replaceAll('\t', '    ').replace(UNSEEN, REPLACEMENT));
}
