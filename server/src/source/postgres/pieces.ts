import { literal } from '../../column/sql.ts';
import type { Piece } from '../source.ts';
import type { Relation } from './catalog.ts';
import type { Connection } from './connection.ts';

/** Pages of a piece: 16 MB of 8 KB pages, read in a tenth of a second or so. */
const PIECE_PAGES = 2048;

/** A plan carries its pieces around, so a terabyte has no more of them than this, only larger ones. */
const MAX_PIECES = 4096;

/** Behind the last page any table can have: what is added after the plan was made is in the last piece. */
export const NO_PAGE = 4_294_967_295;

/** From this version on, a range of pages is read without a look at the others. */
const RANGE_VERSION = 140_000;

/** A relation's pages cut into pieces; one piece where it has none, or where the server would read all for each. */
export async function piecesOf(connection: Connection, relation: Relation): Promise<Piece[]> {
  const whole: Piece = { files: [0, 0], rows: null, bytes: 0 };
  if (!'rpm'.includes(relation.kind)) return [whole];
  const leaves = await readLeaves(connection, relation.oid);
  const bytes = leaves.reduce((sum, leaf) => sum + leaf.bytes, 0);
  const isPaged = relation.version >= RANGE_VERSION && relation.isReadable && leaves.every((leaf) => leaf.isHeap);
  return isPaged ? cut(leaves) : [{ ...whole, bytes }];
}

interface Leaf {
  readonly isHeap: boolean;
  readonly pages: number;
  /** With what stands outside of its pages. */
  readonly bytes: number;
}

/** The table, its partitions and the tables that inherit from it: a page number means that page of each. */
async function readLeaves(connection: Connection, oid: string): Promise<Leaf[]> {
  const rows = await connection.query(
    `with recursive family as (
      select ${literal(oid)}::oid as oid
      union select i.inhrelid from family join pg_catalog.pg_inherits i on i.inhparent = family.oid
    )
    select am.amname = 'heap',
      pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int8,
      pg_catalog.pg_table_size(c.oid)
    from family join pg_catalog.pg_class c using (oid) left join pg_catalog.pg_am am on am.oid = c.relam
    where c.relkind <> 'p'`,
  );
  return rows.map(([isHeap, pages, bytes]) => ({
    isHeap: isHeap === 't',
    pages: Number(pages),
    bytes: Number(bytes),
  }));
}

function cut(leaves: readonly Leaf[]): Piece[] {
  const pages = Math.max(1, ...leaves.map((leaf) => leaf.pages));
  const step = Math.max(PIECE_PAGES, Math.ceil(pages / MAX_PIECES));
  const count = Math.ceil(pages / step);
  return Array.from({ length: count }, (_, at) => {
    const [start, end] = [at * step, (at + 1) * step];
    const bytes = leaves.reduce((sum, leaf) => sum + bytesWithin(leaf, start, end), 0);
    return { files: [0, 0], rows: [start, at === count - 1 ? NO_PAGE : end], bytes: Math.round(bytes) };
  });
}

function bytesWithin({ pages, bytes }: Leaf, start: number, end: number): number {
  return pages === 0 ? 0 : (Math.max(0, Math.min(pages, end) - start) / pages) * bytes;
}
