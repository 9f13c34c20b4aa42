import { readFile } from 'node:fs/promises';
import wabt from 'wabt';

/** What the `.wasm.ts` beside a `.wat` file is to hold. */
export async function assemble(wat: URL, name: string): Promise<{ base64: string; file: string }> {
  const features = { simd: true, bulk_memory: true };
  const { buffer } = (await wabt()).parseWat('module.wat', await readFile(wat, 'utf8'), features).toBinary({});
  const base64 = Buffer.from(buffer).toString('base64');
  const file = [
    `/** The bytes of ${wat.pathname.split('/').at(-1)}, assembled; the tests compare them. */`,
    `export const ${name} =\n  '${base64.match(/.{1,110}/g)?.join("' +\n  '")}';`,
  ];
  return { base64, file: file.join('\n') };
}
