import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '../base/errors.ts';

/**
 * Makes this process the one server on the data folder until it ends or disposes. Throws
 * `conflict.running`, naming the other's pid. It is the system's own file lock, held through a
 * database that nothing else uses, so no crash leaves it behind.
 */
export async function ownFolder(dataFolder: string): Promise<Disposable> {
  await mkdir(dataFolder, { recursive: true }).catch((cause: unknown) => {
    throw new Fault('destination.denied', `${dataFolder} cannot be written to; set DRAYAGE_DATA.`, { cause });
  });
  const pidFile = join(dataFolder, 'server.pid');
  const database = new DatabaseSync(join(dataFolder, 'server.lock'));
  try {
    database.exec('begin exclusive');
  } catch (error) {
    database.close();
    const pid = (await readFile(pidFile, 'utf8').catch(() => '')).trim() || 'unknown';
    throw new Fault('conflict.running', `Another server, process ${pid}, runs on ${dataFolder}.`, { cause: error });
  }
  await writeFile(pidFile, `${process.pid}\n`);
  return { [Symbol.dispose]: () => database.close() };
}
