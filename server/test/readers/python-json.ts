import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** JSON as it was written: `n` is a number's text, `s` a string, `a` an array, `o` an object's members, duplicates and all. */
export type Tree =
  | null
  | boolean
  | { readonly n: string }
  | { readonly s: string }
  | { readonly a: readonly Tree[] }
  | { readonly o: readonly (readonly [string, Tree])[] };

/** Refuses NaN and Infinity, which Python would take; lines end at line feeds and nowhere else. */
const SCRIPT = `
import base64, json, sys
def refuse(name):
    raise ValueError(name + ' is not JSON')
class Members(list):
    pass
def tree(value):
    if isinstance(value, Members):
        return {'o': [[name, tree(member)] for name, member in value]}
    if isinstance(value, list):
        return {'a': [tree(item) for item in value]}
    if isinstance(value, str):
        return {'s': value}
    return value
def number(text):
    return {'n': text}
def load(text):
    return tree(json.loads(text, parse_int=number, parse_float=number, parse_constant=refuse, object_pairs_hook=Members))
for line in sys.stdin:
    try:
        answer = {'trees': [load(base64.b64decode(text).decode('utf-8')) for text in json.loads(line)]}
    except Exception as error:
        answer = {'error': repr(error)}
    print(json.dumps(answer), flush=True)
`;

/** Why there is no Python to read with, or false. */
export function whyNoPython(): string | false {
  return spawnSync('python3', ['-c', 'import json']).status === 0 ? false : 'Python not found: apt-get install python3';
}

/** Python's json module in a child process, one question at a time. */
export class PythonJson implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;

  constructor() {
    this.#child = spawn('python3', ['-c', SCRIPT]);
    this.#child.stderr.pipe(process.stderr);
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** One tree for each text. Rejects with Python's words where a text is not JSON or not UTF-8. */
  async parse(texts: readonly (string | Uint8Array)[]): Promise<readonly Tree[]> {
    this.#child.stdin.write(`${JSON.stringify(texts.map((text) => Buffer.from(text).toString('base64')))}\n`);
    const { value } = await this.#answers.next();
    const answer: { trees?: readonly Tree[]; error?: string } = JSON.parse(value ?? '{"error": "Python ended"}');
    if (answer.trees) return answer.trees;
    throw new Error(`Python's json refuses it: ${answer.error}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin.end();
    await ended;
  }
}
