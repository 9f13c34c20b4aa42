import { createHash } from 'node:crypto';
import { MARK_LENGTH, MARKED_REST, markNumbers, markOf, unmarkNumbers } from '../../column/json-number.ts';
import { identifier, literal } from '../../column/sql.ts';
import { type Column, type ColumnType, engineType, isNested } from '../../column/type.ts';
import { csvScan } from '../csv-scan.ts';
import { landedText, OTHERS } from '../landed-text.ts';
import type { OpenEngine, Piece, PinnedFile, SourceShape } from '../source.ts';
import { declaredType, type FilesAsk, fromText } from './columns.ts';
import { piecesOf } from './file-pieces.ts';
import { type JsonLines, MAX_NAMES, mostRowBytes, tooManyNames } from './json-lines.ts';
import { joinColumns, scanFile } from './scan-lines.ts';

/** What the engine reads of a file at once, at least. */
const BUFFER_BYTES = 2 * 1024 * 1024;

/** It depends on when the files were written, so that nobody can put a text into them that is taken for a number. */
function markOfFiles(inputs: readonly PinnedFile[]): string {
  return markOf(createHash('sha256').update(JSON.stringify(inputs)).digest('hex'));
}

/**
 * JSON lines: one object a line, columns by its top-level names, in the order they first appear. Every line is read,
 * since a name that first appears in the last line is a column too.
 */
export async function describeJsonl(ask: FilesAsk, _: OpenEngine, threads: number): Promise<SourceShape> {
  const pieces: Piece[] = [];
  let found: Columns = [];
  let rowBytes = 0;
  for (const [at, input] of ask.inputs.entries()) {
    const scanned = await scanFile(input, threads);
    pieces.push(...piecesOf(at, input.path, scanned));
    found = joinColumns(found, scanned.columns);
    rowBytes = Math.max(rowBytes, scanned.rowBytes);
  }
  const mark = markOfFiles(ask.inputs);
  const columns = columnsOf(found, ask);
  if (columns.length > MAX_NAMES) throw tooManyNames();
  return {
    type: 'duckdb',
    kind: 'jsonl',
    inputs: ask.inputs,
    columns: columns.map((column, at) => ({
      ...column,
      expression: cellSql(cellName(at), column.type, { mark, depth: 0 }),
    })),
    scan: scanSql(columns, { mark, rowBytes: Math.max(BUFFER_BYTES, mostRowBytes(rowBytes, columns.length)) }),
    position: 'row_number() over ()',
    rowNumber: null,
    pieces,
    countable: false,
    live: null,
  };
}

type Columns = JsonLines['columns'];

type FoundColumn = Column & { readonly isAbsent?: true };

/** A column that only ever holds strings is text; the rest keep their JSON text unless declared. */
function columnsOf(all: Columns, ask: FilesAsk): FoundColumn[] {
  const found = all.map(({ name, holds }): FoundColumn => {
    const type = declaredType(ask, name) ?? (holds === 'strings' ? { is: 'text' } : { is: 'json' });
    return { name, type, nullable: true };
  });
  // A declared column is one even while no line has it: no rows are no reason to fail.
  const absent = Object.entries(ask.types).filter(([name]) => found.every((column) => column.name !== name));
  return [...found, ...absent.map(([name, type]) => ({ name, type, nullable: true, isAbsent: true }) as const)];
}

/** Names may differ in case only, which those of the engine's columns may not. */
function cellName(at: number): string {
  return `cell${at}`;
}

interface Scanning {
  readonly mark: string;
  readonly rowBytes: number;
}

/** Of what `landLines` writes; cells of nested values become JSON with marked numbers. */
function scanSql(columns: readonly Column[], { mark, rowBytes }: Scanning): string {
  const names = ['row', ...columns.map((_, at) => cellName(at)), OTHERS];
  const scan = csvScan('{files}', names, { delimiter: ',', rowBytes });
  const nested = columns.flatMap(({ type }, at) => (isNested(type) ? [cellName(at)] : []));
  if (nested.length === 0) return scan;
  const marked = nested.map((name) => `${markNumbers(name, mark)} as ${name}`);
  // The last match is the end of the text and leaves a mark of its own there.
  const cells = nested.map((name) => `left(${name}, length(${name}) - ${MARKED_REST})::json as ${name}`);
  return `(select * replace (${cells.join(', ')}) from (select * replace (${marked.join(', ')}) from ${scan}))`;
}

/** SQL of a cell as a value of the type. */
function cellSql(cell: string, type: ColumnType, reading: Reading): string {
  if (isNested(type)) return memberSql(cell, type, reading);
  return type.is === 'json' ? cell : fromText(landedText(cell), type);
}

interface Reading {
  readonly mark: string;
  /** Keeps the names of lambdas apart. */
  readonly depth: number;
}

/** SQL of a JSON member as a value of the type. */
function memberSql(member: string, type: ColumnType, reading: Reading): string {
  const isNull = `${member} is null or json_type(${member}) = 'NULL'`;
  return `case when ${isNull} then null else ${valueSql(member, type, reading)} end`;
}

function valueSql(member: string, type: ColumnType, reading: Reading): string {
  const { mark } = reading;
  switch (type.is) {
    case 'json':
      return unmarkNumbers(`(${member})::varchar`, mark);
    case 'list':
    case 'struct':
    case 'map':
      return `cast((${nestedSql(member, type, reading)}) as ${engineType(type)})`;
    default: {
      const text = `json_extract_string(${member}, '$')`;
      const isNumber = `starts_with(${text}, ${literal(mark)})`;
      return fromText(`case when ${isNumber} then substr(${text}, ${MARK_LENGTH + 1}) else ${text} end`, type);
    }
  }
}

/** Part by part: a cast of the whole would read base64 as bytes and leave the marks in JSON inside. */
function nestedSql(member: string, type: ColumnType & { is: 'list' | 'struct' | 'map' }, reading: Reading): string {
  const part = `part${reading.depth}`;
  const inner = (sql: string, of: ColumnType) => memberSql(sql, of, { ...reading, depth: reading.depth + 1 });
  if (type.is === 'list') return `list_transform(cast(${member} as json[]), lambda ${part}: ${inner(part, type.of)})`;
  if (type.is === 'struct') {
    const fields = type.fields.map(
      ({ name, type: of }) =>
        `${identifier(name)} := ${inner(`json_extract(${member}, ${literal(pointer(name))})`, of)}`,
    );
    // Only an object has members; the cast refuses anything else.
    return `case when json_type(${member}) = 'OBJECT' then struct_pack(${fields.join(', ')}) else cast(${member} as ${engineType(type)}) end`;
  }
  const keys = `list_transform(json_keys(${member}), lambda ${part}: ${fromText(part, type.key)})`;
  const values = `map_values(cast(${member} as map(varchar, json)))`;
  return `map(${keys}, list_transform(${values}, lambda ${part}: ${inner(part, type.value)}))`;
}

/** RFC 6901. */
function pointer(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
