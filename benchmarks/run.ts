/**
 * Our whole commands against other ones that do the same: fresh processes, in turn, pair by pair.
 * Usage: npm run bench [-- --rows 4000000 --runs 5 --only REGEX --list --out FILE]. With --only, no file is written
 * unless --out names one. `npm run bench -- memory` measures memory.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { GROUPS, type Group, missingSource } from './cells.ts';
import { failureWords } from './command-run.ts';
import type { Ground } from './ground.ts';
import { commandLines, machineLines, resultLine, skippedLine, TABLE_HEAD } from './report.ts';
import { type Result, runGroup } from './rounds.ts';
import { elapsed, here, withGround } from './session.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '4000000' },
    runs: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});

const HOW_TO_READ = [
  `Rows a second are rows of the input by the wall time of a whole command in a fresh process: of ours with hash, row
counts and manifest. Pairs of runs in turn: ${values.runs}, of which the medians, after one that warms up; ratios are of the
runs of a pair, above 1 where ours is faster. What has no pair is the median of ${Math.ceil(Number(values.runs) / 2)}.
CPU is user and system time of the whole process tree. Peak memory is the highest sum of the resident memory of the
process tree, looked at every 100 ms; pages that processes share count in each. The PostgreSQL server is in neither.
MB are millions of bytes.`,
];

const begun = performance.now();
const lines: string[] = [];
const results: Result[] = [];
const only = new RegExp(values.only);
const groups = GROUPS.map((group) => ({ ...group, cells: group.cells.filter(({ name }) => only.test(name)) })).filter(
  ({ cells }) => cells.length > 0,
);

if (values.list)
  for (const { cells, other } of groups)
    for (const { name } of cells) process.stdout.write(`${name}${other ? ` / ${other.name}` : ''}\n`);
else await withGround(runAll);

async function runAll(ground: Ground): Promise<void> {
  for (const line of [...machineLines(), '', ...HOW_TO_READ]) print(line);
  let part = '';
  for (const group of groups) {
    if (group.part !== part) for (const line of ['', `## ${group.part}`, '', ...TABLE_HEAD]) print(line);
    part = group.part;
    await runOrSkip(group, ground);
    process.stderr.write(`(${elapsed(begun)})\n`);
  }
  for (const line of ['', '## Commands', '', ...commandLines(results, ground.folder)]) print(line);
  for (const line of ['', `Took ${elapsed(begun)}: \`npm run bench -- --rows ${values.rows} --runs ${values.runs}\`.`])
    print(line);
  const file = values.out ?? (values.only === '' ? here('results.md') : null);
  if (file !== null)
    writeFileSync(file, `# Benchmark results\n\n\`npm run bench\` writes this file.\n\n${lines.join('\n')}\n`);
}

async function runOrSkip(group: Group, ground: Ground): Promise<void> {
  const otherName = group.other?.name ?? null;
  const install = missingSource(group);
  if (install !== null) {
    for (const { name } of group.cells) print(skippedLine(name, otherName, install));
    return;
  }
  const rows = Math.round(Number(values.rows) * group.scale);
  try {
    for (const result of await runGroup(group, { ground, rows, runs: Number(values.runs) })) {
      results.push(result);
      print(resultLine(results.length, result, otherName));
      if (result.ours.failure !== null || result.other?.failure) process.exitCode = 1;
    }
  } catch (error) {
    // Its input could not be made.
    for (const { name } of group.cells) print(`| – | ${name} | FAILED: ${failureWords(error)} |${' |'.repeat(11)}`);
    process.exitCode = 1;
  }
}

function print(line: string): void {
  lines.push(line);
  process.stdout.write(`${line}\n`);
}
