import { createHash } from 'node:crypto';
import { MARK_LENGTH, MARKED_REST, markNumbers, markOf, unmarkNumbers } from '../../column/json-number.ts';
import { identifier, literal } from '../../column/sql.ts';
import { type Column, type ColumnType, engineType } from '../../column/type.ts';
import type { Session } from '../engine.ts';
import type { DescribeAsk, OpenEngine, PinnedFile, SourceColumn, SourceShape } from '../source.ts';
import { declaredType, type FilesAsk, fromText } from './columns.ts';

/** Longest line that is read, in bytes. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** It depends on when the files were written, so that nobody can put a text into them that is taken for a number. */
function markOfFiles(inputs: readonly PinnedFile[]): string {
  return markOf(createHash('sha256').update(JSON.stringify(inputs)).digest('hex'));
}

/** The last match is the end of the line and leaves a mark of its own there. */
const LINE = `left(marked, length(marked) - ${MARKED_REST})`;

/** JSON lines: one object a line, columns by its top-level names, in the order they first appear. */
export async function describeJsonl(ask: FilesAsk, openEngine: OpenEngine): Promise<SourceShape> {
  const paths = ask.inputs.map(({ path }) => path);
  await using engine = await openEngine({ files: paths });
  const session = await engine.session();
  const mark = markOfFiles(ask.inputs);
  const found = await readColumns(session, `[${paths.map(literal).join(', ')}]`, ask);
  const columns = found.map((column, at) => ({
    ...column,
    expression: memberSql(`members[${at + 1}]`, column.type, { mark, depth: 0 }),
  }));
  return {
    type: 'duckdb',
    kind: 'jsonl',
    inputs: ask.inputs,
    columns,
    scan: scanSql(columns, mark),
    position: 'row_number() over ()',
    rowNumber: null,
    pieces: ask.inputs.map(({ sizeBytes }, at) => ({ files: [at, at], rows: null, bytes: sizeBytes })),
    countable: false,
    live: null,
  };
}

type FoundColumn = Omit<SourceColumn, 'expression'>;

/**
 * Every line is looked at, since a name that first appears in the last line is a column too. A
 * column that only ever holds strings is text; the rest keep their JSON text unless declared.
 */
async function readColumns(session: Session, list: string, ask: DescribeAsk): Promise<FoundColumn[]> {
  const { rows } = await session.read(
    `select encode(name), bool_and(kind = 'VARCHAR') filter (kind <> 'NULL'), min((line, place)) from (select line, unnest(names) as name, unnest(kinds) as kind, generate_subscripts(names, 1) as place from (select row_number() over () as line, json_keys(json) as names, list_transform(json_keys(json), lambda name: json_type(json, '/' || replace(replace(name, '~', '~0'), '/', '~1'))) as kinds from ${objects(list)})) group by name order by 3`,
  );
  const found = rows.map(([bytes, isText]): Column => {
    // As text, it would lose a byte order mark at its start on the way here.
    const name = Buffer.from(bytes as Uint8Array).toString();
    const type = declaredType(ask, name) ?? (isText === true ? { is: 'text' } : { is: 'json' });
    return { name, type, nullable: true };
  });
  // A declared column is one even while no line has it: no rows are no reason to fail.
  const absent = Object.entries(ask.types).filter(([name]) => found.every((column) => column.name !== name));
  return [...found, ...absent.map(([name, type]) => ({ name, type, nullable: true, isAbsent: true }) as const)];
}

function objects(files: string): string {
  return `read_ndjson_objects(${files}, maximum_object_size = ${MAX_LINE_BYTES})`;
}

function scanSql(columns: readonly Column[], mark: string): string {
  const paths = columns.map(({ name }) => literal(pointer(name)));
  const marked = `${markNumbers('json::varchar', mark)} as marked`;
  // The files come before anything that holds a name, since a name may be "{files}" too.
  return `(with lines as (select ${marked} from ${objects('{files}')}) select json_extract(${LINE}, [${paths.join(', ')}]) as members from lines)`;
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
