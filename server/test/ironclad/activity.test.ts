import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { checkAnswer } from '../dialect-ground.ts';
import { SCHEMAS } from './contract.ts';
import { CONNECTION, customColumns, expected, parseCells, STANDARD } from './expected.ts';
import { ACTIVITY, EVIDENCE, IroncladGround, KEYS, TASKS } from './ground.ts';
import type { Activity, Data } from './rows.ts';

let ground: IroncladGround;

before(async () => {
  ground = await IroncladGround.open();
});

after(async () => {
  await ground[Symbol.asyncDispose]();
});

/** Ids of the first site's rows that match, newest first. */
function idsOf(keeps: (row: Activity) => boolean): string[] {
  const cells = expected({ rows: ground.of(1), keeps, columns: ['id'] });
  return cells.slice(1).map(([id = '']) => id);
}

const query = (parameters: Readonly<Record<string, string>>) => `${ACTIVITY}?${new URLSearchParams(parameters)}`;

/** Numbers that no JavaScript number holds come as their text. */
function valuesOf(data: Data | null): object {
  const entries = Object.entries(data ?? {}).map(([name, json]) => {
    const isLong = /^\d{14,}/.test(json);
    return [name, isLong ? json : JSON.parse(json)];
  });
  return Object.fromEntries(entries);
}

/** Rows that between them have NULL and a value in every column that has both, and every value of custom data. */
function variedOf(rows: readonly Activity[]): Activity[] {
  const seen = new Set<string>();
  return rows.filter((row) => {
    const columns = Object.entries(row).map(([name, value]) => `${name} ${value === null}`);
    const shown = [...columns, ...Object.entries(row.custom_data ?? {}).map((entry) => entry.join(' '))];
    const hasNew = shown.some((each) => !seen.has(each));
    for (const each of shown) seen.add(each);
    return hasNew;
  });
}

function activityOf(row: Activity): object {
  const { connection_data, custom_data, render_data, ...rest } = row;
  return {
    ...rest,
    connection_data: valuesOf(connection_data),
    custom_data: valuesOf(custom_data),
    render_data: valuesOf(render_data),
  };
}

describe('activities', () => {
  test('come page by page, newest first, every one once', async () => {
    const seen: string[] = [];
    for (let page = 1; ; page++) {
      const answer = await ground.get(query({ page: String(page), per_page: '70' }));
      checkAnswer(answer, 200, SCHEMAS.activities);
      const { data, count, total_count, has_more, per_page } = answer.json;
      assert.deepEqual([count, total_count, per_page], [data.length, ground.of(1).length, 70]);
      seen.push(...data.map(({ id }: { id: string }) => id));
      if (!has_more) break;
    }
    assert.deepEqual(
      seen,
      idsOf(() => true),
    );
    const { json } = await ground.get(ACTIVITY);
    assert.deepEqual([json.page, json.per_page, json.count], [1, 25, 25]);
    const beyond = await ground.get(query({ page: '100', per_page: '100', no_count: 'true' }));
    const { data, count, has_more, ...rest } = beyond.json;
    assert.deepEqual([data, count, has_more, 'total_count' in rest], [[], 0, false, false]);
  });

  test('are filtered by the string form', async () => {
    for (const [filter, keeps] of [
      [
        'created_time>=2022-10-10 and event_type==agreed',
        (row: Activity) => row.created_time >= '2022-10-10' && row.event_type === 'agreed',
      ],
      ['group!=10 and contract<=2', (row: Activity) => row.group !== 10 && row.contract <= 2],
      ['custom_data.vip==true', (row: Activity) => row.custom_data?.vip === 'true'],
    ] as const) {
      const { json } = await ground.get(query({ filter, per_page: '100' }));
      const wanted = idsOf(keeps);
      assert.equal(json.total_count, wanted.length, filter);
      assert.deepEqual(
        json.data.map(({ id }: { id: string }) => id),
        wanted.slice(0, 100),
        filter,
      );
      assert.ok(wanted.length > 0 && wanted.length < ground.of(1).length);
    }
  });

  test('are shown alone as in the list, with references as objects where that is asked for', async () => {
    const varied = variedOf(ground.of(1));
    assert.ok(varied.some(({ connection_data }) => connection_data === null));
    assert.ok(varied.some(({ custom_data }) => custom_data === null));
    for (const row of varied) {
      const answer = await ground.get(`${ACTIVITY}/${row.id}`);
      checkAnswer(answer, 200, SCHEMAS.activity);
      assert.deepEqual(answer.json, activityOf(row));
    }
    const row = ground.of(1).find(({ group }) => group !== null);
    assert.ok(row);
    const whole = await ground.get(`${ACTIVITY}/${row.id}?expand=site.account,group, version.contract`);
    const { site, group, version, contract, account } = whole.json;
    assert.deepEqual([contract, account], [row.contract, 901]);
    assert.deepEqual(site, { id: 1, name: 'Shop', account: { id: 901 } });
    assert.deepEqual(group, { id: row.group, key: row.group_key });
    const about = { id: row.contract, title: row.contract_title };
    assert.deepEqual(version, { id: row.version, version_number: row.version_number, contract: about });
    const lean = await ground.get(`${ACTIVITY}/${row.id}?expand=site&lean=true`);
    assert.deepEqual(lean.json, activityOf(row));
    const some = await ground.get(`${ACTIVITY}/${row.id}?fields=batch,connection_data.page_url,custom_data.nobody`);
    assert.deepEqual(some.json, {
      id: row.id,
      signer_id: row.signer_id,
      created_time: row.created_time,
      batch: row.batch,
      connection_data: row.connection_data ? { page_url: JSON.parse(row.connection_data.page_url ?? '') } : {},
      custom_data: {},
    });
  });

  test('have fields that can be exported', async () => {
    const answer = await ground.get('/ironclad/v1.1/sites/1/exportFields');
    checkAnswer(answer, 200, SCHEMAS.exportFields);
    const since = new Date(Date.parse(ground.now) - 365 * 86_400_000).toISOString();
    const custom = customColumns(ground.of(1), ({ created_time }) => created_time >= since);
    assert.deepEqual(answer.json, {
      standard: STANDARD,
      connection: CONNECTION,
      custom: custom.map((name) => name.replace('custom_data.', '')),
      render: ['plan', 'price'],
    });
    assert.ok(custom.length > 4);
  });
});

