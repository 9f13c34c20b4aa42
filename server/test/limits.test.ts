import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const FOLDERS = ['server', 'sdk', 'console', 'scripts', 'benchmarks', 'examples'];
const IS_CODE = /\.(ts|tsx|js|mjs|css|html|sql|sh)$/;
const IS_TEST = /\.(test|contract|soak)\.ts$/;
const EXEMPTION =
  /biome-ignore(-all|-start)?\s+lint(:|\/\w+:|[^:]*(noExcessive|useMaxParams))|biome-ignore-all|@ts-nocheck|@ts-ignore/;

it('holds every file to 300 lines, tests to 600', () => {
  const long = codeFiles().filter(({ file, text }) => text.split('\n').length - 1 > (IS_TEST.test(file) ? 600 : 300));
  assert.deepEqual(
    long.map(({ file }) => file),
    [],
  );
});

it('exempts nothing from the limits or the types', () => {
  const exempt = codeFiles().filter(({ file, text }) => EXEMPTION.test(text) && file !== 'server/test/limits.test.ts');
  assert.deepEqual(
    exempt.map(({ file }) => file),
    [],
  );
});

function codeFiles(): { file: string; text: string }[] {
  return FOLDERS.flatMap((folder) => filesBelow(join(root, folder)))
    .filter((path) => IS_CODE.test(path))
    .map((path) => ({ file: relative(root, path), text: readFileSync(path, 'utf8') }));
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules') return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}
