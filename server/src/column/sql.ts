/**
 * How text of ours enters SQL of the engine: by these two functions and no other.
 * COPY takes no bound parameters, so literals are escaped here, and tested with hostile values.
 */

/**
 * A text as an SQL literal. NUL would end the statement on its way to the engine, so it is added by
 * chr(0). Throws RangeError for text that is not well-formed Unicode: it would arrive as other text.
 */
export function literal(text: string): string {
  if (!text.isWellFormed()) throw new RangeError('The text is not well-formed Unicode.');
  if (!text.includes('\0')) return quote(text);
  return `(${text.split('\0').map(quote).join(' || chr(0) || ')})`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A column or table name as an SQL identifier. Throws RangeError for names the engine cannot take. */
export function identifier(name: string): string {
  if (name === '' || name.includes('\0') || !name.isWellFormed()) {
    throw new RangeError('A name must be well-formed Unicode, not empty and without NUL.');
  }
  return `"${name.replaceAll('"', '""')}"`;
}
