import { relative } from 'node:path';
import { inspect } from 'node:util';

// Enough to see why a process died, little enough to scroll.
const OUTPUT_LINES = 200;
// A file none of whose tests were asked for looks like one that holds none.
const IS_FILTERED = process.execArgv.some((arg) => /^--test-(name-pattern|skip-pattern|only)/.test(arg));

/**
 * Prints failures whole, every skipped test with its reason, and last `N passed, N failed[, N skipped]`.
 * Only tests count, not the suites around them; a file that crashes or holds no test counts as one failed.
 * @param {AsyncIterable<{ type: string, data: any }>} events of node:test
 */
// biome-ignore lint/style/noDefaultExport: node:test takes a reporter as the default export.
export default async function* report(events) {
  const tally = new Tally();
  for await (const { type, data } of events) {
    if (tally.isClosed) continue;
    const text = HANDLERS[type]?.(tally, data);
    if (text) yield text;
    // The runner ends right after saying so, without waiting for a last line.
    if (type === 'test:interrupted') yield tally.closing();
  }
  if (!tally.isClosed) yield tally.closing();
}

/** @type {Record<string, (tally: Tally, data: any) => string | void>} */
const HANDLERS = {
  'test:enqueue': (tally, data) => tally.know(data),
  'test:stdout': (tally, data) => tally.keepOutput(data),
  'test:stderr': (tally, data) => tally.keepOutput(data),
  'test:pass': (tally, data) => tally.pass(data),
  'test:fail': (tally, data) => tally.fail(data),
  'test:summary': (tally, data) => tally.fileDone(data),
  'test:interrupted': (tally, data) => data.tests.map((/** @type {any} */ test) => tally.interrupt(test)).join(''),
};

class Tally {
  isClosed = false;
  passed = 0;
  /** @type {string[]} */
  failed = [];
  /** @type {string[]} */
  skipped = [];
  /** @type {Map<string, { name: string, parent: string }>} */
  known = new Map();
  /** @type {Set<string>} */
  parents = new Set();
  /** @type {Map<string, string>} */
  output = new Map();

  /** @param {any} data */
  know(data) {
    this.known.set(keyOf(data), { name: data.name, parent: keyOf(data, data.parentId) });
  }

  /** @param {any} data */
  keepOutput(data) {
    const file = data.entryFile ?? data.file;
    this.output.set(file, (this.output.get(file) ?? '') + data.message);
  }

  /** @param {any} data */
  pass(data) {
    const isParent = this.isParent(data);
    if (isSkipped(data)) this.skip(data);
    else if (isWholeFile(data)) return IS_FILTERED ? '' : this.blame(data, 'The file holds no test.');
    else if (!isParent) this.passed += 1;
  }

  /** @param {any} data */
  fail(data) {
    this.isParent(data);
    const { error } = data.details;
    if (isSkipped(data)) return this.skip(data);
    if (error.failureType === 'subtestsFailed') return;
    if (!isWholeFile(data)) return this.blame(data, inspect(error.cause ?? error, { depth: 10 }));
    const ending = error.signal ? `signal ${error.signal}` : `exit code ${error.exitCode}`;
    return this.blame(data, `The process of this file ended with ${ending}.\n${this.takeOutput(data.file)}`);
  }

  /** @param {any} data */
  interrupt(data) {
    return this.blame(data, 'It was still running when the tests were stopped.');
  }

  /** @param {any} data */
  fileDone(data) {
    if (data.file === undefined) return;
    const output = this.takeOutput(data.entryFile ?? data.file);
    const { passed, skipped, todo } = data.counts;
    const counts = data.success ? `${passed} passed` : 'FAILED';
    const more = skipped + todo > 0 ? `, ${skipped + todo} skipped` : '';
    const line = `${pathOf(data)}: ${counts}${more} (${Math.round(data.duration_ms)} ms)\n`;
    return data.success ? line : `${output}${line}`;
  }

  closing() {
    this.isClosed = true;
    if (this.passed + this.failed.length === 0) this.failed.push('no test ran');
    const parts = [`${this.passed} passed`, `${this.failed.length} failed`];
    if (this.skipped.length > 0) parts.push(`${this.skipped.length} skipped`);
    return `\n${list('FAILED:', this.failed)}${list('SKIPPED:', this.skipped)}${this.verdict()}${parts.join(', ')}\n`;
  }

  /** Sets the exit code for what node:test itself does not hold against a run. */
  verdict() {
    if (this.failed.length > 0) process.exitCode = 1;
    if (this.skipped.length === 0 || process.env.DRAYAGE_NO_SKIP !== '1') return '';
    process.exitCode = 1;
    return `The run failed: DRAYAGE_NO_SKIP=1 allows no skipped test, and ${this.skipped.length} were skipped.\n`;
  }

  /**
   * Whether tests ran inside it. They report before it does.
   * @param {any} data
   */
  isParent(data) {
    if (data.parentId) this.parents.add(keyOf(data, data.parentId));
    return data.details.type === 'suite' || this.parents.has(keyOf(data));
  }

  /** @param {any} data */
  skip(data) {
    const reason = [data.skip, data.todo && `todo: ${data.todo}`].find((text) => typeof text === 'string');
    this.skipped.push(`${this.title(data)} – ${reason ?? 'no reason given'}`);
  }

  /**
   * @param {any} data
   * @param {string} told
   */
  blame(data, told) {
    this.failed.push(this.title(data));
    const place = data.line > 1 ? ` (${pathOf(data)}:${data.line})` : '';
    return `\nFAILED: ${this.title(data)}${place}\n${told.trimEnd().replace(/^/gm, '  ')}\n\n`;
  }

  /** @param {any} data */
  title(data) {
    const names = [data.name];
    for (let key = keyOf(data, data.parentId); ; ) {
      const above = this.known.get(key);
      if (above === undefined) break;
      names.unshift(above.name);
      key = above.parent;
    }
    return isWholeFile(data) ? pathOf(data) : [relative(process.cwd(), data.entryFile), ...names].join(' › ');
  }

  /** @param {string} file */
  takeOutput(file) {
    const lines = (this.output.get(file) ?? '').trimEnd().split('\n');
    this.output.delete(file);
    const kept = lines.slice(-OUTPUT_LINES);
    if (kept.join('') === '') return '';
    const cut = lines.length > kept.length ? `, its last ${kept.length} lines` : '';
    return `Output${cut}:\n${kept.join('\n')}\n`;
  }
}

/**
 * Ids are unique within the process of one test file.
 * @param {any} data
 * @param {number} [id]
 */
function keyOf(data, id = data.testId) {
  return `${data.entryFile} ${id}`;
}

/**
 * node:test reports a file as a test of its own only when it crashed or held none.
 * @param {any} data
 */
function isWholeFile(data) {
  return data.entryFile === undefined;
}

/** @param {any} data */
function isSkipped(data) {
  return data.skip !== undefined || data.todo !== undefined;
}

/** @param {any} data */
function pathOf(data) {
  return relative(process.cwd(), data.file);
}

/**
 * @param {string} heading
 * @param {string[]} lines
 */
function list(heading, lines) {
  return lines.length === 0 ? '' : `${[heading, ...lines.map((line) => `  ${line}`)].join('\n')}\n\n`;
}
