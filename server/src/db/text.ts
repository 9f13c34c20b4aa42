/** The text as PostgreSQL can hold it: it has no NUL. Which texts may hold one: what others wrote, such as faults. */
export function storable(text: string): string {
  return text.replaceAll('\0', '\ufffd');
}
