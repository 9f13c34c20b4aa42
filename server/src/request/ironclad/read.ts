import { later } from '../../base/clock.ts';
import { Fault, refuse } from '../../base/errors.ts';
import { parseInstant } from '../../column/parse-instant.ts';
import type { AskedColumn } from '../../dataset/query.ts';
import type { Ask } from '../../job/ask.ts';
import type { CreateAsk } from '../desk.ts';
import { columnsOf, readFields, readNames, type Selection } from './columns.ts';
import { CONNECTION, DATA_GROUPS, EXPORT_TYPES, type ExportType, FIELDS, STANDARD } from './fields.ts';
import { readJsonFilter } from './filter-json.ts';
import { readStringFilter } from './filter-string.ts';
import { activityLayout, CONTRACT_TEXT, PDF_COLUMNS } from './layout.ts';
import type { Options } from './options.ts';
import type { ExportBody } from './schemas.ts';
import { ACTIVITIES } from './shapes.ts';
import type { Site } from './site.ts';

/** What is kept of a request, to be shown again. */
export interface Asked {
  readonly jobName: 'ExtractEvidenceCSV' | 'GenerateExportCSV';
  readonly exportTypes: readonly ExportType[];
  readonly site: number;
  readonly account: number;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface ReadGround {
  /** ISO instant: the end of a range that names none. */
  readonly now: string;
  readonly options: Options;
  readonly site: Site;
}

/** An export as it was asked for, before the site's own keys are known. */
export interface Wanted {
  /** Half-open. */
  readonly window: Ask['window'];
  readonly filter: unknown;
  /** Left out, `-created_time`. */
  readonly sort: string;
  readonly exportTypes: readonly ExportType[];
  /** As it was named, with `custom` empty where every key is to be a column. */
  readonly selection: Selection;
  readonly wantsAllCustom: boolean;
}

/** Their words → ours. Throws `request.invalid` naming the field. */
export function readExport(body: ExportBody, ground: ReadGround): Wanted {
  const exportTypes = readTypes(body.export_types ?? []);
  return {
    window: readRange(body, ground),
    filter: body.filter == null ? undefined : readJsonFilter(body.filter, FIELDS),
    sort: readSort(body.sort ?? '-created_time'),
    exportTypes,
    selection: readSelection(body),
    wantsAllCustom: body.custom_all === true && exportTypes.includes('clickwrap_activities'),
  };
}

/** What the source had to be asked for. */
export interface Found {
  /** The site's own keys, where all are wanted. */
  readonly custom: readonly string[] | null;
  /** Texts of contracts by version, for PDFs. */
  readonly texts: Readonly<Record<string, string>>;
}

export interface JobGround extends Pick<ReadGround, 'options' | 'site'> {
  /** The job's id as clients know it. */
  readonly reference: string;
}

/** The job of an export that is asked for by `body`. */
export function writeAsk(
  { wanted, body, found }: { wanted: Wanted; body: ExportBody; found: Found },
  ground: JobGround,
): CreateAsk {
  const { window, filter, sort, exportTypes, selection } = wanted;
  const { site, account } = ground.site;
  const chosen = orStandard({ ...selection, custom: found.custom ?? selection.custom });
  const ask: Ask = {
    dataset: ACTIVITIES.name,
    window,
    ...(filter === undefined ? {} : { filter }),
    ...outputsOf(columnsOf(chosen, ground.options), { wanted, found, ground }),
    distinct: false,
    order: [sort],
    ...filesOf(ground),
  };
  const request: Asked = { jobName: 'ExtractEvidenceCSV', exportTypes, site, account, data: { ...body } };
  return { ...jobOf(ground), ask, request };
}

/** CSV has the columns that were chosen, documents show all of an activity. */
function outputsOf(
  chosen: readonly AskedColumn[],
  { wanted, found, ground }: { wanted: Wanted; found: Found; ground: JobGround },
): Pick<Ask, 'columns' | 'outputs'> {
  const wants = (type: ExportType) => wanted.exportTypes.includes(type);
  const shown = [...PDF_COLUMNS, { name: CONTRACT_TEXT, column: 'version', texts: found.texts }];
  const csv = wants('clickwrap_activities') ? chosen : [];
  const pdf = wants('clickwrap_activities_as_pdfs') ? shown : [];
  const pdfOutput = { format: activityLayout(), compression: { type: 'none' } } as const;
  return {
    columns: [...csv, ...pdf.filter((column) => typeof column !== 'string' || !csv.includes(column))],
    outputs: [
      ...(csv.length > 0 ? [{ ...csvOutput(ground.options), columns: csv.map(nameOf) }] : []),
      ...(pdf.length > 0 ? [{ ...pdfOutput, columns: pdf.map(nameOf) }] : []),
    ],
  };
}

function nameOf(column: AskedColumn): string {
  return typeof column === 'string' ? column : column.name;
}

export interface TaskQuery {
  readonly filter?: string | undefined;
  readonly fields?: string | undefined;
}

/** The older export: every row that matches, newest first. Throws `request.invalid`. */
export function readTask({ filter = '', fields }: TaskQuery, ground: JobGround): CreateAsk {
  const { site, account } = ground.site;
  const ask: Ask = {
    dataset: ACTIVITIES.name,
    window: {},
    filter: readStringFilter(filter, FIELDS),
    columns: columnsOf(readFields(fields), ground.options),
    distinct: false,
    order: ['-created_time'],
    outputs: [csvOutput(ground.options)],
    ...filesOf(ground),
  };
  const data = { exportName: 'activity', exportType: 'csv', sendTo: null, filter, fields: fields ?? '' };
  const request: Asked = {
    jobName: 'GenerateExportCSV',
    exportTypes: ['clickwrap_activities'],
    site,
    account,
    data,
  };
  return { ...jobOf(ground), ask, request };
}

function jobOf({ reference, site }: JobGround) {
  return { dialect: 'ironclad', tenant: site.tenant, idempotency: null, reference };
}

function filesOf({ reference, options }: JobGround) {
  return {
    destinations: [{ type: 'download' }],
    fileStem: `clickwrap_activities-${reference}`,
    fileLifeMs: options.fileLife,
  } as const;
}

/** An empty cell is no value, empty text is two quotes. */
function csvOutput({ rowsPerFile, formulaGuard }: Options): Ask['outputs'][number] {
  return {
    format: {
      type: 'csv',
      delimiter: ',',
      header: true,
      lineEnd: 'lf',
      bom: false,
      formulaGuard,
      decimalComma: false,
      instants: '%Y-%m-%dT%H:%M:%S.%gZ',
      nullText: '',
    },
    compression: { type: 'none' },
    split: { rows: rowsPerFile },
  };
}

function readTypes(types: readonly string[]): readonly ExportType[] {
  const at = types.findIndex((type) => !isExportType(type));
  if (at >= 0) throw refuse(`/export_types/${at}`, `Allowed are ${EXPORT_TYPES.join(', ')}.`);
  if (types.length === 0) return ['clickwrap_activities'];
  return EXPORT_TYPES.filter((known) => types.includes(known));
}

function isExportType(type: string): type is ExportType {
  const known: readonly string[] = EXPORT_TYPES;
  return known.includes(type);
}

function readSort(sort: string): string {
  if (STANDARD.includes(sort.replace(/^-/, ''))) return sort;
  throw refuse('/sort', `Allowed are ${STANDARD.join(', ')}, with - before one for descending.`);
}

function readSelection(body: ExportBody): Selection {
  const { select } = body;
  const named = (group: keyof Selection) => readNames(group, select?.[group] ?? [], `/select/${group}`);
  return {
    standard: body.standard_all ? STANDARD : named('standard'),
    connection: body.connection_all ? CONNECTION : named('connection'),
    custom: body.custom_all ? [] : named('custom'),
    render: named('render'),
  };
}

/** Without any column, all standard ones: none was chosen, or no row has a custom field. */
function orStandard(chosen: Selection): Selection {
  const isNothing = [chosen.standard, ...DATA_GROUPS.map((group) => chosen[group])].every(({ length }) => length === 0);
  return isNothing ? { ...chosen, standard: STANDARD } : chosen;
}

const DAY_MS = 86_400_000;
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** The closed range, to the millisecond, as half-open. A midnight that is both ends means its whole day. */
function readRange(body: ExportBody, { now, site }: ReadGround): Ask['window'] {
  const start = readMoment(body.start_date, '/start_date');
  const end = body.end_date == null ? Date.parse(now) : readMoment(body.end_date, '/end_date');
  const [first, last] = [start, end].map((ms) => new Date(ms).toISOString()) as [string, string];
  if (end < start)
    throw refuse(
      body.end_date == null ? '/start_date' : '/end_date',
      body.end_date == null
        ? `It lies after now, ${last}, which end_date is when it is left out; allowed is a moment that does not.`
        : `It lies before start_date, ${first}; allowed is that moment or a later one.`,
    );
  if (end - start > site.maxDays * DAY_MS)
    throw refuse(
      body.end_date == null ? '/start_date' : '/end_date',
      `The range has ${Math.ceil((end - start) / DAY_MS)} days; allowed are ${site.maxDays} for this site: with this start_date, an end_date up to ${later(first, site.maxDays * DAY_MS)}.`,
    );
  const isDay = start === end && start % DAY_MS === 0;
  const beyond = end + (isDay ? DAY_MS : 1);
  // Beyond the last instant there is nothing, so that side is open.
  return { start: first, ...(beyond > LAST_MS ? {} : { end: new Date(beyond).toISOString() }), clamp: true };
}

/** Milliseconds since 1970, cut. A date alone is no date-time. */
function readMoment(text: string, pointer: string): number {
  const instant = /t/i.test(text) ? instantOf(text) : null;
  if (instant === null)
    throw refuse(
      pointer,
      'Allowed is an ISO 8601 date and time that there is, with a zone, as 2022-10-06T00:00:00.000Z or 2022-10-06T02:00:00+02:00.',
    );
  return Date.parse(`${instant.slice(0, 23)}Z`);
}

/** Null for what is none. */
function instantOf(text: string): string | null {
  try {
    return parseInstant(text, '');
  } catch (error) {
    if (error instanceof Fault) return null;
    throw error;
  }
}
