import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runCommand } from '../command-line.ts';
import { checkRefusal } from './contract.ts';
import { ACTIVITY, EVIDENCE, IroncladGround, KEYS } from './ground.ts';
import type { Activity } from './rows.ts';

const DAY = { start_date: '2022-10-06T00:00:00.000Z', end_date: '2022-10-06T23:59:59.999Z' };
const PDFS = { export_types: ['clickwrap_activities_as_pdfs'] };

const TO_TEXT = 'pdftotext';
const missing = [TO_TEXT, 'unzip', 'python3'].filter((tool) => spawnSync(tool, ['-v']).error !== undefined);
const skip = missing.length > 0 && `${missing.join(', ')} not installed (Debian: poppler-utils, unzip, python3)`;

let ground: IroncladGround;

before(async () => {
  ground = await IroncladGround.open();
});

after(async () => {
  await ground[Symbol.asyncDispose]();
});

const wantedOf = (site: number) =>
  ground
    .of(site)
    .filter(({ created_time }) => created_time >= DAY.start_date && created_time <= DAY.end_date)
    .map(({ id }) => `${id}.pdf`)
    .sort();

/** The folder an export's zip is unpacked into, after others have found it whole. */
async function unpacked(name: string, body: object, key: string = KEYS.first): Promise<string> {
  const id = await ground.create(body, key);
  await ground.settled(id, key);
  const { json } = await ground.get(`${EVIDENCE}/${id}/urls`, key);
  const [url = ''] = json.clickwrap_activities_as_pdfs;
  assert.match(url, new RegExp(`/clickwrap_activities_as_pdfs-${id}\\.zip\\?`));
  const response = await fetch(url.replace('https://exports.example.com', ground.url));
  assert.equal(response.headers.get('content-type'), 'application/zip');
  const zip = join(ground.folder, `${name}.zip`);
  writeFileSync(zip, Buffer.from(await response.arrayBuffer()));
  execFileSync('unzip', ['-tq', zip]);
  execFileSync('python3', ['-m', 'zipfile', '-t', zip]);
  const folder = join(ground.folder, name);
  mkdirSync(folder);
  execFileSync('unzip', ['-q', zip, '-d', folder]);
  return folder;
}

const textOf = (path: string) => execFileSync(TO_TEXT, ['-layout', path, '-']).toString().normalize('NFC');

function assertShows(text: string, row: Activity): void {
  for (const part of [row.id, row.uuid, row.version, row.session, row.batch]) assert.ok(text.includes(part), part);
  assert.match(text, new RegExp(`What happened +${row.event_type}`));
  const recorded = row.created_time
    .replace('T', ' ')
    .replace(/(\.\d*?)0*Z$/, '$1')
    .replace(/\.$/, '');
  const zone = row.connection_data && JSON.parse(row.connection_data.browser_timezone ?? 'null');
  const local = zone ? `[-\\d]+ [:.\\d]+ [-+]\\d\\d:\\d\\d ${zone}\\n +\\(` : '';
  assert.match(text, new RegExp(`Recorded +${local}${recorded.replace('.', '\\.')} UTC`));
}

