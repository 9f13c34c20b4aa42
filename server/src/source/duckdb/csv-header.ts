import { basename } from 'node:path';
import { Fault, isSystemError } from '../../base/errors.ts';
import { openUnpacked } from './unpacked.ts';

/** As csv-lines.wat has it. */
const MAX_BLANKS = 200;

/** A first line longer than this is no header. */
const MAX_HEADER_CHARS = 4 * 1024 * 1024;

/**
 * The column names in a CSV's first record: the engine, when it is asked for names, guesses which line
 * they stand in. Names that are empty or there already get a number.
 * Throws `source.refused` where the first line names no columns.
 */
export async function readHeader(path: string, delimiter: string): Promise<string[]> {
  const cells = parseRecord(await readStart(path, delimiter), delimiter);
  const refuse = (what: string) => new Fault('source.refused', `The first line of ${basename(path)} ${what}.`);
  if (cells === null) throw refuse('ends within quotes or is too long to be a header');
  if (cells.some((cell) => cell.includes('\ufffd')))
    throw new Fault('value.refused', `A text is not valid UTF-8. It stands in line 1 of ${basename(path)}.`);
  // The engine, told to skip such a header, skips rows behind it as well.
  if (cells.some((cell) => /[\r\n]/.test(cell))) throw refuse('has a line end within a name; rename the column');
  if (cells.length === 1 && cells[0] === '') throw refuse('is blank; it has to name the columns');
  return distinct(cells);
}

/** At least the first record, or all there is. */
async function readStart(path: string, delimiter: string): Promise<string> {
  // What is no UTF-8 behind the header is for the engine to find, which can tell where it stands.
  const decoder = new TextDecoder('utf-8');
  let text = '';
  try {
    for await (const chunk of openUnpacked(path)) {
      text += decoder.decode(chunk, { stream: true });
      // What follows the record's end tells that it is one: a quote there would be the second of a pair.
      if (text.length > MAX_HEADER_CHARS || parseRecord(text, delimiter, true) !== null) break;
    }
  } catch (error) {
    if (isSystemError(error, 'ENOENT'))
      throw new Fault('source.unreachable', 'An input file is not there or cannot be read.', { cause: error });
    throw error;
  }
  return text;
}

/** The cells of the first record; null when it does not end, where `isOpen` says that more text may follow. */
function parseRecord(text: string, delimiter: string, isOpen = false): string[] | null {
  const cells: string[] = [];
  for (let start = 0; ; ) {
    const opened = delimiter === ' ' ? start : start + blanksAt(text, start);
    const isQuoted = text[opened] === '"';
    const quotedEnd = isQuoted ? closingQuote(text, opened) + 1 : start;
    if (isQuoted && quotedEnd === 0) return null;
    const end = endOfCell(text, quotedEnd, delimiter);
    if (end === text.length && isOpen) return null;
    const quoted = text.slice(opened + 1, quotedEnd - 1).replaceAll('""', '"');
    // Blanks around quotes are not part of the name.
    cells.push(isQuoted ? quoted + text.slice(quotedEnd, end).replace(/ +$/, '') : text.slice(start, end));
    if (text[end] !== delimiter) return cells;
    start = end + 1;
  }
}

function blanksAt(text: string, start: number): number {
  return /^ */.exec(text.slice(start, start + MAX_BLANKS))?.[0].length ?? 0;
}

function endOfCell(text: string, from: number, delimiter: string): number {
  let end = from;
  while (end < text.length && ![delimiter, '\r', '\n'].includes(text[end] ?? '')) end++;
  return end;
}

/** Where the quoted cell that opens at `start` closes; -1 when it does not. */
function closingQuote(text: string, start: number): number {
  let at = text.indexOf('"', start + 1);
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at;
}

function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((cell, at) => {
    const name = cell === '' ? `column${at}` : cell;
    let unique = name;
    for (let count = 1; taken.has(unique.toLowerCase()); count++) unique = `${name}_${count}`;
    taken.add(unique.toLowerCase());
    return unique;
  });
}
