import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, mock, suite, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { MailServer } from '../../test/mail-server.ts';
import { whyNoPostgres } from '../../test/readers/postgres.ts';
import { whyNoPython } from '../../test/readers/python-json.ts';
import { readMail } from '../../test/readers/python-mail.ts';
import { commitOf, type GroundOf, StoreGround, type StoreKind } from '../../test/store-ground.ts';
import { later, now } from '../base/clock.ts';
import { openLog } from '../base/log.ts';
import type { Db } from '../db/db.ts';
import { Notices } from '../run/notice-queries.ts';
import { finishRun } from '../run/settle-queries.ts';
import { Mailer } from './mail.ts';
import { NotifierDaemon, type NotifierGround } from './notifier.ts';

const LINK = 'https://exports.example.com/files/f?signature=s3cr3t';

const ADA = 'ada@example.org';

const DAY_MS = 86_400_000;

/** A notifier with what it logs. */
function notifier(db: Db, mailer: Mailer | null, compose: NotifierGround['compose'] = write) {
  const lines: Record<string, unknown>[] = [];
  const log = openLog('info', { write: (line: string) => lines.push(JSON.parse(line)) });
  return { daemon: new NotifierDaemon({ notices: new Notices(db), mailer, log, compose }), lines };
}

const write: NotifierGround['compose'] = (job, run) => ({
  subject: `Your export of ${job.ask.dataset} is ready`,
  text: `${run.files.map(({ path }) => `${LINK}&file=${path}`).join('\n')}\n`,
});

function eventsOf(lines: readonly Record<string, unknown>[]): unknown[] {
  return lines.map(({ event }) => event);
}

function noticesOf(ground: StoreGround) {
  return ground.db.read((tx) => tx.selectFrom('notices').selectAll().orderBy('address').execute());
}

/** A run that succeeded, of a job that names these addresses. */
async function succeeded(ground: StoreGround, notify: readonly string[] = [ADA]) {
  await ground.submit('acme', { notify });
  const claim = await ground.claim();
  assert.equal(await ground.work().commit(claim, { ...commitOf(claim), fileLifeMs: DAY_MS }), true);
  assert.equal(await ground.work().finish(claim), true);
  return claim;
}

function testNotices(ground: GroundOf): void {
  test('are made when the run succeeds, one for each address', async () => {
    await ground().submit('acme', { notify: [ADA, 'bob@example.org', ADA] });
    const claim = await ground().claim();
    assert.equal(await ground().work().commit(claim, commitOf(claim)), true);
    assert.deepEqual(await noticesOf(ground()), []);
    assert.equal(await ground().work().finish(claim), true);
    assert.equal(await ground().work().finish(claim), false);
    const rows = await noticesOf(ground());
    assert.deepEqual(
      rows.map(({ address, run_id, tenant_id, state, attempts, sent_at }) => [
        address,
        run_id,
        tenant_id,
        state,
        attempts,
        sent_at,
      ]),
      [ADA, 'bob@example.org'].map((address) => [address, claim.run, 'acme', 'pending', 0, null]),
    );
  });

  test('are made with the run or not at all', async () => {
    await ground().submit('acme', { notify: [ADA] });
    const claim = await ground().claim();
    assert.equal(await ground().work().commit(claim, commitOf(claim)), true);
    const cut = ground().db.write(async (tx) => {
      assert.equal(await finishRun(tx, claim), true);
      throw new Error('cut off');
    });
    await assert.rejects(cut, /cut off/);
    assert.deepEqual([await noticesOf(ground()), (await ground().run(claim.run)).state], [[], 'committing']);
  });

  test('are not made for a job that names nobody', async () => {
    await succeeded(ground(), []);
    await ground().succeeded();
    assert.deepEqual(await noticesOf(ground()), []);
  });

  test('arrive once, with subject, text and links', { skip: whyNoPython() }, async () => {
    await using server = await MailServer.start();
    const { run } = await succeeded(ground());
    const { daemon, lines } = notifier(ground().db, new Mailer(server.options()));
    assert.deepEqual([await daemon.tick(), await daemon.tick()], [1, 0]);
    const { to, raw } = server.mail();
    const { headers, text } = readMail(raw);
    assert.deepEqual(to, [ADA]);
    assert.equal(new Map(headers).get('Subject'), 'Your export of events is ready');
    assert.equal(text, `${LINK}&file=${run}.csv\n`);
    const [row] = await noticesOf(ground());
    assert.deepEqual([row?.state, row?.attempts, row?.error], ['sent', 1, null]);
    assert.ok(row?.sent_at);
    assert.equal(new Map(headers).get('Message-ID'), `<${row.id}@example.com>`);
    assert.deepEqual(eventsOf(lines), ['notice sent']);
  });

  test('of two servers on one database are sent once', async () => {
    await using server = await MailServer.start();
    const addresses = Array.from({ length: 12 }, (_, at) => `reader-${at}@example.org`);
    await succeeded(ground(), addresses);
    const mailer = new Mailer(server.options());
    const daemons = [ground().db, await ground().rival()].map((db) => notifier(db, mailer).daemon);
    const counts = await Promise.all(daemons.map((daemon) => daemon.tick()));
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      12,
    );
    assert.deepEqual(server.mails.flatMap(({ to }) => to).toSorted(), addresses.toSorted());
  });

  test('are logged once and without their links where no smtp is set', async () => {
    const { run } = await succeeded(ground());
    const { daemon, lines } = notifier(ground().db, null);
    assert.deepEqual([await daemon.tick(), await daemon.tick()], [1, 0]);
    const [row] = await noticesOf(ground());
    assert.deepEqual([row?.state, lines.length], ['sent', 1]);
    const { event, address, subject, run: named } = lines[0] ?? {};
    assert.deepEqual([address, subject, named], [ADA, 'Your export of events is ready', run]);
    assert.equal(event, 'notice not mailed: no smtp is set');
    assert.doesNotMatch(JSON.stringify(lines), /s3cr3t|exports\.example/);
  });
}

