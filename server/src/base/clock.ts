/** The one place that reads the time. */

/** Now, as an ISO 8601 instant in UTC with milliseconds. */
export function now(): string {
  return new Date().toISOString();
}

/** Milliseconds from an arbitrary start that never go back; only differences mean anything. */
export function ticks(): number {
  return performance.now();
}

/** The instant so many milliseconds after another, both as `now` gives them. */
export function later(instant: string, ms: number): string {
  return new Date(Date.parse(instant) + ms).toISOString();
}
