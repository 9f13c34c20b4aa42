declare module 'linebreak' {
  class LineBreaker {
    constructor(text: string);
    /** The next place where a line may end (UAX #14). */
    nextBreak(): { readonly position: number; readonly required?: boolean } | null;
  }
  export = LineBreaker;
}
