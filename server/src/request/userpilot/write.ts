import type { Shape } from '../../dataset/shape.ts';
import type { Job } from '../../job/job.ts';
import type { Run, RunFile } from '../../run/run.ts';
import type { Notice, NoticeAsk } from '../dialect.ts';
import { type FileLinks, linksOfKey } from '../link.ts';
import { phaseOf } from '../phase.ts';
import type { UserpilotOptions } from './options.ts';
import { type PageAsk, writeCursor } from './read.ts';

export const EXPORTS = '/api/v1/analytics/exports';

/** A job with its run, and how it is told. */
interface Telling {
  readonly job: Job;
  readonly run: Run;
  readonly options: UserpilotOptions;
  /** ISO instant. */
  readonly now: string;
}

/** Answer of a create. */
export function writeCreated({ job, run, options }: Telling, baseUrl: string) {
  const id = referenceOf(job);
  return {
    environment_app_token: job.tenant,
    environment_name: Object.hasOwn(options.environments, job.tenant)
      ? (options.environments[job.tenant] ?? options.environment)
      : options.environment,
    job_id: id,
    links: `${baseUrl}${EXPORTS}/jobs/${encodeURIComponent(id)}`,
    start_time: seconds(job.createdAt),
    status: statusOf(run, options),
  };
}

/** An item of the list. */
export function writeSummary({ job, run, options, now }: Telling) {
  const elapsed = (Date.parse(seconds(run.finishedAt ?? now)) - Date.parse(seconds(job.createdAt))) / 1000;
  return {
    job_id: referenceOf(job),
    status: statusOf(run, options),
    progress: progressOf(run),
    start_time: seconds(job.createdAt),
    end_time: run.finishedAt && seconds(run.finishedAt),
    elapsed_time: clock(elapsed),
    elapsed_time_seconds: String(elapsed),
  };
}

/** A job by itself. */
export function writeDetail({ job, run, options }: Telling, linkTo: FileLinks) {
  return {
    app_token: job.tenant,
    job_id: referenceOf(job),
    type: 'export' as const,
    status: statusOf(run, options),
    progress: progressOf(run),
    start_time: seconds(job.createdAt),
    end_time: run.finishedAt && seconds(run.finishedAt),
    ...chunksOf(job, run),
    presigned_urls: urlsOf(run, linkTo, options),
  };
}

/** The mail that `emails` are promised. */
export function writeNotice({ job, run, links, options, baseUrl }: NoticeAsk<UserpilotOptions>): Notice {
  const urls = urlsOf(run, linksOfKey(job.principal, { links, baseUrl }), options);
  const until = run.files.map(({ expiresAt }) => expiresAt).sort()[0];
  return {
    subject: `Your export ${referenceOf(job)} is ready`,
    text: [
      `The export ${referenceOf(job)} of ${job.tenant} is ready to be downloaded${until ? ` until ${seconds(until)}` : ''}:`,
      ...urls.map(({ filename, url }) => `${filename}\n${url}`),
      'Whoever has one of these links can download the file.',
    ].join('\n\n'),
  };
}

function referenceOf({ reference, id }: Job): string {
  return reference ?? id;
}

function statusOf(run: Run, { statuses: { running, failed } }: UserpilotOptions): string {
  const words = { waiting: 'pending', retrying: 'pending', running, succeeded: 'completed', failed };
  return words[phaseOf(run)];
}

/** Never 100 % before the files are there. */
function progressOf({ state, progress }: Run): string {
  if (state === 'succeeded') return '100%';
  return `${Math.min(99, Math.floor((progress.fraction ?? 0) * 100))}%`;
}

const DAY_MS = 86_400_000;

/** Days beyond these are told as part of the first one: a list of centuries would serve nobody. */
const MAX_CHUNKS = 3653;

