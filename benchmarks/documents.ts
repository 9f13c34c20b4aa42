/**
 * PDF documents of one page, 24 fields in two scripts each, from Parquet in one run: documents a second, memory.
 * Usage: npm run bench -- documents [--documents 100000]
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { failureWords, runOurs } from './command-run.ts';
import type { Ground } from './ground.ts';
import { machineLines } from './report.ts';
import { here, withGround } from './session.ts';

/** What the run has to stay below, in millions of bytes. */
const LIMIT_MB = 512;

const { values } = parseArgs({ options: { documents: { type: 'string', default: '100000' } } });
const documents = Number(values.documents);
const main = fileURLToPath(new URL('../server/bin/drayage.js', import.meta.url));

const WORDS = [
  ['Anna', 'Müller', 'accepted', 'García'],
  ['Иван', 'Мария', 'Смирнова', 'условия'],
  ['דנה', 'כהן', 'הסכם', 'תנאים'],
  ['محمد', 'فاطمة', 'الشروط', 'الخدمة'],
  ['王伟', '服务协议', '隐私政策', '张敏'],
  ['田中', '利用規約', 'に同意', 'プライバシー'],
];
const FIELDS = Array.from({ length: 24 }, (_, at) => ({ label: `Field number ${at + 1}`, column: `c${at}` }));

await withGround(measureDocuments);

async function measureDocuments(ground: Ground): Promise<void> {
  const rows = join(ground.folder, 'rows.parquet');
  const layout = join(ground.folder, 'layout.json');
  await makeRows(rows);
  const sections = [
    { title: 'Acceptance', fields: FIELDS.slice(0, 12) },
    { title: 'Connection', fields: FIELDS.slice(12) },
  ];
  writeFileSync(layout, JSON.stringify({ name: 'id', title: 'Acceptance record', subtitle: 'c0', sections }));
  const words = [process.execPath, main, 'export', rows, '--format', 'pdf', '--layout', layout, '--threads', '2'];
  try {
    const { seconds, cpuSeconds, peakMb, bytes } = await runOurs(words, ground.folder, documents);
    const cells = [
      documents,
      seconds.toFixed(0),
      documents / seconds,
      documents / cpuSeconds,
      peakMb,
      bytes / documents,
    ];
    const line = cells.map((cell) => (typeof cell === 'number' ? Math.round(cell) : cell)).join(' | ');
    const holds = peakMb <= LIMIT_MB ? `At most ${LIMIT_MB} MB: held.` : `At most ${LIMIT_MB} MB: **not held**.`;
    report(`| documents | seconds | a second | a second of processor time | peak MB of the process tree | bytes each |
|--:|--:|--:|--:|--:|--:|
| ${line} |

${holds}`);
  } catch (error) {
    process.stderr.write(`${failureWords(error)}\n`);
    process.exitCode = 1;
  }
}

function report(table: string): void {
  const text = `${machineLines()[0]}

${table}

    npm run bench -- documents --documents ${documents}
`;
  process.stdout.write(text);
  writeFileSync(here('documents-results.md'), `# Documents\n\n${text}`);
}

/** Latin and one other script in every row. */
async function makeRows(path: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2', memory_limit: '1GB' });
  const connection = await instance.connect();
  const lists = WORDS.map((words) => `[${words.map((word) => `'${word}'`).join(', ')}]`).join(', ');
  const cells = FIELDS.map(({ column }, at) => {
    const drawn = `(hash(i * 31 + ${at}) >> 1)::bigint`;
    const word = (by: number) => `words[1 + (${drawn} >> ${by}) % 4]`;
    const text = [
      `concat_ws(' ', ${word(1)}, ${word(5)}, ${word(9)})`,
      `concat_ws('-', to_hex(${drawn} % 4294967296), to_hex(${drawn} >> 32), i)`,
      `concat('Value ', ${drawn} % 1000, ' on 2026-0', 1 + ${drawn} % 9, '-1', ${drawn} % 10, ' by Chrome ', 100 + ${drawn} % 50)`,
    ][at % 3];
    return `${text} as ${column}`;
  });
  await connection.run(`copy (
    select 'doc-' || lpad(i::varchar, 7, '0') as id, ${cells.join(', ')}
    from (select i, [${lists}][1 + i % ${WORDS.length}] as words from range(${documents}) rows(i))
  ) to '${path}' (format parquet)`);
  connection.closeSync();
  instance.closeSync();
}
