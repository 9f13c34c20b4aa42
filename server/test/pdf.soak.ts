import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  createWriteStream,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { after, before, test } from 'node:test';
import { startCommand } from './command-line.ts';
import { ONE_PAGE, rowOf } from './pdf-ground.ts';
import { whyNo } from './source-server.ts';

const DOCUMENTS = 100_000;
const MAX_BYTES = 512 * 2 ** 20;
const SAMPLE_MS = 200;
const PAGE_BYTES = 4096;

let folder = '';

before(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'drayage-pdf-soak-')));
});

after(() => rmSync(folder, { recursive: true, force: true }));

test(`${DOCUMENTS} documents under 512 MB`, { skip: whyNo('unzip') }, async (t) => {
  await writeRows(join(folder, 'rows.jsonl'));
  const { type: _, ...layout } = ONE_PAGE;
  writeFileSync(join(folder, 'layout.json'), JSON.stringify(layout));
  const words = ['export', 'rows.jsonl', '--format', 'pdf', '--layout', 'layout.json', '--to', 'out', '--threads', '2'];
  const command = startCommand(words, { cwd: folder });
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, treeBytes(command.process.pid ?? 0));
  }, SAMPLE_MS);
  const { code, stderr } = await command.ended;
  clearInterval(timer);
  assert.equal(code, 0, stderr);
  t.diagnostic(`${Math.round(peak / 2 ** 20)} MB, ${stderr.split('\n').at(-2)}`);
  assert.ok(peak > 0 && peak < MAX_BYTES, `${peak} bytes`);
  const zip = join(folder, 'out', 'rows.zip');
  assert.match(execFileSync('unzip', ['-tq', zip], { encoding: 'utf8' }), /No errors detected/);
  const index = execFileSync('unzip', ['-p', zip, 'index.csv'], { encoding: 'utf8', maxBuffer: 2 ** 30 });
  assert.equal(index.split('\n').length - 2, DOCUMENTS);
});

async function writeRows(path: string): Promise<void> {
  const rows = createWriteStream(path);
  for (let row = 0; row < DOCUMENTS; row++) rows.write(`${JSON.stringify(rowOf(row))}\n`);
  rows.end();
  await finished(rows);
}

/** Resident bytes of a process and all below it; pages that they share count in each. */
function treeBytes(root: number): number {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const parents = new Map(processes.map((pid) => [Number(pid), parentOf(pid)]));
  const isBelow = (pid: number): boolean => pid === root || (pid > 1 && isBelow(parents.get(pid) ?? 0));
  return processes
    .filter((pid) => isBelow(Number(pid)))
    .reduce((sum, pid) => sum + PAGE_BYTES * Number(contentOf(`/proc/${pid}/statm`).split(' ')[1] ?? 0), 0);
}

function parentOf(pid: string): number {
  return Number(/\) \S (\d+)/.exec(contentOf(`/proc/${pid}/stat`))?.[1] ?? 0);
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