/** UTC days of the window; how many are done is the share of the rows, since rows come in the order of the source. */
function chunksOf({ createdAt }: Job, { window, state, progress }: Run) {
  const last = Math.floor(lastMoment(window.end ?? createdAt) / DAY_MS);
  const first = Math.max(Math.floor(Date.parse(window.start ?? createdAt) / DAY_MS), last - MAX_CHUNKS + 1);
  const all = Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => dayOf(first + at));
  const done = state === 'succeeded' ? all.length : Math.floor(Math.min(progress.fraction ?? 0, 0.999) * all.length);
  const isAtWork = state === 'running' || state === 'committing';
  return {
    all_chunks: all,
    completed_chunks: all.slice(0, done),
    current_chunk: (isAtWork ? all[done] : undefined) ?? '',
  };
}

/** The millisecond that lies last before the end, which may have microseconds. */
function lastMoment(end: string): number {
  return Date.parse(end) - (/\.\d{3}(000)?Z$/.test(end) ? 1 : 0);
}

function dayOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** They stay when the files are gone: then they answer that they have expired. */
function urlsOf(run: Run, linkTo: FileLinks, { urlLife: lifeMs }: UserpilotOptions) {
  return run.files.map((file, at) => {
    const filename = fileName(file, at + 1);
    return { filename, url: linkTo(run, file, { name: filename, lifeMs }).url };
  });
}

function fileName({ path }: RunFile, part: number): string {
  const extension = path.slice(path.lastIndexOf('.') + 1);
  return `export-part${part}.${extension === 'jsonl' ? 'ndjson' : extension}`;
}

/** `2024-06-01T12:00:00Z`. */
function seconds(instant: string): string {
  return `${instant.slice(0, 19)}Z`;
}

function clock(elapsed: number): string {
  const parts = [Math.floor(elapsed / 3600), Math.floor(elapsed / 60) % 60, elapsed % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

export type Row = Readonly<Record<string, unknown>>;

/** An item of a lookup. */
export function writeItem(row: Row, { columns }: Shape): Row {
  return Object.fromEntries(columns.map(({ name, type }) => [name, cellOf(row[name] ?? null, { name, type })]));
}

function cellOf(value: unknown, { name, type }: { name: string; type: string }): unknown {
  if (type === 'instant' && typeof value === 'string') return seconds(value);
  if (name === 'modules') return Array.isArray(value) ? value.map((each) => named(each, MODULE)) : [];
  if (name === 'event') return isObject(value) ? named(value, EVENT) : null;
  return value;
}

const MODULE = ['id', 'order', 'type', 'question'];
const EVENT = ['id', 'display_name'];

function named(value: unknown, names: readonly string[]): Row {
  const from = isObject(value) ? value : {};
  return Object.fromEntries(names.map((name) => [name, from[name] ?? null]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export interface Page {
  /** One more than fit, where there are more; in the order they were read in. */
  readonly rows: readonly Row[];
  readonly ask: PageAsk;
  readonly limit: number;
  readonly total: number;
}

/** From a page without rows: to where it was asked from, that row too. */
function wayBack(lookup: string, { side, id }: PageAsk): string | null {
  if (id === null) return null;
  const beside = BigInt(id) + (side === 'after' ? 1n : -1n);
  return BigInt.asIntN(64, beside) === beside ? writeCursor(lookup, String(beside)) : null;
}

/** A page of a lookup, by ascending id whichever way it was read. */
export function writePage(shape: Shape, lookup: string, { rows, ask, limit, total }: Page) {
  const items = rows.slice(0, limit);
  if (ask.side === 'before') items.reverse();
  const hasMore = rows.length > limit;
  const [isAfter, isBefore] = ask.side === 'after' ? [hasMore, ask.id !== null] : [true, hasMore];
  const cursorAt = (row: Row | undefined) => (row ? writeCursor(lookup, String(row.id)) : wayBack(lookup, ask));
  return {
    data: items.map((row) => writeItem(row, shape)),
    metadata: {
      cursor: { after: isAfter ? cursorAt(items.at(-1)) : null, before: isBefore ? cursorAt(items[0]) : null },
      limit,
      total_count: total,
    },
  };
}
