import type * as wire from '@drayage/sdk/wire';
import { nameOf } from '../../column/type.ts';
import { type Dataset, visibleColumns } from '../../dataset/dataset.ts';
import type { Job } from '../../job/job.ts';
import type { Run, RunFile } from '../../run/run.ts';
import type { Links } from '../link.ts';

/** What files' links are minted with. */
export interface Minting {
  readonly links: Links;
  readonly principal: number;
  readonly route: string;
}

/** Where file links point. */
export const FILES = '/v1/files';

/** Ours → theirs. */
export function writeJob(job: Job, run: Run, minting: Minting) {
  return {
    id: job.id,
    state: run.state,
    dataset: job.ask.dataset,
    request: job.request as Record<string, unknown>,
    run: writeRun(run, minting),
    createdAt: job.createdAt,
  };
}

export function writeRun(run: Run, minting: Minting): wire.Run {
  const { id, jobId, state, attempt, progress, rowsPlanned, rowsWritten, createdAt, startedAt, finishedAt, error } =
    run;
  const files = run.files.map((file) => writeFile(file, run.tenant, minting));
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

function writeFile(file: RunFile, tenant: string, { links, ...ask }: Minting): wire.File {
  const { path, rows, bytes, sha256, expiresAt: keptUntil, isRemoved } = file;
  const link = links.mint({ id: file.id, tenant, path, expiresAt: keptUntil }, ask);
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
