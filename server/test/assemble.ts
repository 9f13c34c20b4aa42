import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import wabt from 'wabt';

/** What the `.wasm.ts` of a `.wat` file is to hold; of several, the parts of one module, that of the first. */
export async function assemble(name: string, ...wats: readonly URL[]): Promise<{ base64: string; file: string }> {
  const texts = await Promise.all(wats.map((wat) => readFile(wat, 'utf8')));
  const module = wats.length === 1 ? texts.join('') : `(module\n${texts.join('\n')})`;
  const { buffer } = (await wabt()).parseWat('module.wat', module, { simd: true, bulk_memory: true }).toBinary({});
  const base64 = Buffer.from(buffer).toString('base64');
  const names = wats.map(({ pathname }) => basename(pathname)).join(' and ');
  const file = [
    `/** The bytes of ${names}, assembled; the tests compare them. */`,
    `export const ${name} =\n  '${base64.match(/.{1,110}/g)?.join("' +\n  '")}';`,
  ];
  return { base64, file: file.join('\n') };
}
