import { brotliDecompressSync } from 'node:zlib';
import { ByteReader } from './byte-reader.ts';
import { fontBytes, glyphTables } from './font-file.ts';
import { unbroken } from './unbroken.ts';
import { readGlyphs } from './woff2-glyphs.ts';

const HEADER_BYTES = 48;

/** Tables that directories name by number (WOFF2, 4.1); 63 is a name of four letters. */
const TAGS = (
  'cmap,head,hhea,hmtx,maxp,name,OS/2,post,cvt ,fpgm,glyf,loca,prep,CFF ,VORG,EBDT,EBLC,gasp,hdmx,kern,LTSH,PCLT,' +
  'VDMX,vhea,vmtx,BASE,GDEF,GPOS,GSUB,EBSC,JSTF,MATH,CBDT,CBLC,COLR,CPAL,SVG ,sbix,acnt,avar,bdat,bloc,bsln,cvar,' +
  'fdsc,feat,fmtx,fvar,gvar,hsty,just,lcar,mort,morx,opbd,prop,trak,Zapf,Silf,Glat,Gloc,Feat,Sill'
).split(',');
const NAMED = 63;

/** Tables nobody asks for: hints, names, and what is for text from top to bottom. */
const UNUSED = new Set(['cvt ', 'fpgm', 'gasp', 'name', 'post', 'prep', 'vhea', 'vmtx', 'STAT', 'BASE', 'VVAR']);

const LONG_OFFSETS = 1;

interface Table {
  readonly tag: string;
  readonly isTransformed: boolean;
  readonly bytes: Buffer;
}

/** Gives the font in a WOFF2 file (W3C Recommendation of 2024) with TrueType outlines as an OpenType file. */
export function unpackWoff2(file: Buffer): Buffer {
  const tables = new Map(readTables(file).map((table) => [table.tag, table]));
  const glyf = tables.get('glyf');
  const head = tables.get('head');
  if (!glyf?.isTransformed || !head) throw new Error('The font has no packed outlines.');
  const glyphs = readGlyphs(glyf.bytes);
  const made = glyphTables(glyphs);
  const patched = Buffer.from(head.bytes);
  patched.writeInt16BE(LONG_OFFSETS, 50);
  const ready = new Map<string, Buffer>([...Object.entries(made), ['head', patched]]);
  const hmtx = tables.get('hmtx');
  const hhea = tables.get('hhea');
  if (hmtx?.isTransformed && hhea) ready.set('hmtx', readMetrics(hmtx.bytes, hhea.bytes.readUInt16BE(34), glyphs));
  const kept = [...tables.keys()].filter((tag) => !UNUSED.has(tag)).sort();
  return fontBytes(kept.map((tag) => [tag, ready.get(tag) ?? tables.get(tag)?.bytes ?? Buffer.alloc(0)]));
}

function readTables(file: Buffer): Table[] {
  const count = file.readUInt16BE(12);
  const packedBytes = file.readUInt32BE(20);
  const reader = new ByteReader(file.subarray(HEADER_BYTES));
  const entries = Array.from({ length: count }, () => {
    const flags = reader.uint8();
    const number = flags & NAMED;
    const tag = number === NAMED ? reader.take(4).toString('latin1') : (TAGS[number] ?? '');
    // Of outlines 3 stands for what is not transformed, of other tables 0.
    const isTransformed = tag === 'glyf' || tag === 'loca' ? flags >> 6 !== 3 : flags >> 6 !== 0;
    const length = reader.base128();
    return { tag, isTransformed, length: isTransformed ? reader.base128() : length };
  });
  const content = new ByteReader(unbroken(() => brotliDecompressSync(reader.take(packedBytes))));
  return entries.map(({ length, ...entry }) => ({ ...entry, bytes: content.take(length) }));
}

/** Advances with left bearings, which are left out where they are the left ends of the outlines. */
function readMetrics(table: Buffer, advances: number, glyphs: readonly Buffer[]): Buffer {
  const reader = new ByteReader(table);
  const flags = reader.uint8();
  const widths = Array.from({ length: advances }, () => reader.uint16());
  const left = (glyph: Buffer) => (glyph.length === 0 ? 0 : glyph.readInt16BE(2));
  const own = glyphs.slice(0, advances).map((glyph) => (flags & 1 ? left(glyph) : reader.int16()));
  const rest = glyphs.slice(advances).map((glyph) => (flags & 2 ? left(glyph) : reader.int16()));
  const metrics = Buffer.alloc(4 * advances + 2 * rest.length);
  for (const [at, width] of widths.entries()) {
    metrics.writeUInt16BE(width, 4 * at);
    metrics.writeInt16BE(own[at] ?? 0, 4 * at + 2);
  }
  for (const [at, bearing] of rest.entries()) metrics.writeInt16BE(bearing, 4 * advances + 2 * at);
  return metrics;
}
