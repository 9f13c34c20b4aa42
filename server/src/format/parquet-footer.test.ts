import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { DuckDBConnection } from '@duckdb/node-api';
import { DuckDBInstance } from '@duckdb/node-api';
import { asyncBufferFromFile, parquetMetadata, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { ParquetTail } from './parquet-footer.ts';
import { FooterMerger, readParquetTail } from './parquet-footer.ts';
import type { ThriftField, ThriftStruct } from './thrift.ts';
import { asList, asStruct, fieldOf, thriftType } from './thrift.ts';
import { decodeThrift } from './thrift-decode.ts';
import { encodeThrift } from './thrift-encode.ts';

const ALL_TYPES = `
  i::int as i32, i * 5000000000 as i64, i % 3 = 0 as flag,
  (i % 1000000 / 8)::decimal(9, 2) as dec9, (i / 16)::decimal(18, 4) as dec18, (i::decimal(38, 6) * 1000003) as dec38,
  (i / 3)::float as f32, i / 7.0::double as f64,
  'row ' || i as text, 'code ' || i % 50 as code, i::varchar::blob as bytes,
  md5(i::varchar)::uuid as guid, date '1969-12-25' + (i % 40000)::int as day,
  time '00:00:01' + to_microseconds(i) as clock,
  timestamp '2024-02-28 23:59:59.999999' + to_microseconds(i) as stamp, to_timestamp(i * 1.5) as stamp_tz,
  make_timestamp_ns(i * 1000000007) as stamp_ns, ('{"row": ' || i || '}')::json as doc,
  case when i % 5 > 0 then range(i % 5) end as list, {'a': i, 'b': 'b' || i % 9, 'c': [{'d': i}]} as struct,
  map([i % 4, 10], ['x' || i, null]) as map,
  null::int as nothing, case when i % 11 = 0 then (i % 100)::smallint end as rare`;

interface Segment {
  readonly path: string;
  readonly rows: number;
}

let folder = '';
let database: DuckDBConnection;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parquet-footer-'));
  database = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  await database.run(`set timezone = 'UTC'`);
});

after(async () => {
  database.closeSync();
  await rm(folder, { recursive: true });
});

async function query(sql: string): Promise<Record<string, unknown>[]> {
  return (await database.runAndReadAll(sql)).getRowObjectsJson();
}

interface SegmentOptions {
  /** The first row's number. */
  readonly from?: number;
  /** More options of COPY, each after a comma. */
  readonly copy?: string;
}

async function writeSegment(
  name: string,
  columns: string,
  rows: number,
  { from = 0, copy = '' }: SegmentOptions = {},
): Promise<Segment> {
  const path = join(folder, `${name}.parquet`);
  const source = `select ${columns} from range(${from}, ${from + rows}) t(i)`;
  await database.run(`copy (${source}) to '${path}' (format parquet ${copy})`);
  return { path, rows };
}

/** One segment of each length, one after the other. */
async function writeSegments(name: string, columns: string, lengths: readonly number[], copy = ''): Promise<Segment[]> {
  const segments: Segment[] = [];
  let from = 0;
  for (const [index, rows] of lengths.entries()) {
    segments.push(await writeSegment(`${name}-${index}`, columns, rows, { from, copy }));
    from += rows;
  }
  return segments;
}

async function readTail(path: string): Promise<ParquetTail> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    return await readParquetTail(size, async (offset, length) => {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
      return buffer.subarray(0, bytesRead);
    });
  } finally {
    await file.close();
  }
}

async function joinSegments(name: string, segments: readonly Segment[]): Promise<string> {
  const merger = new FooterMerger();
  const parts: Uint8Array[] = [Buffer.from('PAR1')];
  let atBytes = 4;
  for (const segment of segments) {
    const tail = await readTail(segment.path);
    const data = (await readFile(segment.path)).subarray(4, tail.dataEndBytes);
    assert.equal(merger.add(tail, atBytes), segment.rows);
    parts.push(data);
    atBytes += data.length;
  }
  parts.push(merger.finish());
  const path = join(folder, `${name}.parquet`);
  await writeFile(path, parts);
  return path;
}

