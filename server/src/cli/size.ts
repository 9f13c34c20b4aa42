import { UsageError } from './command.ts';

/** Bytes of a size as 300MB or 2GB. Throws UsageError naming the flag where it is none. */
export function readSize(text: string, flag: string): number {
  const [, number, unit = ''] = /^(\d{1,7})(MB|GB)$/i.exec(text) ?? [];
  if (number === undefined) throw new UsageError(`${flag} takes a size as 300MB or 2GB.`);
  return Number(number) * (unit.toUpperCase() === 'GB' ? 1024 : 1) * 1024 * 1024;
}
