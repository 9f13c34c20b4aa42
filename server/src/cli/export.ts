import { readEnvironment } from '../base/config.ts';
import { Fault } from '../base/errors.ts';
import type { Manifest } from '../run/manifest.ts';
import { Worker } from '../run/worker.ts';
import type { Command } from './command.ts';
import { type ExportFlags, readExportFlags } from './export-flags.ts';
import { EXPORT_HELP } from './export-help.ts';
import { listFiles } from './manifest-view.ts';
import { openView } from './progress-view.ts';

export const exportCommand: Command = {
  help: EXPORT_HELP,

  async run(list) {
    const flags = readExportFlags(list);
    const { json, to } = flags.values;
    const manifest = await exportIntoFolder(flags);
    if (manifest !== null && !json) process.stdout.write(listFiles(manifest, to ?? ''));
    return 0;
  },
};

/** Plans and runs an export; with `--explain` only plans and shows it, and gives null. Ctrl-C cancels it. */
export async function exportIntoFolder(flags: ExportFlags): Promise<Manifest | null> {
  const cancelling = new AbortController();
  const cancel = () => cancelling.abort();
  process.on('SIGINT', cancel).on('SIGTERM', cancel);
  const view = openView(flags.values.json ?? false);
  try {
    await using worker = new Worker(flags.threads ?? readEnvironment().threads);
    // Loaded while the child starts, which takes as long, and the rest while it describes.
    const { orderInput } = await import('./export-input.ts');
    const input = await orderInput(flags, worker);
    const { runExport } = await import('./export-run.ts');
    return await runExport({ flags, input, worker, signal: cancelling.signal, view });
  } catch (error) {
    // Ctrl-C reaches the child as well, which may not have begun to heed it.
    throw cancelling.signal.aborted ? new Fault('run.cancelled', 'The run was cancelled.', { cause: error }) : error;
  } finally {
    process.off('SIGINT', cancel).off('SIGTERM', cancel);
    view.close();
  }
}
