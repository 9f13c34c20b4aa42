import type * as wire from '@drayage/sdk/wire';
import { nameOf } from '../../column/type.ts';
import { type Dataset, visibleColumns } from '../../dataset/dataset.ts';
import type { Job } from '../../job/job.ts';
import type { Run, RunFile } from '../../run/run.ts';
import type { FileLinks } from '../link.ts';

/** Where file links point. */
export const NATIVE_FILES = '/v1/files';

/** Ours → theirs. */
export function writeJob(job: Job, run: Run, linkTo: FileLinks) {
  return {
    id: job.id,
    state: run.state,
    dataset: job.ask.dataset,
    request: job.request as Record<string, unknown>,
    run: writeRun(run, linkTo),
    createdAt: job.createdAt,
  };
}

export function writeRun(run: Run, linkTo: FileLinks): wire.Run {
  const { id, jobId, state, attempt, progress, rowsPlanned, rowsWritten, createdAt, startedAt, finishedAt, error } =
    run;
  const files = run.files.map((file) => writeFile(file, linkTo(run, file)));
  return {
    id,
    jobId,
    state,
    attempt,
    progress,
    rowsPlanned,
    rowsWritten,
    createdAt,
    startedAt,
    finishedAt,
    error,
    files,
  };
}

function writeFile(file: RunFile, link: ReturnType<FileLinks>): wire.File {
  const { path, rows, bytes, sha256, expiresAt: keptUntil, isRemoved } = file;
  return { path, rows, bytes, sha256, url: isRemoved ? null : link.url, expiresAt: link.expiresAt, keptUntil };
}

/** Hidden columns and the tenant's own show nowhere. */
export function writeDataset(dataset: Dataset): wire.Dataset {
  const columns = visibleColumns(dataset);
  const isVisible = (name: string) => columns.some((column) => column.name === name);
  return {
    name: dataset.name,
    columns: columns.map(({ name, type, nullable, description }) => ({
      name,
      type: nameOf(type),
      nullable,
      description,
    })),
    key: dataset.key.filter(isVisible),
    time: dataset.time !== null && isVisible(dataset.time) ? dataset.time : null,
    lookbackDays: dataset.lookbackDays,
  };
}
