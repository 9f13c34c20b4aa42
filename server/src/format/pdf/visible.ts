/** Shown for characters that would act on the text around them instead of being seen. */
const REPLACEMENT = '\ufffd';

const LINE_ENDS = /\r\n|[\n\v\f\r\x85\u2028\u2029]/;
/** Controls, overrides of the direction (they show text in another order than it is stored in) and halves of pairs. */
const UNSEEN = /[\p{Cc}\p{Cs}\u202d\u202e]/gu;

/** A longer paragraph goes on as another one: setting one takes 150 times its length of memory. */
const MAX_PARAGRAPH = 50_000;

/** Text as it can be shown, a paragraph each. */
export function* paragraphsOf(text: string): Generator<string> {
  for (const line of text.split(LINE_ENDS)) {
    let rest = line.replaceAll('\t', '    ').replace(UNSEEN, REPLACEMENT);
    for (; rest.length > MAX_PARAGRAPH; rest = rest.slice(placeToCut(rest))) yield rest.slice(0, placeToCut(rest));
    yield rest;
  }
}

/** Behind a blank, else between characters. */
function placeToCut(text: string): number {
  const blank = text.lastIndexOf(' ', MAX_PARAGRAPH - 1) + 1;
  if (blank > 0) return blank;
  const isPair = (text.codePointAt(MAX_PARAGRAPH - 1) ?? 0) > 0xffff;
  return isPair ? MAX_PARAGRAPH - 1 : MAX_PARAGRAPH;
}
