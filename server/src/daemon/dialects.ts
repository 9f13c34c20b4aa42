import type { Log } from '../base/log.ts';
import type { Db } from '../db/db.ts';
import type { ParsedConfig } from '../job/config.ts';
import type { Job } from '../job/job.ts';
import { baseUrlOf, readOptions } from '../request/config.ts';
import type { Desk } from '../request/desk.ts';
import type { Dialect, DialectGround } from '../request/dialect.ts';
import { dialects } from '../request/dialects.ts';
import type { FrontGround } from '../request/front.ts';
import { Notices } from '../run/notice-queries.ts';
import type { Run } from '../run/run.ts';
import { Mailer } from './mail.ts';
import { NotifierDaemon } from './notifier.ts';

/** Every dialect over the one desk, as the operator set it. */
export function frontGround(desk: Desk, config: ParsedConfig): Pick<FrontGround, 'dialects' | 'hosts' | 'groundOf'> {
  return { dialects, hosts: config.hosts, groundOf: (dialect) => groundOf(dialect, desk, config) };
}

function groundOf(dialect: Dialect, desk: Desk, config: ParsedConfig): DialectGround {
  const options = readOptions(dialect, config);
  return { desk, options, baseUrl: baseUrlOf(dialect, options, config.publicUrl) };
}

/** The dialect of every shape. */
export function dialectsOfShapes(): ReadonlyMap<string, string> {
  return new Map(dialects.flatMap(({ name, shapes }) => shapes.map((shape) => [shape.name, name] as const)));
}

interface NotifierAsk {
  readonly db: Db;
  readonly config: ParsedConfig;
  readonly log: Log;
}

/** Tells people in the words of the dialect their job came by. */
export function openNotifier(desk: Desk, { db, config, log }: NotifierAsk): NotifierDaemon {
  const compose = (job: Job, run: Run) => {
    const dialect = dialects.find(({ name }) => name === job.dialect);
    if (!dialect?.notice) return null;
    const { options, baseUrl } = groundOf(dialect, desk, config);
    return dialect.notice({ job, run, options, baseUrl, links: desk.links });
  };
  const mailer = config.smtp ? new Mailer(config.smtp) : null;
  return new NotifierDaemon({ notices: new Notices(db), mailer, log, compose });
}
