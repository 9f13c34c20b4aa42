import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { documentedTable, MAY_IMPORT, type Sources, violations } from './import-rules.ts';

const server = dirname(dirname(fileURLToPath(import.meta.url)));
const src = join(server, 'src');
const { dependencies } = JSON.parse(readFileSync(join(server, 'package.json'), 'utf8'));

describe('the source', () => {
  const sources = readSources();

  it('keeps the import rules', () => {
    assert.deepEqual(violations(sources, Object.keys(dependencies)), []);
  });

  it('has no folder without a rule', () => {
    const folders = new Set([...sources.keys()].filter((file) => file.includes('/')).map((file) => file.split('/')[0]));
    assert.deepEqual(
      [...folders].filter((folder) => !Object.hasOwn(MAY_IMPORT, folder ?? '')),
      [],
    );
  });

  it('has a list for each kind of component, or the rule between components would hold nothing', () => {
    const folders = new Set([...sources.keys()].map((file) => file.split('/')[0] ?? ''));
    for (const kind of ['source', 'format', 'destination'].filter((kind) => folders.has(kind))) {
      assert.ok(sources.has(`${kind}/${kind}s.ts`), `server/src/${kind}/${kind}s.ts is missing`);
    }
  });

  it('is described by ARCHITECTURE.md', () => {
    const file = join(dirname(server), 'ARCHITECTURE.md');
    const documented = existsSync(file) ? documentedTable(readFileSync(file, 'utf8')) : null;
    assert.ok(documented, 'ARCHITECTURE.md has no table between <!-- imports --> and <!-- /imports -->');
    assert.deepEqual(sorted(documented), sorted(MAY_IMPORT));
  });
});