async function readRows(path: string, useBloomFilters = false, code = ''): Promise<Record<string, unknown>[]> {
  const file = await asyncBufferFromFile(path);
  const filter = code === '' ? {} : { filter: { code: { $eq: code } } };
  return await parquetReadObjects({ file, compressors, utf8: false, useBloomFilters, ...filter });
}

/** Compares slice by slice: one difference in many rows would take minutes to print. */
function assertSameRows(actual: readonly object[], expected: readonly object[]): void {
  assert.equal(actual.length, expected.length);
  for (let at = 0; at < expected.length; at += 100) {
    assert.deepEqual(actual.slice(at, at + 100), expected.slice(at, at + 100), `rows from ${at} differ`);
  }
}

async function assertJoinedReadsAsSegments(name: string, segments: readonly Segment[]): Promise<string> {
  const path = await joinSegments(name, segments);
  const expected: Record<string, unknown>[] = [];
  for (const segment of segments) for (const row of await readRows(segment.path)) expected.push(row);
  assertSameRows(await readRows(path), expected);
  const paths = segments.map((segment) => `'${segment.path}'`).join(', ');
  const difference = `(from '${path}' except all from read_parquet([${paths}]))`;
  assert.deepEqual(await query(`select count(*)::int as rows from ${difference}`), [{ rows: 0 }]);
  const rows = segments.reduce((sum, segment) => sum + segment.rows, 0);
  assert.deepEqual(await query(`select count(*)::int as rows from '${path}'`), [{ rows }]);
  assert.deepEqual(await query(`select num_rows::int as rows from parquet_file_metadata('${path}')`), [{ rows }]);
  return path;
}

test('segments of no, one, some and many rows, with row groups as large as DuckDB makes them', async () => {
  const columns = `i as id, 'row ' || i as text, 'code ' || i % 50 as code, i / 7.0::double as f64`;
  const segments = await writeSegments('sizes', columns, [1, 0, 124_000, 500], ', row_group_size 122880');
  const path = await assertJoinedReadsAsSegments('sizes', segments);
  const groups = await query(`select distinct row_group_id as id from parquet_metadata('${path}') order by id`);
  assert.equal(groups.length, 4);
});

for (const codec of ['snappy', 'zstd', 'uncompressed']) {
  for (const version of ['v1', 'v2']) {
    test(`${codec}, Parquet ${version}: segments of all types, with several row groups`, async () => {
      const copy = `, compression ${codec}, parquet_version ${version}, row_group_size 2048`;
      const segments = await writeSegments(`${codec}-${version}`, ALL_TYPES, [0, 2100, 1, 2500, 0], copy);
      const path = await assertJoinedReadsAsSegments(`${codec}-${version}`, segments);
      assert.equal(Object.keys((await readRows(path))[0] ?? {}).length, 23);
    });
  }
}

test('segments without rows join into a file without rows', async () => {
  const segments = await writeSegments('empty', ALL_TYPES, [0, 0]);
  const path = await joinSegments('empty', segments);
  assert.deepEqual(await readRows(path), []);
  assert.deepEqual(await query(`select count(*)::int as rows from '${path}'`), [{ rows: 0 }]);
});

