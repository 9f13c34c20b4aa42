/** The one place that reads the time. */

/** Now, as an ISO 8601 instant in UTC with milliseconds. */
export function now(): string {
  return new Date().toISOString();
}

/** Milliseconds from an arbitrary start that never go back; only differences mean anything. */
export function ticks(): number {
  return performance.now();
}
