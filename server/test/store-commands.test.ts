import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readEnvironment } from '../src/base/config.ts';
import { openLog } from '../src/base/log.ts';
import { UsageError } from '../src/cli/command.ts';
import { keys } from '../src/cli/keys.ts';
import { tenants } from '../src/cli/tenants.ts';
import { startServer } from '../src/daemon/server.ts';
import type { Config } from '../src/job/config.ts';
import { readConfig } from '../src/request/config.ts';
import { runCommand } from './command-line.ts';
import { KEYS, ServerGround } from './server-ground.ts';

function isUsage(words: RegExp) {
  return (error: unknown) => error instanceof UsageError && words.test(error.message);
}

const CONFIG = `export default { tiers: { gold: {}, iron: { formats: ['csv'] } }, datasets: {
  rows: { source: { type: 'duckdb', files: 'rows.csv' }, tenancy: 'shared' },
  gone: { source: { type: 'duckdb', files: 'gone.csv' }, tenancy: 'shared' } } };`;

/** Of three datasets over JSON lines, one whose `from` nothing has. */
const LINES = {
  misspelt: { files: 'lines.jsonl', from: 'amuont' },
  sparse: { files: 'lines.jsonl', from: 'note' },
  empty: { files: 'empty.jsonl', from: 'amuont' },
};

const WARNING = 'No row has "amuont", so that is NULL everywhere; rows have "id", "amount", "note".';

function linesConfig(): Config {
  const datasets = Object.entries(LINES).map(([name, { files, from }]) => {
    const source = { type: 'duckdb' as const, files };
    return [name, { source, columns: [{ name: 'value', from, type: 'text' }], tenancy: 'shared' as const }];
  });
  return { datasets: Object.fromEntries(datasets) };
}

