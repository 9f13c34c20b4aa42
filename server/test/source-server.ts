import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Who runs what refuses to be root. */
const OWNER = process.getuid?.() === 0 ? ownerOf('postgres') : {};

function ownerOf(user: string): { uid: number; gid: number } | Record<string, never> {
  const [uid, gid] = ['-u', '-g'].map((flag) =>
    Number(spawnSync('id', [flag, user], { encoding: 'utf8' }).stdout || Number.NaN),
  );
  return Number.isInteger(uid) && Number.isInteger(gid) ? { uid: Number(uid), gid: Number(gid) } : {};
}

/** Where a program is, or null. */
function find(name: string): string | null {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : [];
  const folders = [
    ...(process.env.PATH ?? '').split(':'),
    '/usr/sbin',
    ...versions.map((version) => `/usr/lib/postgresql/${version}/bin`),
  ];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

/** Why these cannot be started here, or false. */
export function whyNo(...names: readonly string[]): string | false {
  const missing = names.filter((name) => find(name) === null);
  return missing.length === 0 ? false : `not found: ${missing.join(', ')}`;
}

function run(name: string, args: readonly string[], cwd: string): void {
  execFileSync(find(name) ?? name, args, { cwd, stdio: 'pipe', ...OWNER });
}

/** A server with TLS, passwords over TCP and, when asked, a pooler in front of it. */
export class SourceServer implements AsyncDisposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'pt-'));
  readonly #processes: ChildProcess[] = [];
  #port = 0;

  static async start(): Promise<SourceServer> {
    const server = new SourceServer();
    const { folder } = server;
    server.#port = await freePort();
    if (OWNER.uid !== undefined) chownSync(folder, OWNER.uid, OWNER.gid);
    run(
      'initdb',
      ['-D', join(folder, 'data'), '-U', 'reader', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
      folder,
    );
    server.#makeCertificates();
    writeFileSync(
      join(folder, 'data/pg_hba.conf'),
      'local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n',
    );
    const settings = [
      'listen_addresses=127.0.0.1',
      `port=${server.#port}`,
      'ssl=on',
      `ssl_cert_file=${folder}/server.crt`,
      `ssl_key_file=${folder}/server.key`,
      'shared_buffers=16MB',
      'fsync=off',
    ];
    await server.#spawn(
      'postgres',
      ['-D', join(folder, 'data'), '-k', folder, ...settings.flatMap((each) => ['-c', each])],
      'ready to accept connections',
    );
    return server;
  }

  /** An authority, a certificate of its for localhost, and another authority. */
  #makeCertificates(): void {
    const openssl = (line: string) => run('openssl', line.split(' '), this.folder);
    const key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';
    for (const name of ['ca', 'other'])
      openssl(`req -x509 ${key} -days 2 -subj /CN=${name} -keyout ${name}.key -out ${name}.crt`);
    openssl(`req ${key} -subj /CN=localhost -keyout server.key -out server.csr`);
    writeFileSync(join(this.folder, 'names'), 'subjectAltName=DNS:localhost');
    openssl('x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt');
    chmodSync(join(this.folder, 'server.key'), 0o600);
  }

  pem(name: 'ca' | 'other'): string {
    return readFileSync(join(this.folder, `${name}.crt`), 'utf8');
  }

  /** Through the unix socket, where everybody is let in. */
  get localUrl(): string {
    return `postgresql://reader@localhost:${this.#port}/postgres?host=${encodeURIComponent(this.folder)}`;
  }

  /** Over TCP, for who has a password. */
  url(login: string, host = 'localhost'): string {
    return `postgresql://${login}@${host}:${this.#port}/postgres`;
  }

  /** A pooler that gives a connection for one transaction; its url. */
  async pooled(): Promise<string> {
    const port = await freePort();
    const lines = [
      '[databases]',
      `* = host=${this.folder} port=${this.#port}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = any',
      'pool_mode = transaction',
      'default_pool_size = 4',
      '[users]',
    ];
    lines[1] = `postgres = host=${this.folder} port=${this.#port} user=reader`;
    writeFileSync(join(this.folder, 'pooler.ini'), `${lines.join('\n')}\n`);
    await this.#spawn('pgbouncer', [join(this.folder, 'pooler.ini')], 'process up');
    return `postgresql://reader@127.0.0.1:${port}/postgres`;
  }

  async #spawn(name: string, args: readonly string[], ready: string): Promise<void> {
    const child = spawn(find(name) ?? name, args, { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'], ...OWNER });
    this.#processes.unshift(child);
    let words = '';
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new Error(`${name} did not start: ${words}`)));
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        words = (words + text).slice(-4000);
        if (words.includes(ready)) resolve();
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#processes) {
      const ended = once(child, 'exit');
      child.kill('SIGQUIT');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
