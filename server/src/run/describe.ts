import { Engine } from '../source/engine.ts';
import type { DescribeAsk, SourceShape } from '../source/source.ts';
import { sources } from '../source/sources.ts';
import type { EngineVersions, Limits } from './plan.ts';

/** Describes a source and the engine that will read it. */
export async function describeSource(
  ask: DescribeAsk,
  limits: Limits,
): Promise<{ shape: SourceShape; engine: EngineVersions }> {
  const shape = await sources[ask.options.type].describe(ask, ({ files, database }) =>
    Engine.open({ ...limits, stageFolder: null, files, ...(database === undefined ? {} : { database }) }),
  );
  return { shape, engine: await engineVersions() };
}

export async function engineVersions(): Promise<EngineVersions> {
  const { version } = await import('@duckdb/node-api');
  const { node, zlib, zstd = '' } = process.versions;
  return { duckdb: version(), node, zlib, zstd, arch: process.arch };
}
