import LineBreaker from 'linebreak';

/** Scripts that put no blanks between words: where one ends is known by dictionaries alone (class SA of UAX #14). */
const WORDS_WITHOUT_BLANKS = /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]{2,}/gu;

/** The dictionary is chosen by the script of the text, not by this. */
const segmenter = new Intl.Segmenter('th', { granularity: 'word' });

/** The places where a line may end, the end of the text last. */
export function* lineBreaks(text: string): Generator<number> {
  const breaker = new LineBreaker(text);
  const words = wordBreaks(text);
  let word = words.next();
  for (let place = breaker.nextBreak(); place !== null; place = breaker.nextBreak()) {
    for (; !word.done && word.value <= place.position; word = words.next()) {
      if (word.value < place.position) yield word.value;
    }
    yield place.position;
  }
}

/** Between words that no blank parts. */
function* wordBreaks(text: string): Generator<number, void> {
  for (const { 0: run, index } of text.matchAll(WORDS_WITHOUT_BLANKS)) {
    for (const { index: at } of segmenter.segment(run)) if (at > 0) yield index + at;
  }
}