test('the metadata of the joined file is that of the segments, moved', async () => {
  const segments = await writeSegments('moved', ALL_TYPES, [5000, 0, 9000, 1], ', row_group_size 2048');
  const path = await joinSegments('moved', segments);
  const offsets = ['data_page_offset', 'dictionary_page_offset', 'index_page_offset', 'bloom_filter_offset'];
  const expected: Record<string, unknown>[] = [];
  let rowGroups = 0;
  let moved = 0;
  for (const segment of segments) {
    const rows = await query(`from parquet_metadata('${segment.path}')`);
    for (const row of rows) {
      const shifted = { ...row, file_name: path, row_group_id: `${rowGroups + Number(row.row_group_id)}` };
      expected.push(shifted);
      for (const offset of offsets) {
        if (row[offset] !== null) Object.assign(shifted, { [offset]: `${Number(row[offset]) + moved}` });
      }
    }
    const { dataEndBytes, footer } = await readTail(segment.path);
    moved += dataEndBytes - 4;
    rowGroups += asList(fieldOf(decodeThrift(footer), 4), 'row groups').values.length;
  }
  assert.ok(expected.some((row) => row.bloom_filter_offset !== null && row.row_group_id !== '0'));
  assert.deepEqual(await query(`from parquet_metadata('${path}')`), expected);
  const schema = 'select * exclude (file_name) from parquet_schema';
  assert.deepEqual(await query(`${schema}('${path}')`), await query(`${schema}('${segments[0]?.path}')`));
});

test('filters by statistics and bloom filters find the right rows', async () => {
  const columns = `i as id, 'code ' || (i // 3000) * 3 as code, i / 4 as amount`;
  const segments = await writeSegments('filtered', columns, [9000, 6000, 0, 12_000]);
  const path = await joinSegments('filtered', segments);
  const probe = async (file: string): Promise<unknown[]> =>
    (await query(`from parquet_bloom_probe('${file}', 'code', 'code 12')`)).map((row) => row.bloom_filter_excludes);
  const probed = await Promise.all(segments.map((segment) => probe(segment.path)));
  assert.deepEqual(await probe(path), probed.flat());
  assert.deepEqual(probed.flat(), [true, false, true]);
  const count = `select count(*)::int as rows, min(id)::int as first from '${path}' where`;
  assert.deepEqual(await query(`${count} code = 'code 12'`), [{ rows: 3000, first: 12_000 }]);
  assert.deepEqual(await query(`${count} code = 'code 13'`), [{ rows: 0, first: null }]);
  assert.deepEqual(await query(`${count} id between 8999 and 9001`), [{ rows: 3, first: 8999 }]);
  assert.deepEqual(await query(`${count} amount > 6749.5`), [{ rows: 1, first: 26_999 }]);
  assert.equal((await readRows(path, true, 'code 12')).length, 3000);
  assert.equal((await readRows(path, true, 'code 13')).length, 0);
});

test('a footer decodes and encodes to the same bytes', async () => {
  const copy = `, row_group_size 2048, kv_metadata {made: 'here'}`;
  const segments = await writeSegments('codec', ALL_TYPES, [0, 1, 5000], copy);
  const wide = Array.from({ length: 300 }, (_, column) => `i as c${column}`).join(', ');
  for (const { path } of [...segments, await writeSegment('wide', wide, 3)]) {
    const { footer } = await readTail(path);
    assert.ok(Buffer.from(encodeThrift(decodeThrift(footer))).equals(footer));
  }
});

test('thrift values of every type keep their bytes', () => {
  const nested = { fields: [{ id: 1, type: thriftType.true, value: false }] };
  const fields: ThriftField[] = [
    { id: -5, type: thriftType.true, value: true },
    { id: 300, type: thriftType.byte, value: 255 },
    { id: 301, type: thriftType.i16, value: -32_768 },
    { id: 302, type: thriftType.i32, value: -(2 ** 31) },
    { id: 317, type: thriftType.i32, value: 2 ** 31 - 1 },
    { id: 333, type: thriftType.i64, value: -(2n ** 63n) },
    { id: 334, type: thriftType.i64, value: 2n ** 63n - 1n },
    { id: 335, type: thriftType.double, value: Uint8Array.of(1, 0, 0, 0, 0, 0, 248, 127) },
    { id: 336, type: thriftType.binary, value: new Uint8Array(10_000).fill(7) },
    { id: 337, type: thriftType.set, value: { elementType: thriftType.false, values: [1, 2, 2] } },
    { id: 338, type: thriftType.list, value: { elementType: thriftType.struct, values: new Array(15).fill(nested) } },
    { id: 339, type: thriftType.map, value: { keyType: 0, valueType: 0, entries: [] } },
    {
      id: 340,
      type: thriftType.map,
      value: { keyType: thriftType.i32, valueType: thriftType.struct, entries: [[-1, nested]] },
    },
    { id: 2, type: thriftType.uuid, value: new Uint8Array(16).fill(9) },
  ];
  const encoded = encodeThrift({ fields });
  const decoded = decodeThrift(encoded);
  // A field's boolean is its wire type, which is 2 for false.
  assert.deepEqual(decoded.fields.slice(1, 10), fields.slice(1, 10));
  assert.deepEqual(decoded.fields.at(-1), fields.at(-1));
  assert.deepEqual(Buffer.from(encodeThrift(decoded)), Buffer.from(encoded));
  for (let length = 0; length < encoded.length; length += 97) {
    assert.throws(() => decodeThrift(encoded.subarray(0, length)), /Thrift/);
  }
});

