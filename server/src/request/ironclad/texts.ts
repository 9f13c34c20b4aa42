import { Fault, refuse } from '../../base/errors.ts';
import type { Ask } from '../../job/ask.ts';
import type { Caller, Desk } from '../desk.ts';
import { ACTIVITIES, VERSIONS } from './shapes.ts';

/** Versions that the documents of one export may show the texts of. */
const MAX_VERSIONS = 1000;

/** Characters of all of them: they stand in the plan of the export. */
const MAX_CHARS = 2 * 1024 * 1024;

/** Versions read at a time: an answer holds 4 MB. */
const AT_A_TIME = 10;

/** Texts do not change once a version is there. */
const TEXT_MS = 60_000;

/** The texts of contracts that rows refer to, by version; without those that are not kept or empty. Throws `request.invalid` for too many. */
export async function findTexts(
  desk: Desk,
  caller: Caller,
  { window, filter }: { readonly window: Ask['window']; readonly filter: unknown },
): Promise<Readonly<Record<string, string>>> {
  const rows = await desk.read(caller, {
    dataset: ACTIVITIES.name,
    window,
    ...(filter === undefined ? {} : { filter }),
    columns: ['version'],
    distinct: true,
    limit: MAX_VERSIONS + 1,
  });
  if (rows.length > MAX_VERSIONS) throw tooMany(`more than ${MAX_VERSIONS} versions of contracts`);
  return readTexts(
    desk,
    caller,
    rows.flatMap(({ version }) => (typeof version === 'string' ? version : [])),
  );
}

/** The same of versions that are known. */
export async function readTexts(desk: Desk, caller: Caller, versions: readonly string[]) {
  const texts: [string, string][] = [];
  let chars = 0;
  for (let at = 0; at < versions.length; at += AT_A_TIME) {
    const found = await textsOf(desk, caller, versions.slice(at, at + AT_A_TIME));
    chars += found.reduce((sum, [, text]) => sum + text.length, 0);
    if (chars > MAX_CHARS) throw tooMany(`contracts of more than ${MAX_CHARS} characters together`);
    texts.push(...found);
  }
  return Object.fromEntries(texts);
}

/** None where no texts are configured. */
async function textsOf(desk: Desk, caller: Caller, versions: readonly string[]): Promise<[string, string][]> {
  const filter = { version: { in: versions }, text: { exists: true, ne: '' } };
  const columns = ['version', 'text'];
  try {
    const ask = { dataset: VERSIONS.name, filter, columns, limit: versions.length, forMs: TEXT_MS };
    const rows = await desk.read(caller, ask);
    return rows.map(({ version, text }) => [String(version), String(text)]);
  } catch (error) {
    if (error instanceof Fault && error.code === 'dataset.unknown') return [];
    throw error;
  }
}

function tooMany(what: string): Fault {
  return refuse('/export_types', `The PDFs of this range and filter would show ${what}; choose fewer.`);
}
