import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fault } from '../../src/base/errors.ts';
import type { Job } from '../../src/job/job.ts';
import { Links, linksOfKey } from '../../src/request/link.ts';
import { userpilotOptions } from '../../src/request/userpilot/options.ts';
import { readCreate } from '../../src/request/userpilot/read.ts';
import type { CreateBody } from '../../src/request/userpilot/schemas.ts';
import { writeCreated, writeDetail, writeNotice, writeSummary } from '../../src/request/userpilot/write.ts';
import type { Run, RunState } from '../../src/run/run.ts';

const NOW = '2026-05-11T07:45:30.123Z';
const DEFAULTS = userpilotOptions.parse({});

function asked(body: CreateBody, options: object = {}) {
  return readCreate(body, { options: userpilotOptions.parse(options), now: NOW, reference: 'x' }).ask;
}

function windowOf(body: CreateBody, options: object = {}) {
  const { start, end, clamp } = asked(body, options).window;
  assert.equal(clamp, true);
  return [start, end];
}

/** The pointer and words of what is refused. */
function refused(body: CreateBody, options: object = {}): string {
  try {
    asked(body, options);
  } catch (error) {
    assert.ok(error instanceof Fault);
    assert.equal(error.code, 'request.invalid');
    return `${error.pointer} ${error.message}`;
  }
  return assert.fail('nothing was refused');
}

describe('the window of a create', () => {
  it('is the last 30 days when nothing is said', () => {
    assert.deepEqual(windowOf({}), ['2026-04-11T07:45:30.123000Z', '2026-05-11T07:45:30.123001Z']);
    assert.deepEqual(windowOf({ from: null, to: null }), windowOf({}));
    assert.equal(windowOf({}, { defaultDays: 1 })[0], '2026-05-10T07:45:30.123000Z');
  });

  it('has both ends in it', () => {
    const to = '2026-05-02T10:00:00.999999Z';
    assert.deepEqual(windowOf({ from: '2026-05-01T10:00:00+02:00', to }), [
      '2026-05-01T08:00:00.000000Z',
      '2026-05-02T10:00:01.000000Z',
    ]);
    assert.deepEqual(windowOf({ from: '2026-05-02T10:00:00.5Z', to: '2026-05-02T10:00:00.5Z' }), [
      '2026-05-02T10:00:00.500000Z',
      '2026-05-02T10:00:00.500001Z',
    ]);
  });

  it('has all of the last day where that is a date alone', () => {
    const day = ['2026-05-01T00:00:00.000000Z', '2026-05-02T00:00:00.000000Z'];
    assert.deepEqual(windowOf({ from: '2026-05-01', to: '2026-05-01' }), day);
    assert.deepEqual(windowOf({ from: '2026-05-01T23:59:59Z', to: '2026-05-01' })[1], day[1]);
  });

  it('is in UTC where no zone is named', () => {
    assert.deepEqual(windowOf({ from: '2026-05-01T10:00:00', to: '2026-05-01 11:00' }), [
      '2026-05-01T10:00:00.000000Z',
      '2026-05-01T11:00:00.000001Z',
    ]);
  });

  it('begins before an end that is named alone, and ends now where a start is named alone', () => {
    assert.equal(windowOf({ to: '2020-03-31T12:00:00.123456Z' })[0], '2020-03-01T12:00:00.123456Z');
    assert.equal(windowOf({ from: '2001-01-01' })[1], '2026-05-11T07:45:30.123001Z');
    assert.deepEqual(windowOf({ to: '9999-12-31', from: '2026-01-01' })[1], undefined);
    assert.deepEqual(windowOf({ to: '9999-12-31T23:59:59.999999Z', from: '2026-01-01' })[1], undefined);
  });

  it('is refused reversed, in the future or unreadable', () => {
    assert.match(refused({ from: '2026-05-02', to: '2026-05-01' }), /^\/from It lies after the end/);
    assert.match(refused({ from: '2026-05-01T00:00:00.000001Z', to: '2026-05-01T00:00:00Z' }), /^\/from /);
    assert.match(refused({ from: '2026-05-12' }), /^\/from /);
    for (const wrong of ['', 'yesterday', '2026-02-30', '1714521600', '2026-05-01T00:00:00.1234567Z'])
      assert.match(refused({ to: wrong }), /^\/to .*[Aa]llowed/);
  });
});

