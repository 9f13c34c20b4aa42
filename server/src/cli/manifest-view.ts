import type { Manifest } from '../run/manifest.ts';

/** The files of an export as people read them, and how to check them again. */
export function listFiles(manifest: Manifest, folder: string): string {
  const lines = fileLines(
    manifest.outputs.flatMap((output) => output.files.map((file) => ({ ...file, name: file.path }))),
  );
  return `${lines.join('\n')}\nVerify: npx drayage verify ${/[^\w./-]/.test(folder) ? `'${folder.replaceAll("'", `'\\''`)}'` : folder}\n`;
}

interface ListedFile {
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** A line for each file: rows and bytes below each other, its hash, its name. */
export function fileLines(files: readonly ListedFile[]): string[] {
  const rows = files.map(({ name, rows, bytes, sha256 }) => [
    `${rows} rows`,
    `${bytes} bytes`,
    `sha-256 ${sha256}`,
    name,
  ]);
  const widths = [0, 1].map((at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, at) => cell.padStart(widths[at] ?? 0)).join('  ')}`);
}
