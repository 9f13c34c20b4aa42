import { readEnvironment } from '../base/config.ts';
import { type Verification, verifyExport } from '../run/verify.ts';
import { type Command, readArgs, UsageError } from './command.ts';

export const verify: Command = {
  help: `Usage: drayage verify FOLDER|manifest.json [--json]

Reads the files of an export again and says of each whether it is intact, changed or missing, and
which files are there that the manifest does not know. Exit code 0 only if all is intact.

  --json      one JSON object instead of lines
`,

  async run(args) {
    const { values, positionals } = readArgs({
      args: [...args],
      options: { json: { type: 'boolean' }, verbose: { type: 'boolean' } },
      allowPositionals: true,
    });
    const [path] = positionals;
    if (path === undefined || positionals.length !== 1) throw new UsageError('verify takes one folder or manifest.');
    const verification = await verifyExport(path, readEnvironment().dataFolder);
    process.stdout.write(values.json ? `${JSON.stringify(summary(verification))}\n` : describe(verification));
    return verification.isIntact ? 0 : 1;
  },
};

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
