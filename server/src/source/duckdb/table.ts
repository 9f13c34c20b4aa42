import { Fault, refuse } from '../../base/errors.ts';
import { identifier, literal } from '../../column/sql.ts';
import type { Session } from '../engine.ts';
import { pinFiles } from '../pins.ts';
import type { OpenEngine, Piece, SourceShape } from '../source.ts';
import { type FilesAsk, typedColumns } from './columns.ts';

/** Rows of one storage group of a database file: pieces end on their borders so that none is read twice. */
const GROUP_ROWS = 122_880;

/** Bytes a row is taken to have, since a database file does not tell. */
const ASSUMED_ROW_BYTES = 100;

export async function describeTable(ask: FilesAsk, openEngine: OpenEngine): Promise<SourceShape> {
  const [input] = ask.inputs;
  if (!input || ask.inputs.length !== 1) throw refuse('/files', 'One database file at a time can be exported.');
  // What was not yet written into the file stands in its log, which is read along with it.
  const log = await pinFiles([`${input.path}.wal`]).catch(() => []);
  await using engine = await openEngine({ files: [], database: input.path });
  const session = await engine.session();
  const relation = await findRelation(session, ask.options.table);
  const { schema, name } = relation;
  const scan = ['source', schema, name].map(identifier).join('.');
  const raw = await session.read(`select * from ${scan} limit 0`);
  // A column of the table's own would be taken for the number the engine gives.
  const isNumbered = relation.isTable && !raw.names.some((column) => column.toLowerCase() === 'rowid');
  const { rows: notNull } = await session.read(
    `select column_name from duckdb_columns() where database_name = 'source' and schema_name = ${literal(schema)} and table_name = ${literal(name)} and not is_nullable`,
  );
  return {
    type: 'duckdb',
    kind: 'table',
    inputs: [...ask.inputs, ...log],
    columns: typedColumns(raw, ask, new Set(notNull.map(([column]) => String(column)))),
    scan,
    position: isNumbered ? 'rowid' : 'row_number() over ()',
    rowNumber: isNumbered ? 'rowid' : null,
    pieces: isNumbered ? await groups(session, scan) : [{ files: [0, 0], rows: null, bytes: 0 }],
    countable: true,
    live: null,
  };
}

interface Relation {
  readonly schema: string;
  readonly name: string;
  readonly isTable: boolean;
}

async function findRelation(session: Session, wanted: string | undefined): Promise<Relation> {
  const { rows } = await session.read(
    "select schema_name, table_name, true from duckdb_tables() where database_name = 'source' union all select schema_name, view_name, false from duckdb_views() where database_name = 'source' and not internal order by 1, 2",
  );
  const relations = rows.map(([schema, name, isTable]) => ({
    schema: String(schema),
    name: String(name),
    isTable: isTable === true,
  }));
  const found =
    wanted === undefined
      ? relations
      : relations.filter((each) => wanted === each.name || wanted === `${each.schema}.${each.name}`);
  const [only] = found;
  if (only && found.length === 1) return only;
  const names = relations.map((each) => `${each.schema}.${each.name}`).slice(0, 40);
  if (names.length === 0) throw new Fault('source.refused', 'The database file holds no table.');
  throw refuse('/table', `Name one table; the database file holds ${names.join(', ')}.`);
}

/** Row ids rise in the order of insertion; deleted rows leave holes, so the highest id counts, not the count. */
async function groups(session: Session, scan: string): Promise<Piece[]> {
  const { rows } = await session.read(`select max(rowid) from ${scan}`);
  const end = Number(rows[0]?.[0] ?? -1) + 1;
  const pieces: Piece[] = [];
  for (let start = 0; start < end; start += GROUP_ROWS) {
    pieces.push({
      files: [0, 0],
      rows: [start, Math.min(end, start + GROUP_ROWS)],
      bytes: GROUP_ROWS * ASSUMED_ROW_BYTES,
    });
  }
  return pieces.length > 0 ? pieces : [{ files: [0, 0], rows: null, bytes: 0 }];
}
