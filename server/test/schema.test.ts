import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { Db } from '../src/db/db.ts';
import { PostgresReader, whyNoPostgres } from './readers/postgres.ts';
import { postgresSchema, sqliteSchema } from './schema-view.ts';

/** The dump for people to read. After a new migration, write it anew: DRAYAGE_WRITE_SCHEMA=1 on this test. */
const DUMP = fileURLToPath(new URL('../src/db/schema.sql', import.meta.url));

const HEAD = `-- What all migrations make of an empty SQLite file; PostgreSQL's tables are alike.
-- Written by DRAYAGE_WRITE_SCHEMA=1 node --test server/test/schema.test.ts, which also holds it to the migrations.
`;

suite('the schema', () => {
  let folder: string;
  let sqlite: Db;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'drayage-schema-'));
    sqlite = await Db.open({ dataFolder: folder, url: null });
    await sqlite.migrate();
  });

  after(async () => {
    await sqlite[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test('is the one schema.sql shows', async () => {
    const fresh = await dump(sqlite);
    if (process.env.DRAYAGE_WRITE_SCHEMA === '1') writeFileSync(DUMP, fresh);
    assert.equal(readFileSync(DUMP, 'utf8'), fresh, 'write it anew with DRAYAGE_WRITE_SCHEMA=1');
  });

  test('that schema.sql shows can be run, and gives the same again', async () => {
    await using db = await Db.open({ dataFolder: mkdtempSync(join(folder, 'again-')), url: null });
    const statements = readFileSync(DUMP, 'utf8')
      .replaceAll(/^--.*$/gm, '')
      .split(';');
    await db.write(async (tx) => {
      for (const statement of statements) if (statement.trim() !== '') await sql.raw(statement).execute(tx);
    });
    assert.deepEqual(await db.read(sqliteSchema), await sqlite.read(sqliteSchema));
  });

  test('is the same in PostgreSQL', { skip: whyNoPostgres() }, async () => {
    await using server = await PostgresReader.start();
    await using postgres = await Db.open({ dataFolder: folder, url: await server.createDatabase() });
    await postgres.migrate();
    const [ours, theirs] = [await sqlite.read(sqliteSchema), await postgres.read(postgresSchema)];
    assert.equal(ours.columns.length > 80, true);
    assert.equal(ours.checks.length, 7);
    assert.deepEqual(theirs, ours);
  });
});

/** Every statement of the schema, a column or constraint a line, tables in the order they were made. */
async function dump(db: Db): Promise<string> {
  const { rows } = await db.read((tx) =>
    sql<{ sql: string }>`select sql from sqlite_master
      where sql is not null and tbl_name not like 'kysely_%' order by type desc, rowid`.execute(tx),
  );
  return `${HEAD}\n${rows.map(({ sql: text }) => `${laidOut(text)};\n`).join('\n')}`;
}

function laidOut(text: string): string {
  if (!text.startsWith('CREATE TABLE')) return text;
  let depth = 0;
  return Array.from(text, (char) => {
    if (char === '(') return depth++ === 0 ? '(\n  ' : char;
    if (char === ')') return --depth === 0 ? '\n)' : char;
    return char === ',' && depth === 1 ? ',\n ' : char;
  }).join('');
}