function testFailures(ground: GroundOf): void {
  test('wait ever longer for a server that is down, and fail after the fifth attempt', async () => {
    const server = await MailServer.start();
    const mailer = new Mailer(server.options());
    await server[Symbol.asyncDispose]();
    await succeeded(ground());
    const { daemon, lines } = notifier(ground().db, mailer);
    mock.timers.enable({ apis: ['Date'], now: Date.parse(now()) });
    for (const waitMs of [30_000, 60_000, 120_000, 240_000]) {
      assert.equal(await daemon.tick(), 1);
      const [row] = await noticesOf(ground());
      assert.deepEqual([row?.state, row?.error], ['pending', 'The connection to the mail server failed.']);
      mock.timers.setTime(Date.parse(now()) + waitMs - 1);
      assert.equal(await daemon.tick(), 0);
      mock.timers.setTime(Date.parse(now()) + 1);
    }
    assert.equal(await daemon.tick(), 1);
    const [row] = await noticesOf(ground());
    assert.deepEqual([row?.state, row?.attempts], ['failed', 5]);
    mock.timers.setTime(Date.parse(now()) + DAY_MS / 2);
    assert.equal(await daemon.tick(), 0);
    assert.deepEqual(eventsOf(lines), [...Array(4).fill('notice not sent yet'), 'notice failed']);
  });

  test('arrive when the server is up again', async () => {
    const before = await MailServer.start();
    const { port } = before;
    const mailer = new Mailer(before.options());
    await before[Symbol.asyncDispose]();
    await succeeded(ground());
    const { daemon } = notifier(ground().db, mailer);
    assert.equal(await daemon.tick(), 1);
    await using server = await MailServer.start({ port });
    mock.timers.enable({ apis: ['Date'], now: Date.parse(now()) + 30_000 });
    assert.equal(await daemon.tick(), 1);
    assert.deepEqual(server.mail().to, [ADA]);
    const [row] = await noticesOf(ground());
    assert.deepEqual([row?.state, row?.attempts, row?.error], ['sent', 2, null]);
  });

  test('of a refused login are kept, and tell no secret', async () => {
    await using server = await MailServer.start({ login: { user: 'exports', secret: 'right' } });
    await succeeded(ground());
    const { daemon, lines } = notifier(ground().db, new Mailer(server.options('exports:hunter2')));
    assert.equal(await daemon.tick(), 1);
    const [row] = await noticesOf(ground());
    assert.deepEqual([row?.state, row?.error], ['pending', 'The mail server refused the login (535).']);
    assert.deepEqual(
      [eventsOf(lines), server.logins, server.mails],
      [['notice not sent yet'], ['exports:hunter2'], []],
    );
    assert.doesNotMatch(JSON.stringify([lines, row]), /hunter2|s3cr3t/);
  });

  test('to an address the server refuses fail at once, and keep nobody else from theirs', async () => {
    await using server = await MailServer.start({ refuse: (address) => (address === ADA ? 550 : null) });
    await succeeded(ground(), [ADA, 'bob@example.org']);
    const { daemon } = notifier(ground().db, new Mailer(server.options()));
    assert.equal(await daemon.tick(), 2);
    assert.deepEqual(
      (await noticesOf(ground())).map(({ state, error }) => [state, error]),
      [
        ['failed', 'The mail server refused the address (550).'],
        ['sent', null],
      ],
    );
    assert.deepEqual(server.mail().to, ['bob@example.org']);
  });

  test('that cannot be written are tried again', async () => {
    await using server = await MailServer.start();
    await succeeded(ground());
    const broken = () => {
      throw new Error('a bug');
    };
    const { daemon, lines } = notifier(ground().db, new Mailer(server.options()), broken);
    assert.equal(await daemon.tick(), 1);
    const [row] = await noticesOf(ground());
    assert.deepEqual([row?.state, row?.error], ['pending', 'The notice could not be written.']);
    assert.deepEqual([eventsOf(lines), server.mails], [['notice not written', 'notice not sent yet'], []]);
  });
}

