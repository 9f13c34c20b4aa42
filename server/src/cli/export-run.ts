import { now } from '../base/clock.ts';
import { readEnvironment } from '../base/config.ts';
import { destinations } from '../destination/destinations.ts';
import { runIntoFolder } from '../run/into-folder.ts';
import { openSigner } from '../run/keys.ts';
import type { Manifest } from '../run/manifest.ts';
import { makePlan, type Plan } from '../run/plan.ts';
import type { Worker } from '../run/worker.ts';
import type { SourceOptions } from '../source/options.ts';
import { explainPlan } from './explain.ts';
import { type ExportArgs, readExportArgs } from './export-args.ts';
import type { ExportFlags } from './export-flags.ts';
import type { ExportInput } from './export-input.ts';
import type { ProgressView } from './progress-view.ts';

interface ExportAsk {
  readonly flags: ExportFlags;
  readonly input: () => Promise<ExportInput>;
  readonly worker: Worker;
  readonly signal: AbortSignal;
  readonly view: ProgressView;
}

/** Plans and runs an export; with `explain` only plans and shows it, and gives null. */
export async function runExport({ flags, input, ...ground }: ExportAsk): Promise<Manifest | null> {
  const args = readExportArgs(flags);
  ground.view.phase('plan');
  const { plan, access } = planExport(args, await input());
  if (args.explain || args.to === null) {
    process.stdout.write(explainPlan(plan, args.json));
    return null;
  }
  return await runPlan({ ...ground, plan, access, to: args.to, force: args.force });
}

function planExport(args: ExportArgs, input: ExportInput): { plan: Plan; access: SourceOptions } {
  const { subject, shape, engine, limits } = input;
  const { filter, columns, order, distinct, window, format, compression, split } = args;
  const plan = makePlan(
    {
      window,
      distinct,
      outputs: [{ format, compression, split }],
      ...(filter === undefined ? {} : { filter }),
      ...(columns === undefined ? {} : { columns }),
      ...(order === undefined ? {} : { order }),
    },
    { dataset: subject.dataset(shape), scope: subject.scope, shape, engine, limits, now: now() },
  );
  return { plan, access: subject.ask.options };
}

interface PlannedExport {
  readonly plan: Plan;
  readonly access: SourceOptions;
  readonly to: string;
  readonly force: boolean;
  readonly worker: Worker;
  readonly signal: AbortSignal;
  readonly view: ProgressView;
}

async function runPlan({ plan, access, to, force, worker, signal, view }: PlannedExport): Promise<Manifest> {
  const signer = await openSigner(readEnvironment().dataFolder);
  const options = { folder: to, replace: force };
  await destinations.folder.sweep(options);
  const stage = await destinations.folder.stage(options);
  const manifest = await runIntoFolder({
    plan,
    access,
    stage,
    signer,
    worker,
    signal,
    progress: (progress) => view.progress(progress),
    committing: () => view.phase('commit'),
  });
  view.done(manifest);
  return manifest;
}
