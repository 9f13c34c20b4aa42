/**
 * 20 000 creates over ten accounts of each vendor's API, with runs held back: every answer must be the documented
 * success, the documented conflict, or 429 with Retry-After, and the store must hold what was accepted. Once with
 * Shoal's and Ironclad's rate limits out of the way, once with them. Usage: npm run bench -- flood [--creates 20000 --connections 16]
 */
import { fork } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  ACCOUNTS,
  type Create,
  type FloodOrder,
  keyOf,
  QUEUED,
  tenantOf,
  VENDORS,
  type Vendor,
} from './flood-vendors.ts';

const { values } = parseArgs({
  options: { creates: { type: 'string', default: '20000' }, connections: { type: 'string', default: '16' } },
});
const [creates, connections] = [Number(values.creates), Number(values.connections)];
const folder = join(tmpdir(), `drayage-flood-${process.pid}`);
mkdirSync(folder, { recursive: true });
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));

interface Tally {
  success: number;
  conflict: number;
  limited: number;
  /** What should not have been, a line each. */
  readonly wrong: string[];
  readonly ids: Set<unknown>;
  readonly times: number[];
}

const lines: string[] = [];
for (const isLimited of [false, true]) await flood(isLimited);
const report = `Machine: ${cpus()[0]?.model.trim()}, ${cpus().length} cores; Node ${process.version}; ${new Date().toISOString().slice(0, 10)}; one server on SQLite with dispatch held, ${ACCOUNTS} accounts a vendor, ${QUEUED} runs of each may wait, ${connections} connections from a second process.

| API | rate limits | creates | success | conflict | 429 | jobs in the store | answers/s | p50 ms | p99 ms |
|---|---|--:|--:|--:|--:|--:|--:|--:|--:|
${lines.join('\n')}

Every answer was the documented success, the documented conflict, or 429 with \`Retry-After\`; the jobs in the store equal the successes, and no id was given twice.

    npm run bench -- flood --creates ${creates} --connections ${connections}
`;
console.log(report);
if (process.exitCode === undefined)
  writeFileSync(fileURLToPath(new URL('./flood-results.md', import.meta.url)), `# Floods of creates\n\n${report}`);

async function flood(isLimited: boolean): Promise<void> {
  const base = join(folder, String(isLimited));
  mkdirSync(base);
  const order: FloodOrder = { folder: base, isLimited };
  const child = fork(fileURLToPath(new URL('./flood-server.ts', import.meta.url)), [JSON.stringify(order)]);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message: { port: number }) => resolve(message.port));
    child.once('exit', () => reject(new Error('The server did not start.')));
  });
  const tallies: [Vendor, Tally, number][] = [];
  for (const vendor of VENDORS) {
    const start = performance.now();
    const tally = await floodVendor(vendor, port);
    tallies.push([vendor, tally, (performance.now() - start) / 1000]);
  }
  child.disconnect();
  await ended;
  for (const [vendor, tally, seconds] of tallies) judge({ vendor, tally, seconds, isLimited, base });
}

async function floodVendor(vendor: Vendor, port: number): Promise<Tally> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const tally: Tally = { success: 0, conflict: 0, limited: 0, wrong: [], ids: new Set(), times: [] };
  let next = 0;
  const lane = async () => {
    for (let at = next++; at < creates; at = next++) {
      const account = at % ACCOUNTS;
      const create = vendor.ask(tenantOf(vendor, account), keyOf(vendor, account), Math.floor(at / ACCOUNTS));
      const start = performance.now();
      const answer = await ask(create, port, agent);
      tally.times.push(performance.now() - start);
      count(answer, vendor, tally);
    }
  };
  await Promise.all(Array.from({ length: connections }, lane));
  agent.destroy();
  return tally;
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
}

function ask({ path, headers, body }: Create, port: number, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', path, method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'], text }),
      );
    });
    asked.on('error', reject).end(body);
  });
}

function count({ status, retryAfter, text }: Answer, vendor: Vendor, tally: Tally): void {
  if (status === vendor.success) {
    tally.success++;
    const id = vendor.idOf(JSON.parse(text));
    if (typeof id === 'string' && !tally.ids.has(id)) tally.ids.add(id);
    else tally.wrong.push(`an id that is none or not new: ${text}`);
  } else if (status === vendor.conflict) tally.conflict++;
  else if (status === 429 && Number(retryAfter) >= 1) tally.limited++;
  else tally.wrong.push(`${status}, Retry-After ${retryAfter}: ${text}`);
}

interface Judgement {
  readonly vendor: Vendor;
  readonly tally: Tally;
  readonly seconds: number;
  readonly isLimited: boolean;
  readonly base: string;
}

function judge({ vendor, tally, seconds, isLimited, base }: Judgement): void {
  const { success, conflict, limited, wrong, times } = tally;
  const database = new DatabaseSync(join(base, 'data', 'drayage.db'), { readOnly: true });
  const row = database.prepare('select count(*) as jobs from jobs where dialect = ?').get(vendor.name);
  database.close();
  const jobs = Number(row?.jobs);
  if (jobs !== success) wrong.push(`${jobs} jobs in the store for ${success} successes`);
  for (const line of wrong.slice(0, 10)) console.error(`${vendor.name}: ${line}`);
  if (wrong.length > 0) process.exitCode = 1;
  times.sort((a, b) => a - b);
  const quantile = (share: number) => (times[Math.floor((times.length - 1) * share)] ?? 0).toFixed(1);
  const cells = [vendor.name, isLimited ? 'real' : 'raised', creates, success, conflict, limited, jobs];
  lines.push(`| ${[...cells, Math.round(creates / seconds), quantile(0.5), quantile(0.99)].join(' | ')} |`);
}
