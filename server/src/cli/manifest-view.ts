import type { Manifest } from '../run/manifest.ts';

/** The files of an export as people read them, and how to check them again. */
export function listFiles(manifest: Manifest, folder: string): string {
  const files = manifest.outputs.flatMap((output) => output.files);
  const rows = files.map((file) => [`${file.rows} rows`, `${file.bytes} bytes`, `sha-256 ${file.sha256}`, file.path]);
  const widths = [0, 1].map((at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const lines = rows.map((row) => `  ${row.map((cell, at) => cell.padStart(widths[at] ?? 0)).join('  ')}`);
  return `${lines.join('\n')}\nVerify: npx drayage verify ${/[^\w./-]/.test(folder) ? `'${folder.replaceAll("'", `'\\''`)}'` : folder}\n`;
}