test('thrift bytes are the shortest that the compact protocol has', () => {
  const i32 = (id: number, value: number): ThriftField => ({ id, type: thriftType.i32, value });
  const flag: ThriftField = { id: 2, type: thriftType.true, value: false };
  const list = (size: number): ThriftField => {
    return { id: 3, type: thriftType.list, value: { elementType: thriftType.byte, values: new Array(size).fill(6) } };
  };
  const hexOf = (...fields: ThriftField[]): string => Buffer.from(encodeThrift({ fields })).toString('hex');
  // Field ids 15 apart fit the header, 16 apart do not; neither does a list of 15.
  assert.equal(hexOf(i32(15, -1), i32(31, 64)), 'f501053e800100');
  assert.equal(hexOf({ id: 1, type: thriftType.i64, value: -300n }, flag), '16d7041200');
  assert.equal(hexOf(list(14)), `39e3${'06'.repeat(14)}00`);
  assert.equal(hexOf(list(15)), `39f30f${'06'.repeat(15)}00`);
});

/** Rewrites each field of a struct: by `id`, `change` gives the new fields in its place. */
function mapFields(struct: ThriftStruct, id: number, change: (field: ThriftField) => ThriftField[]): ThriftStruct {
  return { fields: struct.fields.flatMap((field) => (field.id === id ? change(field) : [field])) };
}

function mapList(field: ThriftField, change: (struct: ThriftStruct) => ThriftStruct): ThriftField[] {
  const { elementType, values } = asList(field.value, 'list');
  return [{ ...field, value: { elementType, values: values.map((value) => change(asStruct(value, 'struct'))) } }];
}

function changeRowGroups(tail: ParquetTail, change: (rowGroup: ThriftStruct) => ThriftStruct): ParquetTail {
  const footer = mapFields(decodeThrift(tail.footer), 4, (field) => mapList(field, change));
  return { ...tail, footer: encodeThrift(footer) };
}

/** Gives row groups and column chunks the optional fields that DuckDB leaves out. */
function addOptionalFields(tail: ParquetTail): ParquetTail {
  const long = (id: number, value: bigint): ThriftField => ({ id, type: thriftType.i64, value });
  const addToChunk = (chunk: ThriftStruct): ThriftStruct => {
    const metadata = (field: ThriftField): ThriftField[] => {
      const inner = mapFields(asStruct(field.value, 'metadata'), 9, (offset) => [offset, long(10, 6n), long(11, 0n)]);
      return [{ ...field, value: inner }];
    };
    const { fields } = mapFields(mapFields(chunk, 3, metadata), 2, (field) => [{ ...field, value: 5n }]);
    const index = [long(4, 7n), { id: 5, type: thriftType.i32, value: 8 }, long(6, 9n)];
    return { fields: [...fields, ...index, { id: 7, type: thriftType.i32, value: 10 }] };
  };
  return changeRowGroups(tail, (rowGroup) => {
    const { fields } = mapFields(rowGroup, 1, (field) => mapList(field, addToChunk));
    return { fields: [...fields, { id: 7, type: thriftType.i16, value: 0 }] };
  });
}