describe('the commands on the store', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'drayage-store-'));
    // Commands that are run in this process work on the same data folder as the others.
    process.env.DRAYAGE_DATA = join(folder, 'data');
    writeFileSync(join(folder, 'drayage.config.ts'), CONFIG);
    writeFileSync(join(folder, 'rows.csv'), 'a,b\n1,2\n');
    writeFileSync(join(folder, 'lines.config.ts'), `export default ${JSON.stringify(linesConfig())};`);
    writeFileSync(join(folder, 'lines.jsonl'), '{"id":1,"amount":"2"}\n{"id":2,"amount":"3","note":"x"}\n');
    writeFileSync(join(folder, 'empty.jsonl'), '');
  });

  after(() => {
    delete process.env.DRAYAGE_DATA;
    rmSync(folder, { recursive: true, force: true });
  });

  const drayage = (...args: string[]) => runCommand(args, { cwd: folder, env: { DRAYAGE_DATA: 'data' } });

  it('say so when the database was never made, and migrate makes it, once', async () => {
    const { code, stderr } = await drayage('tenants');
    assert.equal(code, 1);
    assert.match(stderr, /drayage migrate/);
    assert.match((await drayage('migrate')).stdout, /^Ran 0001_tenants, .*\.\n$/);
    assert.equal((await drayage('migrate')).stdout, 'The database is of this version.\n');
  });

  it('make tenants of declared tiers only', async () => {
    assert.equal((await drayage('tenants', 'put', 'acme', '--tier', 'gold')).stdout, 'Tenant acme has tier gold.\n');
    const config = join(folder, 'drayage.config.ts');
    assert.equal(await tenants.run(['put', 'acme', '--tier', 'iron', '--config', config]), 0);
    const refused = await drayage('tenants', 'put', 'acme', '--tier', 'wood');
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /no tier wood; there are gold, iron/);
    await assert.rejects(tenants.run(['put', 'a b', '--tier', 'gold', '--config', config]), isUsage(/called a b/));
    const [tenant] = JSON.parse((await drayage('tenants', 'list', '--json')).stdout);
    assert.deepEqual([tenant.id, tenant.tier, tenant.queuedRuns], ['acme', 'iron', 0]);
  });

  it('make a key that is shown once, list it without itself, and revoke it once', async () => {
    const made = await drayage('keys', 'create', '--tenant', 'acme', '--name', 'nightly', '--rights', 'read');
    const [, key = ''] = /^(dk_[0-9a-z]{40})$/m.exec(made.stdout) ?? [];
    assert.notEqual(key, '', made.stdout);
    const listed = await drayage('keys', '--json');
    assert.ok(!listed.stdout.includes(key));
    const [view] = JSON.parse(listed.stdout);
    assert.deepEqual([view.id, view.name, view.tenants, view.rights], [1, 'nightly', ['acme'], ['read']]);
    assert.equal(await keys.run(['revoke', '1']), 0);
    assert.equal((await drayage('keys', 'revoke', '1')).code, 1);
    await assert.rejects(keys.run(['create', '--tenant', 'nobody']), /no tenant nobody/);
    const create = ['create', '--tenant', 'acme'];
    await assert.rejects(keys.run([...create, '--rights', 'fly']), isUsage(/no right fly/));
    await assert.rejects(keys.run([...create, '--dialect', 'nativ']), isUsage(/there are native/));
    const tiered = await drayage('keys', 'create', '--tenant', 'beta', '--tier', 'gold', '--json');
    assert.deepEqual(Object.keys(JSON.parse(tiered.stdout)), ['id', 'key', 'tenants', 'name', 'rights', 'dialects']);
    assert.equal(await keys.run(['revoke', '2', '77']), 1);
    assert.match((await drayage('keys')).stdout, /^2 .*beta .*Z$/m);
    const none = await drayage('keys', 'create', '--tenant', 'acme', '--rights', '', '--json');
    assert.deepEqual(JSON.parse(none.stdout).rights, []);
  });

  it('check a configuration, source by source', async () => {
    const { code, stdout } = await drayage('config', 'check');
    assert.equal(code, 1);
    assert.match(stdout, /^ok {6}rows: 2 columns, no time column$/m);
    assert.match(stdout, /^failed {2}gone: .*\[source\.unreachable\]$/m);
    assert.match(stdout, /^tiers {3}gold, iron$/m);
  });

  it('refuse a tenancy column that no name of a tenant can be compared with', async () => {
    const dataset = (columns: object) => ({
      source: { type: 'duckdb', files: 'lines.jsonl' },
      columns: [{ name: 'tenant', from: 'id', ...columns }, { name: 'amount' }],
      tenancy: { column: 'tenant' },
    });
    const config = { datasets: { typed: dataset({ type: 'int64' }), untyped: dataset({ hidden: true }) } };
    writeFileSync(join(folder, 'tenants.config.ts'), `export default ${JSON.stringify(config)};`);
    const { code, stdout } = await drayage('config', 'check', '--config', 'tenants.config.ts');
    assert.equal(code, 1);
    assert.match(stdout, /^ok {6}typed: 2 columns/m);
    assert.match(
      stdout,
      /^failed {2}untyped: The column is of type json, .*declare its type.* \(\/tenancy\/column\)$/m,
    );
  });

  it('warn of a column that no line has, and of none that one line has or that nothing can be said of', async () => {
    const { code, stdout } = await drayage('config', 'check', '--config', 'lines.config.ts');
    assert.equal(code, 0);
    assert.equal(stdout.match(/^ok /gm)?.length, 3);
    assert.deepEqual(stdout.match(/^warning .*$/gm), [`warning misspelt: ${WARNING}`]);
  });

  it('work beside a running server, which sees a revoked key at once', async () => {
    await using ground = await ServerGround.open({ dispatches: false });
    const { json } = await ground.call('POST', '/v1/jobs', { body: { dataset: 'events', format: 'csv' } });
    const beside = (...args: string[]) => runCommand(args, { cwd: folder, env: { DRAYAGE_DATA: ground.dataFolder } });
    const [listed] = JSON.parse((await beside('runs', '--json')).stdout);
    assert.deepEqual([listed.run, listed.tenant, listed.state], [json.run.id, 'acme', 'queued']);
    assert.equal((await beside('runs', '--state', 'failed', '--json')).stdout, '[]\n');
    assert.equal((await beside('runs', '--state', 'odd')).code, 2);
    assert.equal((await ground.call('GET', '/v1/jobs', { key: KEYS.globex })).status, 200);
    assert.equal((await beside('keys', 'revoke', '2')).code, 0);
    assert.equal((await ground.call('GET', '/v1/jobs', { key: KEYS.globex })).status, 401);
  });
});

describe('a server', () => {
  it('that starts warns of a column that no line has', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'drayage-store-'));
    const lines: string[] = [];
    try {
      writeFileSync(join(folder, 'lines.jsonl'), '{"id":1,"amount":"2","note":"x"}\n');
      writeFileSync(join(folder, 'empty.jsonl'), '');
      const environment = { ...readEnvironment(), dataFolder: join(folder, 'data'), port: 0, databaseUrl: null };
      const log = openLog('info', { write: (line) => lines.push(line) });
      const server = await startServer({ config: readConfig(linesConfig(), []), folder, environment, log });
      await server.stop();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    const warned = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 40);
    assert.deepEqual(
      warned.map(({ event, dataset, message }) => [event, dataset, message]),
      [['dataset', 'misspelt', WARNING]],
    );
  });
});
