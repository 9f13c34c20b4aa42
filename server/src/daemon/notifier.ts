import { now } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Job } from '../job/job.ts';
import type { Notice } from '../request/dialect.ts';
import { keptFiles } from '../request/phase.ts';
import { NOTICE_ATTEMPTS, type Notices, type TakenNotice } from '../run/notice-queries.ts';
import type { Run } from '../run/run.ts';
import type { TickingDaemon } from './daemon.ts';
import type { Mailer, MailFailure } from './mail.ts';
import { Rounds } from './rounds.ts';

const EVERY_MS = 5000;

/** Notices of a round; the next one takes more. */
const BATCH = 100;

export interface NotifierGround {
  readonly notices: Notices;
  /** Null where no SMTP server is set: notices are logged instead. */
  readonly mailer: Pick<Mailer, 'send'> | null;
  readonly log: Log;
  /** What is written when the run succeeded, or null for nothing. The subject is logged, so it holds no link. */
  compose(job: Job, run: Run): Notice | null;
}

/** Tells by e-mail that runs succeeded, each address at least once, or says in the log why not. */
export class NotifierDaemon implements TickingDaemon {
  readonly #ground: NotifierGround;
  readonly #rounds: Rounds;
  #isStopping = false;

  constructor(ground: NotifierGround) {
    this.#ground = ground;
    this.#rounds = new Rounds(this, EVERY_MS, ground.log);
  }

  async start(): Promise<void> {
    this.#isStopping = false;
    this.#rounds.start();
  }

  async tick(): Promise<number> {
    const { notices } = this.#ground;
    let count = 0;
    for (const id of await notices.due(BATCH)) {
      if (this.#isStopping) break;
      const notice = await notices.take(id);
      if (!notice) continue;
      await this.#settle(notice, await this.#tell(notice));
      count++;
    }
    return count;
  }

  /** Waits for the mail in hand. */
  stop(): Promise<void> {
    this.#isStopping = true;
    return this.#rounds.stop();
  }

  /** Null when there is nothing more to do. */
  async #tell(notice: TakenNotice): Promise<MailFailure | null> {
    const { mailer, log } = this.#ground;
    const { id, address: to, job, run } = notice;
    if (!job) return { reason: 'The job was deleted.', isFinal: true };
    if (keptFiles(run, now()).length === 0) return { reason: 'The files are not kept any more.', isFinal: true };
    const text = this.#compose(notice, job);
    if ('reason' in text) return text;
    if (mailer) return mailer.send({ id, to, ...text });
    // Links are as good as keys: the text stands in no log.
    log.info({ ...namesOf(notice), address: to, subject: text.subject }, 'notice not mailed: no smtp is set');
    return null;
  }

  #compose(notice: TakenNotice, job: Job): Notice | MailFailure {
    const { compose, log } = this.#ground;
    try {
      return compose(job, notice.run) ?? { reason: 'There is nothing to tell about this job.', isFinal: true };
    } catch (error) {
      log.error({ err: error, ...namesOf(notice) }, 'notice not written');
      return { reason: 'The notice could not be written.', isFinal: false };
    }
  }

  async #settle(notice: TakenNotice, failure: MailFailure | null): Promise<void> {
    const { notices, log, mailer } = this.#ground;
    const names = namesOf(notice);
    if (!failure) {
      await notices.markSent(notice);
      if (mailer) log.info(names, 'notice sent');
      return;
    }
    const { reason, isFinal, detail } = failure;
    const told = { ...names, reason, ...(detail === undefined ? {} : { detail }) };
    if (isFinal || notice.attempt >= NOTICE_ATTEMPTS) {
      await notices.markFailed(notice, reason);
      log.error(told, 'notice failed');
    } else {
      await notices.noteFailure(notice, reason);
      log.warn(told, 'notice not sent yet');
    }
  }
}

function namesOf({ id, run, attempt }: TakenNotice) {
  return { notice: id, run: run.id, tenant: run.tenant, attempt };
}
