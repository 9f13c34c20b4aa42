import { spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** A row's cells, in order: the column's own name, and its text or null. */
type XmlRow = readonly (readonly [string, string | null])[];

export interface XmlFile {
  readonly root: string;
  readonly rows: readonly { readonly element: string; readonly cells: XmlRow }[];
}

/** Refuses what lies outside the elements of values, but for the white space between rows. */
const SCRIPT = `
import json, sys
import xml.etree.ElementTree as tree
NIL = '{http://www.w3.org/2001/XMLSchema-instance}nil'
def cell(element):
    if len(element) or (element.tail or '').strip():
        raise ValueError('not a value: ' + element.tag)
    if element.get(NIL) == 'true':
        if element.text is not None:
            raise ValueError('nil with text: ' + element.tag)
        return [element.get('name', element.tag), None]
    return [element.get('name', element.tag), element.text or '']
root = tree.fromstring(sys.stdin.buffer.read())
rows = [{'element': row.tag, 'cells': [cell(each) for each in row]} for row in root]
json.dump({'root': root.tag, 'rows': rows}, sys.stdout)
`;

/** Why there is no Python to read with, or false. */
export function whyNoPythonXml(): string | false {
  const { status } = spawnSync('python3', ['-c', 'import xml.etree.ElementTree, pyexpat']);
  return status === 0 ? false : 'Python not found: apt-get install python3';
}

/** An export in XML as Python's reader sees it. Rejects with Python's words for what is not well-formed. */
export async function readXml(bytes: Uint8Array): Promise<XmlFile> {
  const child = spawn('python3', ['-c', SCRIPT]);
  // A reader that gives up early closes its end; what it says is told below.
  child.stdin.on('error', () => {});
  child.stdin.end(bytes);
  const [answer, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (answer === '') throw new Error(`Python's xml refuses it: ${error}`);
  return JSON.parse(answer);
}
