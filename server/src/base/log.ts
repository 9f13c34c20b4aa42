import { type DestinationStream, type Logger, pino } from 'pino';

export type Log = Pick<Logger, 'info' | 'warn' | 'error' | 'child'>;

/**
 * The server's log: a JSON object a line, on standard error. What a customer must not see (causes,
 * paths) may stand in it; secrets and whole keys never do. Written at once, so that a crash loses no line.
 */
export function openLog(
  level: 'info' | 'silent',
  stream: DestinationStream = pino.destination({ dest: 2, sync: true }),
): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, messageKey: 'event' }, stream);
}