describe('documents', { skip }, () => {
  let folder: string;
  before(async () => {
    folder = await unpacked('first', { ...DAY, ...PDFS });
  });

  test('are one for each activity, and an index, whatever was selected', async () => {
    assert.deepEqual(readdirSync(folder).sort(), [...wantedOf(1), 'index.csv'].sort());
    const both = { export_types: ['clickwrap_activities_as_pdfs', 'clickwrap_activities'] };
    const other = await unpacked('other', { ...DAY, ...both, select: { standard: ['id'] } }, KEYS.other);
    assert.deepEqual(readdirSync(other).sort(), [...wantedOf(2), 'index.csv'].sort());
  });

  test('show who, when and where, and the text of the contract where there is one', () => {
    for (const row of ground.of(1).filter(({ id }) => wantedOf(1).includes(`${id}.pdf`))) {
      const text = textOf(join(folder, `${row.id}.pdf`));
      assertShows(text, row);
      const hasText = row.version_number !== 4;
      assert.equal(text.includes('Ваше согласие'), hasText);
      assert.equal(text.includes('Text of the contract'), hasText);
      if (row.connection_data) assert.ok(text.includes(JSON.parse(row.connection_data.remote_address ?? '""')));
      if (row.custom_data?.vip) assert.match(text, new RegExp(`vip +${row.custom_data.vip}`));
    }
  });

  test('are verified from the document alone, and are the ones that are asked for singly', async () => {
    const [name = ''] = wantedOf(1);
    const path = join(folder, name);
    const { code, stdout } = await runCommand(['verify', path], { cwd: ground.folder });
    assert.equal(code, 0, stdout);
    for (const id of [...wantedOf(1), ...wantedOf(1)].slice(0, 4).map((each) => each.slice(0, -4))) {
      const response = await fetch(`${ground.url}${ACTIVITY}/${id}/record?filename=../my%20proof.pdf`, {
        headers: { authorization: `Bearer ${KEYS.first}` },
      });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), 'application/pdf');
      assert.equal(response.headers.get('content-disposition'), 'attachment; filename="_my_proof.pdf"');
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), readFileSync(join(folder, `${id}.pdf`)));
    }
  });

  test('are right for those who wait while others go away', async () => {
    const leave = new AbortController();
    const headers = { authorization: `Bearer ${KEYS.first}` };
    const ask = async (name: string, signal: AbortSignal | null) => {
      const url = `${ground.url}${ACTIVITY}/${name.slice(0, -'.pdf'.length)}/record`;
      const bytes = Buffer.from(await (await fetch(url, { headers, signal })).arrayBuffer());
      assert.deepEqual(bytes, readFileSync(join(folder, name)));
    };
    const [first = '', ...others] = wantedOf(1).slice(0, 7);
    assert.equal(others.length, 6);
    const answered = ask(first, null);
    const leaving = others.map((name) => ask(name, leave.signal));
    const staying = others.map((name) => ask(name, null));
    await answered;
    leave.abort();
    const left = await Promise.allSettled(leaving);
    for (const each of left) assert.ok(each.status === 'fulfilled' || each.reason.name === 'AbortError');
    assert.ok(left.some(({ status }) => status === 'rejected'));
    await Promise.all(staying);
  });

  test('of a session show all its activities', async () => {
    const [first] = ground.of(1);
    const session = first?.session ?? '';
    const rows = ground.of(1).filter((row) => row.session === session);
    assert.ok(rows.length > 2);
    const response = await fetch(`${ground.url}${ACTIVITY}/record/session/${session}`, {
      headers: { authorization: `Bearer ${KEYS.first}` },
    });
    assert.equal(response.headers.get('content-disposition'), `attachment; filename="session-${session}.pdf"`);
    const path = join(ground.folder, 'session.pdf');
    writeFileSync(path, Buffer.from(await response.arrayBuffer()));
    const text = textOf(path);
    for (const row of rows) assertShows(text, row);
    for (const { contract_title, version_number, version } of rows.filter((row) => row.version_number !== 4))
      assert.ok(text.includes(`Text of ${contract_title}, version ${version_number} (${version})`), text);
    const { code, stdout } = await runCommand(['verify', path], { cwd: ground.folder });
    assert.equal(code, 0, stdout);
  });
});

test('nobody else has them', async () => {
  const [row] = ground.of(1);
  const places = [`${row?.id}/record`, `record/session/${row?.session}`];
  for (const place of places) {
    const foreign = await ground.get(`${ACTIVITY}/${place}`, KEYS.other);
    const unknown = await ground.get(`${ACTIVITY}/${place.replaceAll(/[0-9a-f]{24}/g, '0'.repeat(24))}`);
    checkRefusal(foreign, 404);
    assert.equal(foreign.text, unknown.text);
  }
});
