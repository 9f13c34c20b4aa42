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

it('holds every function to 40 lines that are not blank, from its first line to its closing bracket', () => {
  const code = codeFiles().filter(({ file }) => /\.(ts|tsx|js|mjs)$/.test(file) && !IS_TEST.test(file));
  const long = code.flatMap(({ file, text }) => longFunctions(text).map((line) => `${file}:${line}`));
  assert.deepEqual(long, []);
});

it('finds the functions that are too long', () => {
  const body = (lines: number) => 'a();\n'.repeat(lines);
  const indented = (lines: number) => '  // a\n'.repeat(lines);
  assert.deepEqual(longFunctions(`export function f(): void {\n${indented(38)}}\n${body(9)}`), []);
  assert.deepEqual(longFunctions(`export function f(): void {\n${indented(20)}\n\n\n${indented(18)}}\n`), []);
  assert.deepEqual(longFunctions(`${body(5)}export async function f(): Promise<void> {\n${indented(39)}}\n`), [6]);
  assert.deepEqual(longFunctions(`export function f(\n  a: number,\n): void {\n${indented(37)}}\n`), [1]);
  assert.deepEqual(longFunctions(`const f = list.map((a) => {\n${indented(39)}});\n`), [1]);
  assert.deepEqual(longFunctions(`class A {\n  async *f(a: string): Rows {\n${'    // a\n'.repeat(39)}  }\n}\n`), [2]);
  assert.deepEqual(longFunctions(`if (\n  a\n) {\n${indented(60)}}\nfor (const a of b) {\n${indented(60)}}\n`), []);
});

it('exempts nothing from the limits or the types', () => {
  const exempt = codeFiles().filter(({ file, text }) => EXEMPTION.test(text) && file !== 'server/test/limits.test.ts');
  assert.deepEqual(
    exempt.map(({ file }) => file),
    [],
  );
});

const OPENS_BODY = /(=>|\)|\)?: .*) \{$/;
const IS_STATEMENT = /^\s*(\} )?(if|else|for|while|do|switch|case|try|catch|finally|class|interface|type|enum)\b/;

/** Line numbers where functions of more than 40 lines begin. The formatter's indentation shows where they end. */
function longFunctions(text: string): number[] {
  const lines = text.split('\n');
  const indent = (line: string) => line.length - line.trimStart().length;
  return lines.flatMap((line, opening) => {
    if (!OPENS_BODY.test(line)) return [];
    const isSame = (other: string) => other !== '' && indent(other) === indent(line);
    // A head broken over several lines ends with a line that begins with its closing bracket.
    const before = lines.slice(0, opening).findLastIndex((other) => isSame(other) && !/^\s*\)/.test(other));
    const first = /^\s*\)/.test(line) ? before : opening;
    if (IS_STATEMENT.test(lines[first] ?? '')) return [];
    const length = lines.slice(opening + 1).findIndex((other) => isSame(other) && /^\s*\}/.test(other));
    const span = lines.slice(first, opening + length + 2).filter((other) => other.trim() !== '');
    return span.length > 40 ? [first + 1] : [];
  });
}

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