describe('the rows and columns of a create', () => {
  it('are all without filters', () => {
    const { filter, columns, order, exclusive, fileLifeMs } = asked({ event_type: [], user_id: [], company_id: [] });
    assert.deepEqual([filter, columns?.length, order, exclusive], [undefined, 20, undefined, 'export']);
    assert.equal(fileLifeMs, 2 * 86_400_000);
    assert.equal(columns?.[7], 'internal_event_id');
  });

  it('are any of a list, and of every list', () => {
    const body = {
      event_type: ['track'],
      user_id: ['1', '2'],
      company_id: ['c'],
      segment_id: 7,
      exclusions: ' track , browser,',
    };
    assert.deepEqual(asked(body).filter, {
      and: [
        { event_type: { in: ['track'] } },
        { event_type: { nin: ['track'] } },
        { user_id: { in: ['1', '2'] } },
        { company_id: { in: ['c'] } },
        { segment_ids: { has: '7' } },
      ],
    });
    assert.equal(asked(body).columns?.includes('browser'), false);
  });

  it('are those of the older version where it is set', () => {
    const { filter, columns } = asked({}, { version: 'old' });
    assert.deepEqual(filter, { and: [{ event_type: { nin: ['session_start'] } }] });
    assert.equal(columns?.includes('internal_event_id'), false);
    assert.match(refused({ event_type: ['session_start'] }, { version: 'old' }), /^\/event_type\/0 Allowed are/);
  });

  it('are refused for words that nobody knows, and for what would leave no column', () => {
    assert.match(refused({ event_type: ['track', 'click'] }), /^\/event_type\/1 Allowed are identify_user/);
    assert.match(refused({ exclusions: 'browser,nothing' }), /^\/exclusions "nothing" is neither .* allowed are/);
    assert.equal(asked({ exclusions: 'browser,nothing' }, { unknownExclusions: 'ignore' }).columns?.length, 19);
    const everything = (asked({}).columns ?? []).join(',');
    assert.match(refused({ exclusions: everything }), /^\/exclusions It leaves no column/);
    assert.match(refused({ user_id: ['x'.repeat(900_001)] }), /^\/user_id .* bytes; allowed are 900000/);
  });

  it('come in the format that is asked for, in files of so many rows', () => {
    const [output] = asked({ format: 'ndjson' }, { rowsPerFile: 1000 }).outputs;
    assert.deepEqual([output?.format.type, output?.split], ['jsonl', { rows: 1000 }]);
    const [single] = asked({}, { rowsPerFile: null, defaultFormat: 'avro' }).outputs;
    assert.deepEqual([single?.format.type, single?.split], ['avro', undefined]);
  });

  it('are told by mail to every address once', () => {
    assert.deepEqual(asked({ emails: ['a@example.com', 'a@example.com', 'b@example.com'] }).notify, [
      'a@example.com',
      'b@example.com',
    ]);
    assert.equal(asked({ emails: [] }).notify, undefined);
  });
});

const JOB: Job = {
  id: 'job_1',
  tenant: 'NX-1',
  principal: 4,
  dialect: 'userpilot',
  ask: asked({}),
  request: {},
  createdAt: '2026-05-11T07:45:30.900Z',
  reference: 'export:jobs:xyz789',
};

function runIn(state: RunState, more: Partial<Run> = {}): Run {
  const file = { id: 'file_1', path: 'x-00001.jsonl', mediaType: '', rows: 1, bytes: 1, sha256: '', isRemoved: false };
  const expiresAt = '2026-05-13T07:45:32.500Z';
  return {
    id: 'run_1',
    jobId: JOB.id,
    tenant: JOB.tenant,
    state,
    window: { start: '2026-05-01T10:00:00.000000Z', end: '2026-05-04T00:00:00.000000Z' },
    attempt: 1,
    progress: { rows: 0, bytes: 0, fraction: null },
    rowsPlanned: null,
    rowsWritten: null,
    createdAt: JOB.createdAt,
    startedAt: null,
    finishedAt: state === 'succeeded' ? '2026-05-11T08:46:32.100Z' : null,
    error: null,
    files:
      state === 'succeeded'
        ? [
            { ...file, expiresAt },
            { ...file, id: 'file_2', path: 'x-00002.jsonl', expiresAt },
          ]
        : [],
    ...more,
  };
}

const links = new Links({ secret: new Uint8Array(32), lifeMs: 1000 });

