/**
 * Creates a second, over HTTP, with runs held back, beside bare inserts of rows of the same size into
 * SQLite with the same settings. Usage: npm run bench -- create [--seconds 10 --connections 16 --runs 3]
 */
import { fork } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeEvents } from './events.ts';
import { median } from './measure.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    connections: { type: 'string', default: '16' },
    runs: { type: 'string', default: '3' },
  },
});

const [seconds, connections, runs] = [Number(values.seconds), Number(values.connections), Number(values.runs)];
const folder = join(tmpdir(), `drayage-bench-${process.pid}`);
mkdirSync(folder, { recursive: true });
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));

const BODY = JSON.stringify({
  dataset: 'events',
  filter: { event_type: { in: ['signup', 'login'] }, amount: { gte: '10.5' } },
  columns: ['event_id', 'event_type', 'amount', 'occurred_at'],
  format: 'csv',
  compression: 'gzip',
});

interface Created {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Of the server's process, for one create; other machines' load on this one hardly shows in it. */
  readonly cpuMs: number;
}

const created: Created[] = [];
const inserted: number[] = [];
for (let at = 0; at < runs; at++) {
  created.push(await createAll(at));
  inserted.push(insertAll(at));
}

const perSecond = median(created.map((each) => each.perSecond));
const bare = median(inserted);
const [p50, p99, max, cpu] = (['p50Ms', 'p99Ms', 'maxMs', 'cpuMs'] as const).map((name) =>
  median(created.map((each) => each[name])).toFixed(name === 'cpuMs' ? 2 : 1),
);
const report = `Machine: ${cpus()[0]?.model.trim()}, ${cpus().length} cores; Node ${process.version}; ${new Date().toISOString().slice(0, 10)}; medians of ${runs} runs of ${seconds} s, ${connections} connections from a second process.

| | answers/s | p50 ms | p99 ms | max ms | server CPU ms each | of bare inserts |
|---|--:|--:|--:|--:|--:|--:|
| POST /v1/jobs | ${Math.round(perSecond)} | ${p50} | ${p99} | ${max} | ${cpu} | ${(perSecond / bare).toFixed(3)} |
| bare inserts | ${Math.round(bare)} | | | | | 1 |

A create looks the key up, checks the body against the dataset, and writes job, run, counters and audit in
one transaction on SQLite (WAL, synchronous=FULL), with dispatch held. A bare insert is one row of the
same size in one transaction with the same settings, in a process of its own.

    npm run bench -- create --seconds ${seconds} --connections ${connections} --runs ${runs}
`;
console.log(report);
writeFileSync(fileURLToPath(new URL('./create-results.md', import.meta.url)), `# Creates over HTTP\n\n${report}`);

/** A fresh server; what did not answer 202 ends the benchmark. */
async function createAll(at: number): Promise<Created> {
  const base = join(folder, `server-${at}`);
  mkdirSync(base);
  await makeEvents(join(base, 'events.parquet'), 1000);
  const child = fork(fileURLToPath(new URL('./create-server.ts', import.meta.url)), [base]);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const { port, key } = await new Promise<{ port: number; key: string }>((resolve) => child.once('message', resolve));
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  await askFor(1000, { port, key, agent });
  const before = cpuMsOf(child.pid);
  const times = await askFor(seconds * 1000, { port, key, agent });
  const cpuMs = (cpuMsOf(child.pid) - before) / times.length;
  agent.destroy();
  child.disconnect();
  await ended;
  times.sort((a, b) => a - b);
  const quantile = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return {
    perSecond: times.length / seconds,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    maxMs: times.at(-1) ?? 0,
    cpuMs,
  };
}

/** Processor time a process took so far, from /proc; a tick is 10 ms. */
function cpuMsOf(pid = 0): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

interface Target {
  readonly port: number;
  readonly key: string;
  readonly agent: Agent;
}

/** Milliseconds of each answer. */
async function askFor(ms: number, target: Target): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + ms;
  const lane = async () => {
    while (performance.now() < end) {
      const start = performance.now();
      await create(target);
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: connections }, lane));
  return times;
}

function create({ port, key, agent }: Target): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const asked = request({ port, host: '127.0.0.1', path: '/v1/jobs', method: 'POST', agent, headers }, (response) => {
      response.resume().on('end', () => {
        if (response.statusCode === 202) resolve();
        else reject(new Error(`A create was answered ${response.statusCode}.`));
      });
    });
    asked.on('error', reject).end(BODY);
  });
}

/** One row of a create's size in one transaction, as often as it goes. */
function insertAll(at: number): number {
  const database = new DatabaseSync(join(folder, `bare-${at}.db`));
  database.exec(
    'pragma journal_mode = wal; pragma synchronous = full; create table jobs (id integer primary key, body text)',
  );
  const insert = database.prepare('insert into jobs (body) values (?)');
  const body = BODY.repeat(4);
  let count = 0;
  for (const end = performance.now() + seconds * 1000; performance.now() < end; count++) insert.run(body);
  database.close();
  return count / seconds;
}
