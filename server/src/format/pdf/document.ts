import { HAN, type Script } from './families.ts';
import { PdfObjects, pdfText, type Reference } from './objects.ts';
import type { PdfOptions, PdfSection } from './options.ts';
import { type Look, leading, MARGIN, PAGE, Pages, TEXT_WIDTH } from './page.ts';
import type { Line } from './paragraph.ts';
import type { EvidenceRecord } from './record.ts';
import { entriesOf, fieldText, textOf } from './values.ts';

export interface PdfDocument {
  readonly bytes: Buffer;
  readonly pages: number;
}

const TITLE: Look = { size: 19, weight: 'bold', gray: 0 };
const SUBTITLE: Look = { size: 11, weight: 'regular', gray: 0.25 };
const HEADING: Look = { size: 11, weight: 'bold', gray: 0 };
const LABEL: Look = { size: 9, weight: 'regular', gray: 0.4 };
const VALUE: Look = { size: 9, weight: 'regular', gray: 0 };
const SMALL: Look = { size: 8, weight: 'regular', gray: 0.4 };

const WHOLE = { x: MARGIN, width: TEXT_WIDTH };
const LEFT = { x: MARGIN, width: 140 };
const RIGHT = { x: MARGIN + 152, width: TEXT_WIDTH - 152 };
const HEAD_Y = PAGE.height - 44;
const FOOT_Y = 38;

const RULE_GRAY = 0.75;

/** Where what stands beside the pages is found by `read-record.ts`: these are added first. */
export const RECORD_OBJECT = 1;
export const INFO_OBJECT = 2;

/** Sets a record as a PDF. The same record, name and layout give the same bytes. */
export function makeDocument(record: EvidenceRecord, name: string, layout: PdfOptions): PdfDocument {
  const pages = setPages(record, name, layout);
  const objects = new PdfObjects();
  const { canonical, sha256 } = record;
  const attached = objects.addStream(
    canonical,
    `/Type/EmbeddedFile/Subtype/application#2Fjson/Params<</Size ${canonical.length}>>`,
  );
  const info = objects.add(
    `<</Title${pdfText(`${layout.title}: ${name}`)}/Producer(Drayage)/RecordSHA256(${sha256})>>`,
  );
  const file = objects.add(
    `<</Type/Filespec/F(record.json)/UF(record.json)/Desc(The record this document shows, RFC 8785)/AFRelationship/Source/EF<</F ${attached} 0 R/UF ${attached} 0 R>>>>`,
  );
  const tree = addPages(objects, pages);
  const catalog = objects.add(
    `<</Type/Catalog/Pages ${tree} 0 R/Lang(${layout.language})/ViewerPreferences<</DisplayDocTitle true>>/Names<</EmbeddedFiles<</Names[(record.json) ${file} 0 R]>>>>/AF[${file} 0 R]>>`,
  );
  const trailer = (seal: string) => `/Root ${catalog} 0 R/Info ${info} 0 R/ID[<${sha256.slice(0, 32)}><${seal}>]`;
  return { bytes: objects.finish(trailer), pages: pages.count };
}

function addPages(objects: PdfObjects, pages: Pages): Reference {
  const tree = objects.reserve();
  const contents = pages.contents().map((content) => objects.addStream(Buffer.from(content, 'latin1')));
  const fonts = objects.add(`<</Font<<${pages.fonts.write(objects)}>>>>`);
  const kids = contents.map((content) =>
    objects.add(
      `<</Type/Page/Parent ${tree} 0 R/MediaBox[0 0 ${PAGE.width} ${PAGE.height}]/Resources ${fonts} 0 R/Contents ${content} 0 R>>`,
    ),
  );
  objects.set(tree, `<</Type/Pages/Count ${kids.length}/Kids[${kids.map((kid) => `${kid} 0 R`).join(' ')}]>>`);
  return tree;
}