function testVain(ground: GroundOf): void {
  const unsent = async (reason: string, compose?: NotifierGround['compose']) => {
    await using server = await MailServer.start();
    const { daemon } = notifier(ground().db, new Mailer(server.options()), compose);
    assert.equal(await daemon.tick(), 1);
    const [row] = await noticesOf(ground());
    assert.deepEqual([row?.state, row?.error, server.mails], ['failed', reason, []]);
  };

  test('of a job that was deleted are not sent', async () => {
    const { job } = await succeeded(ground());
    assert.equal(await ground().runs.deleteJob(job, ['acme'], ground().asker), true);
    await unsent('The job was deleted.');
  });

  test('of files that are not kept any more are not sent', async () => {
    const { run } = await succeeded(ground());
    await ground().sweep.markRemoved(run);
    await unsent('The files are not kept any more.');
  });

  test('of files that expired are not sent', async () => {
    const { run } = await succeeded(ground());
    const values = { expires_at: later(now(), -1) };
    await ground().db.write((tx) => tx.updateTable('files').set(values).where('run_id', '=', run).execute());
    await unsent('The files are not kept any more.');
  });

  test('of a dialect that has nothing to say are not sent', async () => {
    await succeeded(ground());
    await unsent('There is nothing to tell about this job.', () => null);
  });
}

function testStop(ground: GroundOf): void {
  test('go on from where a stop left them: it waits for the mail in hand and begins no other', async () => {
    const [begun, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const hold = () => {
      begun.resolve();
      return held.promise;
    };
    await using server = await MailServer.start({ hold });
    await succeeded(ground(), [ADA, 'bob@example.org']);
    const { daemon } = notifier(ground().db, new Mailer(server.options()));
    await daemon.stop();
    await daemon.start();
    await begun.promise;
    const stopped = daemon.stop().then(() => 'stopped');
    assert.equal(await Promise.race([stopped, setImmediate('waits')]), 'waits');
    held.resolve();
    await stopped;
    const states = (await noticesOf(ground())).map(({ state }) => state);
    assert.deepEqual([states.toSorted(), server.mails.length], [['pending', 'sent'], 1]);
    await daemon.stop();
  });
}

function testNotifier(kind: StoreKind): void {
  let opened: StoreGround;
  before(async () => {
    opened = await StoreGround.open(kind);
  });
  after(() => opened[Symbol.asyncDispose]());
  beforeEach(() => opened.reset());
  afterEach(async () => {
    mock.timers.reset();
    await opened.closeOthers();
  });
  const ground = () => opened;
  testNotices(ground);
  testFailures(ground);
  testVain(ground);
  testStop(ground);
}

suite('notices on SQLite', () => testNotifier('sqlite'));

suite('notices on PostgreSQL', { skip: whyNoPostgres() }, () => testNotifier('postgres'));
