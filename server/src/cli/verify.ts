import { open } from 'node:fs/promises';
import { readEnvironment } from '../base/config.ts';
import { type CheckedDocument, checkDocument, isPdf } from '../format/pdf/read-record.ts';
import { type Verification, verifyExport } from '../run/verify.ts';
import { type Command, readArgs, UsageError } from './command.ts';

export const verify: Command = {
  help: `Usage: drayage verify FOLDER|manifest.json|DOCUMENT.pdf [--json]

Reads the files of an export again and says of each whether it is intact, changed or missing, and
which files are there that the manifest does not know. Of a single document of a PDF export it says
whether the record attached to it has the SHA-256 it names, and whether any byte was changed. Exit
code 0 only if all is intact.

  --json      one JSON object instead of lines
`,

  async run(args) {
    const { values, positionals } = readArgs({
      args: [...args],
      options: { json: { type: 'boolean' }, verbose: { type: 'boolean' } },
      allowPositionals: true,
    });
    const [path] = positionals;
    if (path === undefined || positionals.length !== 1)
      throw new UsageError('verify takes one folder, manifest or PDF.');
    const document = await readDocument(path);
    if (document !== null) return tellDocument(path, document, values.json ?? false);
    const verification = await verifyExport(path, readEnvironment().dataFolder);
    process.stdout.write(values.json ? `${JSON.stringify(summary(verification))}\n` : describe(verification));
    return verification.isIntact ? 0 : 1;
  },
};

/** Files that are read whole; documents of 300 pages have 1 MB. */
const MAX_DOCUMENT_BYTES = 1024 ** 3;

/** Null for what is no PDF. */
async function readDocument(path: string): Promise<CheckedDocument | null> {
  await using file = await open(path).catch(() => null);
  const status = await file?.stat();
  if (!file || !status?.isFile()) return null;
  const { buffer } = await file.read(Buffer.alloc(8), 0, 8, 0);
  if (!isPdf(buffer) && !path.endsWith('.pdf')) return null;
  if (status.size > MAX_DOCUMENT_BYTES) return { problem: 'it is longer than any document', sha256: null };
  return checkDocument(await file.readFile());
}

function tellDocument(path: string, { problem, sha256 }: CheckedDocument, isJson: boolean): number {
  const isIntact = problem === null;
  const state = isIntact ? 'intact' : 'changed';
  const file = { path, state, ...(isIntact ? {} : { note: problem }) };
  if (isJson) process.stdout.write(`${JSON.stringify({ intact: isIntact, sha256, files: [file] })}\n`);
  else process.stdout.write(documentLines(path, { problem, sha256 }).join('\n').concat('\n'));
  return isIntact ? 0 : 1;
}

function documentLines(path: string, { problem, sha256 }: CheckedDocument): string[] {
  if (problem !== null) return [`changed  ${path} (${problem})`, 'Not intact.'];
  return [
    `intact   ${path}`,
    `The attached record has the SHA-256 ${sha256}, as the document says.`,
    'A document is not signed: that it was exported here is shown by the index.csv beside it in its zip, and by the manifest over that.',
    'Intact.',
  ];
}

function summary({ files, isIntact, isOwnSigner, manifest }: Verification): object {
  return { intact: isIntact, signer: manifest?.key.id ?? null, knownSigner: isOwnSigner, files };
}

function describe({ files, isIntact, isOwnSigner, manifest }: Verification): string {
  const lines = files.map(
    ({ path, state, note }) => `${state.padEnd(8)} ${path}${note === undefined ? '' : ` (${note})`}`,
  );
  if (manifest !== null) {
    lines.push(
      isOwnSigner
        ? `Signed by this installation's key ${manifest.key.id}.`
        : `Signed by key ${manifest.key.id}, which is not this installation's.`,
    );
  }
  lines.push(isIntact ? 'Intact.' : 'Not intact.');
  return `${lines.join('\n')}\n`;
}
