import { ticks } from '../base/clock.ts';
import { readEnvironment } from '../base/config.ts';
import type { Progress } from '../run/execution.ts';
import type { Manifest } from '../run/manifest.ts';

/** Shows how an export goes. */
export interface ProgressView {
  phase(name: 'plan' | 'commit'): void;
  progress(progress: Progress): void;
  done(manifest: Manifest): void;
  /** Leaves the terminal as it was. */
  close(): void;
}

/** Events for machines, a bar on a terminal, plain lines otherwise (on standard error). */
export function openView(asJson: boolean): ProgressView {
  if (asJson) return jsonView();
  return process.stderr.isTTY && readEnvironment().colour ? barView() : lineView();
}

function jsonView(): ProgressView {
  const tell = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);
  return {
    phase: (phase) => tell({ event: 'phase', phase }),
    progress: (progress) => tell({ event: 'progress', ...progress }),
    done: (manifest) => tell({ event: 'done', manifest }),
    close: () => {},
  };
}

/** A log with a line every quarter of a second helps nobody. */
const LINE_EVERY_MS = 5000;

function lineView(): ProgressView {
  const start = ticks();
  let lastMs = -LINE_EVERY_MS;
  return {
    phase: () => {},
    progress: (progress) => {
      if (ticks() - lastMs < LINE_EVERY_MS) return;
      lastMs = ticks();
      process.stderr.write(`${describe(progress, ticks() - start)}\n`);
    },
    done: (manifest) => process.stderr.write(`${finished(manifest, ticks() - start)}\n`),
    close: () => {},
  };
}

const BAR_WIDTH = 24;
const CLEAR_LINE = '\r\u{1b}[2K';

function barView(): ProgressView {
  const start = ticks();
  const show = (text: string) =>
    process.stderr.write(`${CLEAR_LINE}${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
  return {
    phase: (phase) => show(phase === 'plan' ? 'Planning…' : 'Publishing…'),
    progress: (progress) => {
      const filled = Math.round((progress.fraction ?? 0) * BAR_WIDTH);
      show(`${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${describe(progress, ticks() - start)}`);
    },
    done: (manifest) => process.stderr.write(`${CLEAR_LINE}${finished(manifest, ticks() - start)}\n`),
    close: () => process.stderr.write(CLEAR_LINE),
  };
}

const PHASES = { count: 'counting', land: 'reading', sort: 'sorting', encode: 'writing' } as const;

function describe({ phase, rows, bytes, fraction }: Progress, elapsedMs: number): string {
  const share = fraction === null ? '' : ` ${Math.floor(fraction * 100)} %`;
  if (phase !== 'encode') return `${PHASES[phase]}${share}`;
  const rate = Math.round(rows / (elapsedMs / 1000));
  const left =
    fraction === null || fraction < 0.02 ? '' : `, ${duration((elapsedMs / fraction) * (1 - fraction))} left`;
  return `${PHASES[phase]}${share}: ${rows} rows, ${megabytes(bytes)}, ${rate} rows/s${left}`;
}

function finished(manifest: Manifest, elapsedMs: number): string {
  const files = manifest.outputs.flatMap((output) => output.files);
  const [rows, bytes] = [
    files.reduce((sum, file) => sum + file.rows, 0),
    files.reduce((sum, file) => sum + file.bytes, 0),
  ];
  return `Exported ${rows} rows, ${megabytes(bytes)}, in ${duration(elapsedMs)}.`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function duration(ms: number): string {
  const seconds = ms / 1000;
  return seconds < 90 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