function detailOf(run: Run, options: object = {}) {
  const telling = { job: JOB, run, options: userpilotOptions.parse(options), now: NOW };
  return writeDetail(telling, linksOfKey(4, { links, baseUrl: 'https://x.example' }));
}

describe('a job in their words', () => {
  it('is pending, in_progress, completed or failed', () => {
    const states = ['queued', 'running', 'committing', 'succeeded', 'failed', 'cancelled'] as const;
    const words = states.map((state) => detailOf(runIn(state)).status);
    assert.deepEqual(words, ['pending', 'in_progress', 'in_progress', 'completed', 'failed', 'failed']);
    const statuses = { running: 'running', failed: 'error' };
    assert.deepEqual(
      states.map((state) => detailOf(runIn(state), { statuses }).status),
      ['pending', 'running', 'running', 'completed', 'error', 'error'],
    );
  });

  it('goes day by day, and is whole only at its end', () => {
    const at = (fraction: number | null, state: RunState = 'running') => {
      const {
        progress,
        completed_chunks: done,
        current_chunk: current,
      } = detailOf(runIn(state, { progress: { rows: 0, bytes: 0, fraction } }));
      return [progress, done.length, current];
    };
    assert.deepEqual(detailOf(runIn('queued')).all_chunks, ['2026-05-01', '2026-05-02', '2026-05-03']);
    assert.deepEqual(at(null, 'queued'), ['0%', 0, '']);
    assert.deepEqual(at(null), ['0%', 0, '2026-05-01']);
    assert.deepEqual(at(0.5), ['50%', 1, '2026-05-02']);
    assert.deepEqual(at(1), ['99%', 2, '2026-05-03']);
    assert.deepEqual(at(1, 'succeeded'), ['100%', 3, '']);
  });

  it('has the day of its last moment, and no more days than can be listed', () => {
    const daysOf = (start: string | null, end: string | null) =>
      detailOf(runIn('queued', { window: { start, end } })).all_chunks;
    assert.deepEqual(daysOf('2026-05-01T00:00:00.000000Z', '2026-05-02T00:00:00.000001Z'), [
      '2026-05-01',
      '2026-05-02',
    ]);
    assert.deepEqual(daysOf('2026-05-01T00:00:00.000000Z', '2026-05-01T00:00:00.000000Z'), []);
    const centuries = daysOf('0001-01-01T00:00:00.000000Z', null);
    assert.deepEqual([centuries.length, centuries.at(-1)], [3653, '2026-05-11']);
  });

  it('has its times to the second, and a URL for each file', () => {
    const { start_time: start, end_time: end, presigned_urls: urls } = detailOf(runIn('succeeded'));
    assert.deepEqual([start, end], ['2026-05-11T07:45:30Z', '2026-05-11T08:46:32Z']);
    assert.deepEqual(
      urls.map(({ filename }) => filename),
      ['export-part1.ndjson', 'export-part2.ndjson'],
    );
    assert.match(urls[1]?.url ?? '', /^https:\/\/x\.example\/files\/file_2\/export-part2\.ndjson\?expires=/);
    const summary = writeSummary({ job: JOB, run: runIn('succeeded'), options: DEFAULTS, now: NOW });
    assert.deepEqual([summary.elapsed_time, summary.elapsed_time_seconds], ['01:01:02', '3662']);
  });

  it('has an opaque id that stands in a URL as it is', () => {
    const options = userpilotOptions.parse({ environment: 'staging', environments: { 'NX-2': 'production' } });
    const created = (tenant: string) =>
      writeCreated({ job: { ...JOB, tenant }, run: runIn('queued'), options, now: NOW }, 'https://x.example');
    assert.equal(created('NX-1').links, 'https://x.example/api/v1/analytics/exports/jobs/export%3Ajobs%3Axyz789');
    assert.deepEqual([created('NX-1').environment_name, created('NX-2').environment_name], ['staging', 'production']);
  });

  it('is mailed with the links of all files', () => {
    const run = runIn('succeeded');
    const { subject, text } = writeNotice({ job: JOB, run, links, options: DEFAULTS, baseUrl: 'https://x.example' });
    assert.equal(subject, 'Your export export:jobs:xyz789 is ready');
    assert.match(text, /until 2026-05-13T07:45:32Z/);
    assert.deepEqual(
      text.match(/https:\/\/x\.example\/files\/file_[12]\/export-part[12]\.ndjson\?expires=\d+&key=4/g)?.length,
      2,
    );
  });
});