describe('exports of the older way', () => {
  test('run from create to links', async () => {
    const parameters = new URLSearchParams({
      filter: 'created_time>=2022-09-01 and created_time<2022-12-01 and event_type==agreed',
      fields: 'batch,custom_data.vip,connection_data.remote_address',
      no_count: 'true',
      lean: '1',
    });
    const created = await ground.call('POST', `${TASKS}/activity?${parameters}`);
    checkAnswer(created, 201, SCHEMAS.task);
    const { id, status, links } = created.json.data;
    assert.deepEqual([status, links], ['pending', []]);
    await ground.settled(id);
    const done = await ground.get(`${TASKS}/${id}`);
    checkAnswer(done, 200, SCHEMAS.task);
    const [link = ''] = done.json.data.links;
    const file = await ground.call('GET', link, { key: null });
    const keeps = ({ created_time, event_type }: Activity) =>
      created_time >= '2022-09-01' && created_time < '2022-12-01' && event_type === 'agreed';
    const columns = ['id', 'signer_id', 'created_time', 'batch', 'connection_data.remote_address', 'custom_data.vip'];
    assert.deepEqual(parseCells(file.text), expected({ rows: ground.of(1), keeps, columns }));
  });

  test('give every row and all standard fields where nothing is asked for, and are in the list', async () => {
    const created = await ground.call('POST', `${TASKS}/activity`, { key: KEYS.other });
    const { id } = created.json.data;
    const { clickwrap_activities: [text = ''] = [] } = await ground.files(id, KEYS.other);
    const wanted = expected({ rows: ground.of(2), keeps: () => true, columns: STANDARD });
    assert.deepEqual(parseCells(text), wanted);
    const { json } = await ground.get(EVIDENCE, KEYS.other);
    assert.deepEqual([json.data[0].id, json.data[0].job_name], [id, 'GenerateExportCSV']);
  });
});

test('the list of exports comes page by page, newest first', async () => {
  const range = { start_date: '2022-10-06T00:00:00.000Z', end_date: '2022-10-06T00:00:00.001Z' };
  const made: string[] = [];
  for (let at = 0; at < 5; at++) made.unshift(await ground.create(range, KEYS.second));
  const first = await ground.get(`${EVIDENCE}?per_page=2`);
  checkAnswer(first, 200, SCHEMAS.jobs);
  const pages = [
    first,
    await ground.get(`${EVIDENCE}?per_page=2&page=2`),
    await ground.get(`${EVIDENCE}?per_page=2&page=3`),
  ];
  const ids = pages.flatMap(({ json }) => json.data.map(({ id }: { id: string }) => id));
  assert.deepEqual(ids.slice(0, 5), made);
  const total = first.json.total_count;
  const last = await ground.get(`${EVIDENCE}?per_page=1&page=${total}`);
  assert.deepEqual([last.json.count, last.json.has_more], [1, false]);
  const beyond = await ground.get(`${EVIDENCE}?per_page=1&page=${total + 1}`);
  assert.deepEqual([beyond.json.count, beyond.json.data, beyond.json.total_count], [0, [], total]);
  assert.equal(first.json.has_more, true);
});

test('more activities than pages reach are counted, and said to be there', async () => {
  await using large = await IroncladGround.open({ autumnRows: 10_050, sites: [1] });
  const total = large.of(1).length;
  assert.ok(total > 10_000);
  for (const no_count of ['false', 'true']) {
    const { json } = await large.get(query({ page: '100', per_page: '100', no_count }));
    const { count, has_more, total_count } = json;
    assert.deepEqual([count, has_more, total_count], [100, true, no_count === 'true' ? undefined : total]);
  }
  const none = await large.get(query({ filter: 'event_type==nothing' }));
  assert.deepEqual([none.json.total_count, none.json.has_more, none.json.data], [0, false, []]);
});
