import { Fault } from '../../base/errors.ts';
import { literal } from '../../column/sql.ts';
import type { Session } from '../engine.ts';
import type { Rows } from '../read-rows.ts';
import type { OpenEngine, Piece, PinnedFile, SourceShape } from '../source.ts';
import { type FilesAsk, typedColumns } from './columns.ts';

const SCAN = 'read_parquet({files}, hive_partitioning = false, union_by_name = false)';

/** A file's number in the high bits: rows of one file stay below 2^40. */
const POSITION = '((file_index::bigint << 40) + file_row_number)';

export async function describeParquet(ask: FilesAsk, openEngine: OpenEngine): Promise<SourceShape> {
  const paths = ask.inputs.map(({ path }) => path);
  await using engine = await openEngine({ files: paths });
  const session = await engine.session();
  const list = `[${paths.map(literal).join(', ')}]`;
  const scan = await session.read(`select * from ${SCAN.replace('{files}', () => list)} limit 0`);
  const required = await checkSchemas(session, list, ask);
  // A column of the file's own would be taken for the number the engine gives.
  const isNumbered = !scan.names.some((name) => /^(file_index|file_row_number)$/i.test(name));
  return {
    type: 'duckdb',
    kind: 'parquet',
    inputs: ask.inputs,
    columns: typedColumns(scan, ask, required),
    scan: SCAN,
    position: isNumbered ? POSITION : 'row_number() over ()',
    rowNumber: isNumbered ? 'file_row_number' : null,
    pieces: isNumbered ? rowGroups(await session.read(rowGroupsSql(list)), paths) : ask.inputs.map(wholeFile),
    countable: true,
    live: null,
  };
}

function rowGroupsSql(list: string): string {
  return `select file_name, row_group_id, any_value(row_group_num_rows), least(sum(total_uncompressed_size), 9223372036854775807)::bigint from parquet_metadata(${list}) group by 1, 2 order by 1, 2`;
}

/**
 * Only the first file's columns would be read, so a later file with other columns would be cut short
 * without a word. Gives the columns no file can hold NULL in.
 */
async function checkSchemas(session: Session, list: string, ask: FilesAsk): Promise<Set<string>> {
  const { rows } = await session.read(
    `select file_name, name, coalesce(num_children, 0), repetition_type from parquet_schema(${list}) order by file_name, column_id`,
  );
  const byFile = Map.groupBy(rows.map(readElement), ({ file }) => file);
  const first = byFile.get(ask.inputs[0]?.path ?? '') ?? [];
  for (const [path, elements] of byFile) {
    const [names, expected] = [elements, first].map((each) =>
      each
        .slice(1)
        .map(({ name }) => name)
        .join('\n'),
    );
    if (names !== expected)
      throw new Fault('source.refused', `The columns of ${path} differ from those of ${ask.inputs[0]?.path}.`);
  }
  const required = [...byFile.values()].map(
    (elements) =>
      new Set(
        topLevel(elements)
          .filter(({ isRequired }) => isRequired)
          .map(({ name }) => name),
      ),
  );
  return new Set(first.map(({ name }) => name).filter((name) => required.every((names) => names.has(name))));
}

interface SchemaElement {
  readonly file: string;
  readonly name: string;
  readonly childCount: number;
  readonly isRequired: boolean;
}

function readElement([file, name, childCount, repetition]: readonly unknown[]): SchemaElement {
  return {
    file: String(file),
    name: String(name),
    childCount: Number(childCount),
    isRequired: repetition === 'REQUIRED',
  };
}

/** The schema is a tree written out parents first, its root at the start; these are the root's children. */
function topLevel([, ...elements]: readonly SchemaElement[]): SchemaElement[] {
  const found: SchemaElement[] = [];
  let inside = 0;
  for (const element of elements) {
    if (inside === 0) found.push(element);
    else inside--;
    inside += element.childCount;
  }
  return found;
}

/** A file this small is not worth cutting: as a whole, neighbours can share a segment with it. */
const WHOLE_FILE_BYTES = 8 * 1024 * 1024;

function wholeFile({ sizeBytes }: PinnedFile, at: number): Piece {
  return { files: [at, at], rows: null, bytes: sizeBytes };
}

function rowGroups({ rows }: Rows, paths: readonly string[]): Piece[] {
  const byFile = Map.groupBy(rows, ([file]) => String(file));
  const pieces = paths.flatMap((path, at) => piecesOf(byFile.get(path) ?? [], at));
  return pieces.length > 0 ? pieces : [{ files: [0, paths.length - 1], rows: null, bytes: 0 }];
}

function piecesOf(groups: Rows['rows'], file: number): Piece[] {
  const bytes = groups.reduce((sum, group) => sum + Number(group[3]), 0);
  const count = groups.reduce((sum, group) => sum + Number(group[2]), 0);
  if (bytes <= WHOLE_FILE_BYTES) return [{ files: [file, file], rows: null, count, bytes }];
  let start = 0;
  return groups.map(([, , count, groupBytes]) => {
    const end = start + Number(count);
    const piece: Piece = { files: [file, file], rows: [start, end], bytes: Number(groupBytes) };
    start = end;
    return piece;
  });
}
