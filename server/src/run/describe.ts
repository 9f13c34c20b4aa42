import engine from '@duckdb/node-api/package.json' with { type: 'json' };
import { loadBindings } from '../source/connection.ts';
import { Engine } from '../source/engine.ts';
import type { DescribeAsk, OpenEngine, SourceShape } from '../source/source.ts';
import { loadSource } from '../source/sources.ts';
import type { EngineVersions, Limits } from './plan.ts';

/** Describes a source and the engine that will read it. `opening` hears which files are about to be opened. */
export async function describeSource(
  ask: DescribeAsk,
  limits: Limits,
  opening: (paths: readonly string[]) => void = () => {},
): Promise<{ shape: SourceShape; engine: EngineVersions }> {
  const source = await loadSource(ask.options.type);
  const open: OpenEngine = async ({ files, database }) => {
    await loadBindings();
    opening(database === undefined ? files : [database]);
    return Engine.open({ ...limits, stageFolder: null, files, ...(database === undefined ? {} : { database }) });
  };
  const shape = await source.describe(ask, open, limits.threads);
  return { shape, engine: engineVersions() };
}

/** The engine is not loaded for it: that takes a tenth of a second, and rows of PostgreSQL may need none. */
export function engineVersions(): EngineVersions {
  const { node, zlib, zstd = '' } = process.versions;
  return { duckdb: `v${engine.version.replace(/-r\.\d+$/, '')}`, node, zlib, zstd, arch: process.arch };
}
