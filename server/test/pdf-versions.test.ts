import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { type FormatOptions, formatOptions } from '../src/format/options.ts';
import { makeDocument } from '../src/format/pdf/document.ts';
import { readRecord } from '../src/format/pdf/record.ts';
import { PDF_VERSIONS } from '../src/format/pdf/versions.ts';
import { hashPlan, type Plan } from '../src/run/plan.ts';
import { Worker } from '../src/run/worker.ts';
import { layout, SCRIPTS } from './pdf-ground.ts';
import { planOf } from './table-export.ts';

/** The streams of a PDF, inflated: how they are deflated is the engine's matter. */
function streamsOf(pdf: Buffer): string[] {
  const text = pdf.toString('latin1');
  return [...text.matchAll(/\/Length (\d+)[^\n]*>>\nstream\n/g)].map((found) => {
    const start = found.index + found[0].length;
    return createHash('sha256')
      .update(inflateSync(pdf.subarray(start, start + Number(found[1]))))
      .digest('hex');
  });
}

test('documents look as these versions say', () => {
  const format = layout({ title: 'T', sections: [{ title: 'S', entries: 'texts' }] });
  const { bytes } = makeDocument(readRecord(JSON.stringify({ id: 'a', texts: SCRIPTS })), 'a', format);
  const looks = createHash('sha256').update(streamsOf(bytes).join()).digest('hex').slice(0, 16);
  const known = { versions: '2-d24bd1351cfc9656', looks: '38ccf19890bdf4de' };
  assert.deepEqual(
    { versions: PDF_VERSIONS, looks },
    known,
    'Where documents look otherwise, the number in pdf/versions.ts is to be raised; then both words go here.',
  );
});

describe('a run that another build planned', () => {
  let folder = '';
  before(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'drayage-versions-')));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function made(plan: Plan) {
    const stage = mkdtempSync(join(folder, 'stage-'));
    await using worker = new Worker(plan.limits.threads);
    const access = { type: 'duckdb' as const, files: [join(folder, 'rows.jsonl')] };
    const ask = { plan, stage, access, isResumable: true, recovers: false };
    return await worker.execute({ ...ask, signal: AbortSignal.timeout(60_000), progress: () => {} });
  }

  async function plan(format: FormatOptions): Promise<Plan> {
    const file = join(folder, 'rows.jsonl');
    writeFileSync(file, `${JSON.stringify({ id: 'a' })}\n`);
    return await planOf({ file }, { outputs: [{ format, compression: { type: 'none' } }] });
  }

  test('is planned anew where fonts or layout of PDFs are others', async () => {
    const known = await plan(layout({ title: 'T', sections: [] }));
    assert.deepEqual(
      known.outputs.map(({ versions }) => versions),
      [PDF_VERSIONS],
    );
    assert.equal((await made(known)).length, 1);
    for (const versions of [`1-${'0'.repeat(16)}`, undefined]) {
      const { versions: _, ...output } = known.outputs[0] as Plan['outputs'][number];
      const outputs = [versions === undefined ? output : { ...output, versions }];
      assert.notEqual(hashPlan({ ...known, outputs }), hashPlan(known));
      await assert.rejects(made({ ...known, outputs }), { code: 'source.changed' });
    }
  });

  test('is planned anew where the engine is another, and names nothing else where no output is a PDF', async () => {
    const known = await plan(formatOptions.parse({ type: 'jsonl' }));
    assert.ok(known.outputs.every((output) => !('versions' in output)));
    assert.equal((await made(known)).length, 1);
    const other = { ...known, engine: { ...known.engine, node: '1.0.0' } };
    await assert.rejects(made(other), { code: 'source.changed' });
  });
});