describe('the rules', () => {
  const forbidden: readonly [title: string, file: string, code: string, complaint: RegExp][] = [
    ['a static import', 'format/csv.ts', `import { run } from '../run/run.ts';`, /format may not import run\/run.ts/],
    [
      'an import over several lines',
      'base/log.ts',
      `import {\n  a,\n  b,\n} from '../db/db.ts';`,
      /base may not import/,
    ],
    ['an import for its effect', 'base/log.ts', `import '../db/db.ts';`, /base may not import/],
    ['an import of everything', 'base/log.ts', `import * as db from "../db/db.ts";`, /base may not import/],
    ['a type-only import', 'job/job.ts', `import type { Run } from '../run/run.ts';`, /job may not import/],
    ['a type written as an import', 'job/job.ts', `let run: import('../run/run.ts').Run;`, /job may not import/],
    ['a re-export', 'column/type.ts', `export { literal } from '../source/sql.ts';`, /column may not import/],
    ['a re-export of everything', 'column/type.ts', `export * from '../source/sql.ts';`, /column may not import/],
    ['a dynamic import', 'job/job.ts', `const run = await import('../run/run.ts');`, /job may not import/],
    [
      'a dynamic import behind a comment',
      'job/job.ts',
      `/* lazy */ await import(\n  '../run/run.ts',\n);`,
      /job may not/,
    ],
    ['a dynamic import in backticks', 'job/job.ts', 'await import(`../run/run.ts`);', /job may not import/],
    ['a computed import', 'job/job.ts', 'await import(name);', /computed import/],
    ['a partly computed import', 'job/job.ts', `await import(\`../\${name}.ts\`);`, /computed import/],
    ['an import after a string like a comment', 'job/job.ts', `a('/*'); await import('../run/run.ts');`, /job may not/],
    ['a test that breaks the table', 'base/log.test.ts', `import { x } from '../db/x.ts';`, /base may not import/],
    ['an import of server/test', 'base/log.ts', `import { x } from '../../test/x.ts';`, /only tests/],
    [
      'an import from elsewhere',
      'cli/main.ts',
      `import { x } from '../../../sdk/src/index.ts';`,
      /outside server\/src/,
    ],
    [
      'an import of the package itself',
      'cli/main.ts',
      `import { x } from '../index.ts';`,
      /nothing may import index.ts/,
    ],
    ['a package that is not ours to use', 'base/log.ts', `import { x } from 'fast-check';`, /no dependency/],
    ['the sdk outside of requests', 'run/run.ts', `import { x } from '@drayage/sdk';`, /may not import sdk/],
    [
      'a component, not its options, in job',
      'job/ask.ts',
      `import { x } from '../format/csv.ts';`,
      /job may not import/,
    ],
    ['other files of run in requests', 'request/desk.ts', `import { x } from '../run/execute.ts';`, /request may not/],
    ['another component', 'format/csv.ts', `import { x } from './json.ts';`, /components do not know each other/],
    ['a component from a shared file', 'format/sink.ts', `import { x } from './json.ts';`, /components do not know/],
    ['a file inside another component', 'source/postgres.ts', `import { x } from './duckdb/open.ts';`, /do not know/],
    ['another dialect', 'request/shoal/read.ts', `import { x } from '../sigma/read.ts';`, /the dialect sigma/],
    ['a dialect from the command line', 'cli/serve.ts', `import { x } from '../request/shoal/read.ts';`, /the dialect/],
    ['the environment', 'base/log.ts', 'const colour = process.env.NO_COLOR;', /process\.env/],
    ['the environment by name', 'base/log.ts', `const colour = process['env'].NO_COLOR;`, /process\.env/],
    ['the environment unpacked', 'base/log.ts', 'const { argv, env } = process;', /process\.env/],
    ['the environment imported', 'base/log.ts', `import { env } from 'node:process';`, /process\.env/],
    ['the clock', 'run/run.ts', 'const at = Date.now();', /reads the time/],
    ['the clock as a date', 'run/run.ts', 'const at = new Date().toISOString();', /reads the time/],
    ['the clock as a date without brackets', 'run/run.ts', 'const at = [new Date];', /reads the time/],
    ['the clock as text', 'run/run.ts', 'const at = Date();', /reads the time/],
    ['our tables', 'job/job.ts', `tx.selectFrom('jobs')`, /only queries files/],
    ['the running clock', 'run/run.ts', 'const at = performance.now();', /reads the time/],
  ];

  for (const [title, file, code, complaint] of forbidden) {
    it(`catch ${title}`, () => assert.match(complaintsAbout(file, code).join('\n'), complaint));
  }

  const allowed: readonly [title: string, file: string, code: string][] = [
    ['what the table says', 'run/run.ts', `import { x } from '../format/formats.ts';`],
    ['a folder inside itself', 'run/run.ts', `import { x } from './plan.ts';`],
    ['options of components in job', 'job/ask.ts', `import { x } from '../source/duckdb/options.ts';`],
    ['queries of run in requests', 'request/desk.ts', `import { x } from '../run/queries.ts';`],
    ['every component in its list', 'format/formats.ts', `import { x } from './csv.ts';`],
    ['the contract in a component', 'format/csv.ts', `import type { Format } from './format.ts';`],
    ['files shared between components', 'format/csv.ts', `import { x } from './sink.ts';`],
    ["a component's own folder", 'source/duckdb/csv.ts', `import { x } from './parquet.ts';`],
    ["a component's own test", 'format/csv.test.ts', `import { x } from './csv.ts';`],
    ['dialects in their list', 'request/dialects.ts', `import { x } from './shoal/routes.ts';`],
    ["a dialect's own files", 'request/shoal/routes.ts', `import { x } from './read.ts';`],
    ['dev packages and server/test in tests', 'base/log.test.ts', `import 'fast-check';\nimport '../../test/x.ts';`],
    ['an operator’s file on the command line', 'cli/serve.ts', 'await import(configFile);'],
    ['dates of something', 'run/run.ts', 'const at = new Date(0); const is = at instanceof Date;'],
    ['SQL that reads like an import', 'source/sql.ts', "const sql = `select * from 'a.csv'`;"],
    ['our tables in queries', 'run/sweep-queries.ts', `tx.deleteFrom('runs')`],
    ['comments', 'base/log.ts', `/**\n * Like Date.now() and import('../db/db.ts').\n */\n// process.env\nlet a = 1;`],
    ['the environment in config', 'base/config.ts', 'const env = process.env;'],
    ['the time in clock', 'base/clock.ts', 'const at = new Date();'],
  ];

  for (const [title, file, code] of allowed) {
    it(`allow ${title}`, () => assert.deepEqual(complaintsAbout(file, code), []));
  }

  it('read the table of ARCHITECTURE.md', () => {
    const rows =
      '| folder | may import |\n|---|---|\n| `base` | nothing |\n| `job` | `base`, source (options) |\n| cli | everything |';
    assert.deepEqual(documentedTable(`# A\n<!-- imports -->\n${rows}\n<!-- /imports -->\n`), {
      base: [],
      job: ['base', 'source:options'],
      cli: ['*'],
    });
    assert.equal(documentedTable('# A'), null);
  });
});

function complaintsAbout(file: string, code: string): string[] {
  const lists = {
    'source/sources.ts': `import { duckdb } from './duckdb/duckdb.ts';\nimport { postgres } from './postgres.ts';`,
    'format/formats.ts': `import { csv } from './csv.ts';\nimport type { Format } from './format.ts';\nimport { json } from './json.ts';`,
  };
  return violations(new Map(Object.entries({ ...lists, [file]: code })), ['zod']);
}

function readSources(): Sources {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return new Map(files.map((file) => [file.split(sep).join('/'), readFileSync(join(src, file), 'utf8')]));
}

function sorted(table: Readonly<Record<string, readonly string[]>>): [string, string[]][] {
  return Object.entries(table)
    .map(([folder, allowed]): [string, string[]] => [folder, [...allowed].sort()])
    .sort(([a], [b]) => a.localeCompare(b));
}