function setPages(record: EvidenceRecord, name: string, layout: PdfOptions): Pages {
  const pages = new Pages(hanFonts(layout.language));
  pages.flow(pages.break(layout.title, WHOLE, TITLE), WHOLE, TITLE);
  const subtitle = layout.subtitle === undefined ? null : textOf(record.values[layout.subtitle]);
  if (subtitle !== null) pages.flow(pages.break(subtitle, WHOLE, SUBTITLE), WHOLE, SUBTITLE);
  for (const section of layout.sections) setSection(pages, section, record);
  setVerification(pages, record.sha256);
  stampPages(pages, name, layout.title);
  return pages;
}

/** Which shapes Han takes in text without kana and Hangul. */
function hanFonts(language: string): readonly Script[] {
  if (/^ja\b/i.test(language)) return HAN.japanese;
  if (/^ko\b/i.test(language)) return HAN.korean;
  return /^zh-.*\b(?:hant|tw|hk|mo)\b/i.test(language) ? HAN.traditional : HAN.simplified;
}

/** A section without anything to show is left out. */
function setSection(pages: Pages, section: PdfSection, { values }: EvidenceRecord): void {
  if (section.text !== undefined) {
    const text = textOf(values[section.text]);
    if (text === null) return;
    setHeading(pages, section.title);
    pages.flow(pages.break(text, WHOLE, VALUE), WHOLE, VALUE);
    return;
  }
  const pairs =
    section.entries === undefined
      ? (section.fields ?? []).map((field) => [field.label, fieldText(values, field)] as const)
      : entriesOf(values, section.entries);
  if (pairs.length === 0) return;
  setHeading(pages, section.title);
  for (const [label, value] of pairs) setPair(pages, label, value);
}

function setHeading(pages: Pages, title: string): void {
  const lines = [...pages.break(title, WHOLE, HEADING)];
  pages.skip(14);
  // With its rule and the first line below: a heading never stands alone at the foot of a page.
  pages.ensure(lines.length * leading(HEADING) + 8 + leading(VALUE));
  pages.flow(lines, WHOLE, HEADING);
  pages.skip(5);
  pages.rule(RULE_GRAY);
  pages.skip(3);
}

function setPair(pages: Pages, label: string, value: string): void {
  pages.flowPair(
    { lines: pages.break(label, LEFT, LABEL), box: LEFT, look: LABEL },
    { lines: pages.break(value, RIGHT, VALUE), box: RIGHT, look: VALUE },
  );
  pages.skip(2);
}

function setVerification(pages: Pages, sha256: string): void {
  setHeading(pages, 'Verification');
  setPair(pages, 'SHA-256', sha256);
  const how =
    'This is the SHA-256 of the record shown above as canonical JSON (RFC 8785), which is attached to this document as record.json. ' +
    'To verify, run "drayage verify" with this file, or save the attachment as it is and compare its SHA-256 with the one above.';
  pages.flow(pages.break(how, WHOLE, SMALL), WHOLE, SMALL);
}

/** The running head and the page numbers, which are known when all pages are. */
function stampPages(pages: Pages, name: string, title: string): void {
  const half = { width: TEXT_WIDTH / 2 - 6 };
  const [left] = pages.break(name, half, SMALL);
  const [right] = pages.break(title, half, SMALL);
  for (let page = 0; page < pages.count; page++) {
    const [number] = pages.break(`${page + 1} / ${pages.count}`, half, SMALL);
    if (left) pages.stamp(page, left, stampPlace(left, 0, HEAD_Y), SMALL);
    if (right) pages.stamp(page, right, stampPlace(right, 1, HEAD_Y), SMALL);
    if (number) pages.stamp(page, number, stampPlace(number, 0.5, FOOT_Y), SMALL);
  }
}

/** On the left (0), centred (0.5) or on the right (1). */
function stampPlace(line: Line, share: number, y: number): { x: number; width: number; y: number } {
  const width = (line.width * SMALL.size) / 1000;
  return { x: MARGIN + (TEXT_WIDTH - width) * share, width, y };
}