test('optional offsets move, unset ones stay, page indexes go, and row groups are numbered anew', async () => {
  const tail = addOptionalFields(await readTail((await writeSegment('one', 'i as id', 10)).path));
  const merger = new FooterMerger();
  // Far past 2^32, as large exports are.
  const atBytes = 7_000_000_000_000;
  for (const at of [4, atBytes]) merger.add(tail, at);
  const file = Buffer.concat([Buffer.from('PAR1'), merger.finish()]);
  const metadata = parquetMetadata(Uint8Array.from(file).buffer);
  assert.equal(metadata.num_rows, 20n);
  const second = metadata.row_groups[1];
  assert.equal(second?.file_offset, BigInt(atBytes));
  assert.deepEqual(
    metadata.row_groups.map((rowGroup) => rowGroup.ordinal),
    [0, 1],
  );
  const chunk = second?.columns[0];
  assert.equal(chunk?.file_offset, BigInt(atBytes + 1));
  assert.equal(chunk?.meta_data?.data_page_offset, BigInt(atBytes));
  assert.equal(chunk?.meta_data?.index_page_offset, BigInt(atBytes + 2));
  assert.equal(chunk?.meta_data?.dictionary_page_offset, 0n);
  assert.deepEqual([chunk?.offset_index_offset, chunk?.offset_index_length], [undefined, undefined]);
  assert.deepEqual([chunk?.column_index_offset, chunk?.column_index_length], [undefined, undefined]);
});

test('a segment that does not fit is refused and leaves the others as they were', async () => {
  const tail = await readTail((await writeSegment('plain', 'i as id', 10)).path);
  const other = await readTail((await writeSegment('other', 'i::int as id', 10)).path);
  const noted = await readTail(
    (await writeSegment('noted', 'i as id', 10, { copy: `, kv_metadata {made: 'here'}` })).path,
  );
  const wrongRows = changeRowGroups(tail, (rowGroup) => mapFields(rowGroup, 3, (field) => [{ ...field, value: 9n }]));
  const encrypted = decodeThrift(tail.footer).fields.concat({ id: 8, type: thriftType.struct, value: { fields: [] } });
  const merger = new FooterMerger();
  assert.throws(() => merger.finish(), /at least one segment/);
  assert.throws(() => merger.add(wrongRows, 4), /states 10 rows, its row groups 9/);
  merger.add(tail, 4);
  const alone = merger.finish();
  assert.throws(() => merger.add(other, 500), /another schema/);
  assert.throws(() => merger.add(noted, 500), /field 5 of FileMetaData/);
  assert.throws(() => merger.add(wrongRows, 500), /states 10 rows, its row groups 9/);
  assert.throws(() => merger.add({ ...tail, dataEndBytes: 3 }, 500), /points at 4, not data/);
  assert.throws(() => merger.add({ ...tail, footer: encodeThrift({ fields: encrypted }) }, 500), /encrypted/);
  assert.throws(() => merger.add({ ...tail, footer: tail.footer.subarray(0, 50) }, 500), /Thrift/);
  assert.deepEqual(merger.finish(), alone);
});

test('a file that is not a complete Parquet file is refused', async () => {
  const bytes = await readFile((await writeSegment('whole', 'i as id', 10)).path);
  const read = (from: Buffer, sizeBytes = from.length): Promise<ParquetTail> =>
    readParquetTail(sizeBytes, async (offset, length) => from.subarray(offset, offset + length));
  assert.equal((await read(bytes)).footer.length, bytes.readUInt32LE(bytes.length - 8));
  await assert.rejects(read(Buffer.from('PAR1')), /only 4 bytes/);
  await assert.rejects(read(bytes.subarray(0, -1)), /end with PAR1/);
  await assert.rejects(read(bytes.subarray(1)), /begin with PAR1/);
  await assert.rejects(read(Buffer.from('PAR1\xff\xff\xff\xffPAR1', 'latin1')), /claims 4294967295 bytes/);
  await assert.rejects(read(bytes, bytes.length + 4), /cut short/);
});
