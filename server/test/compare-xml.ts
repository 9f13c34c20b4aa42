import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { XmlOptions } from '../src/format/options.ts';
import { assertPairs, type Expected, isLoose, looseTree, pairsOf } from './compare-pairs.ts';
import { cellOf, type ExpectedTree, MODEL_DEFAULTS } from './model.ts';
import type { PythonJson, Tree } from './readers/python-json.ts';
import { readXml } from './readers/python-xml.ts';

/** Holds every cell of an XML file, its names and its NULLs against the table. */
export async function assertXml(
  path: string,
  { root, row, instants }: XmlOptions,
  expected: Expected,
  python: PythonJson,
): Promise<void> {
  const found = await readXml(await readFile(path));
  assert.equal(found.root, root);
  const names = expected.columns.map(({ name }) => carried(name));
  const rows = found.rows.map(({ element, cells }) => {
    assert.equal(element, row);
    assert.deepEqual(
      cells.map(([name]) => name),
      names,
    );
    return cells.map(([, text]) => text);
  });
  const model = { ...MODEL_DEFAULTS, instants };
  await assertPairs(
    pairsOf(
      expected,
      rows,
      (value, type) => carriedTree(looseTree(cellOf(value, type, model))),
      (text, tree): Tree => {
        if (text === null) return null;
        return isLoose(tree) && 'f' in tree ? { n: text } : { s: text };
      },
    ),
    python,
  );
}

/** What XML 1.0 cannot carry (section 2.2) stands as U+FFFD. */
function carried(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced
  return text.replaceAll(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '\ufffd');
}

function carriedTree(tree: ExpectedTree): ExpectedTree {
  if (tree === null || typeof tree === 'boolean') return tree;
  if ('s' in tree) return { s: carried(tree.s) };
  return 't' in tree ? { t: withinJson(tree.t) } : tree;
}

/** Control characters are escaped in JSON text, and come through. */
function withinJson(tree: ExpectedTree): ExpectedTree {
  if (tree === null || typeof tree === 'boolean') return tree;
  const replaced = (text: string) => text.replaceAll(/[\ufffe\uffff]/g, '\ufffd');
  if ('s' in tree) return { s: replaced(tree.s) };
  if ('t' in tree) return { t: withinJson(tree.t) };
  if ('a' in tree) return { a: tree.a.map(withinJson) };
  return 'o' in tree ? { o: tree.o.map(([name, member]) => [replaced(name), withinJson(member)]) } : tree;
}
