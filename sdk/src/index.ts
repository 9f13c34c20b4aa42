export { type CallOptions, type ClientOptions, type CreateOptions, DrayageClient, type OpenOptions } from './client.ts';
export { DrayageError, RunFailedError } from './errors.ts';
export type { Manifest, ManifestOutput } from './manifest.ts';
export type { WaitOptions } from './wait.ts';
export type { Dataset, File, Job, JobListQuery, JobRequest, LogEntry, Problem, Run, RunState } from './wire.ts';

/** Version of this client and of the wire types it speaks, as in its package.json. */
export const version = '0.1.0';
