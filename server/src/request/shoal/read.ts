import { refuse } from '../../base/errors.ts';
import { parseInstant } from '../../column/parse-instant.ts';
import { type Ask, downloadOf } from '../../job/ask.ts';
import type { CreateAsk } from '../desk.ts';
import type { ShoalOptions } from './options.ts';
import type { CreateBody, ExportJob } from './schemas.ts';

/** A request as it is kept and shown again, with all that was left out. */
export type Requested = Pick<ExportJob, 'scope' | 'format' | 'requestedParams' | 'note'>;

export interface ReadGround {
  /** ISO instant. */
  readonly now: string;
  /** What the job will be known by. */
  readonly id: string;
  readonly options: ShoalOptions;
}

/** Their words → ours. Throws `request.invalid`. */
export function readCreate(body: CreateBody, ground: ReadGround): CreateAsk {
  const request = readRequest(body, ground);
  return {
    dialect: 'shoal',
    tenant: undefined,
    ask: askOf(request, ground),
    request,
    idempotency: null,
    reference: ground.id,
  };
}

function readRequest(body: CreateBody, { now, options }: ReadGround): Requested {
  const { scope, format, category = null, note = null, includeEvidence } = body;
  const since = readInstant(body.since, '/since');
  const until = readInstant(body.until, '/until');
  if (since === null && scope !== 'organizations.registry') throw refuse('/since', `It is required for ${scope}.`);
  if (since !== null && since >= (until ?? now)) throw outOfOrder(until, now);
  const organizationIds = [...new Set(body.organizationIds)];
  if (organizationIds.length === 0 && scope === 'timeline.by-organization')
    throw refuse('/organizationIds', `It is required for ${scope}, with at least one id.`);
  if (organizationIds.length > options.maxOrganizations)
    throw refuse(
      '/organizationIds',
      `Allowed are ${options.maxOrganizations} ids; these are ${organizationIds.length}.`,
    );
  return {
    scope,
    format,
    requestedParams: {
      since,
      until,
      category,
      includeEvidence: includeEvidence ?? options.includeEvidence,
      organizationIds,
    },
    note,
  };
}

/** UTC with milliseconds, as it is shown again; what is finer is cut off. */
function readInstant(text: string | null | undefined, pointer: string): string | null {
  return text === null || text === undefined ? null : new Date(parseInstant(text, pointer)).toISOString();
}

function outOfOrder(until: string | null, now: string) {
  if (until !== null) return refuse('/until', 'It must be later than since.');
  return refuse('/since', `Without until it must lie before now, which is ${now}.`);
}

const EVENT = [
  ...['id', 'surface', 'title', 'eventCategory', 'eventSubcategory', 'summary', 'bullets', 'owners'],
  ...['participants', 'latestEvidenceTimestamp', 'significance'],
];

const DATASETS = {
  'organizations.registry': 'shoal.organizations',
  'radar.history': 'shoal.events',
  'signal.history': 'shoal.events',
  'replay.global': 'shoal.events',
  'timeline.by-organization': 'shoal.timeline',
} satisfies Record<Requested['scope'], string>;

function askOf(request: Requested, { now, id, options }: ReadGround): Ask {
  const { scope, requestedParams } = request;
  const { since, until } = requestedParams;
  const of =
    scope === 'organizations.registry'
      ? { window: {}, columns: ['id', 'label', 'type', 'aliases'], order: ['id'] }
      : {
          window: { ...(since === null ? {} : { start: since }), end: until ?? now },
          filter: filterOf(request),
          columns: columnsOf(request),
          order: ['-latestEvidenceTimestamp', '-id'],
        };
  return {
    ...of,
    dataset: DATASETS[scope],
    ...downloadOf(FORMAT_OPTIONS[request.format]),
    fileStem: `${scope}-${id}`,
    fileLifeMs: options.fileLife,
  };
}

function columnsOf({ scope, requestedParams }: Requested): string[] {
  return [
    ...EVENT,
    ...(requestedParams.includeEvidence ? ['evidence'] : []),
    ...(scope === 'timeline.by-organization' ? ['organizationId'] : []),
  ];
}

const SURFACES: Readonly<Partial<Record<Requested['scope'], string>>> = {
  'radar.history': 'radar',
  'signal.history': 'signal',
};

function filterOf({ scope, requestedParams: { category, organizationIds } }: Requested): object {
  const surface = SURFACES[scope];
  return {
    ...(surface === undefined ? {} : { surface: { eq: surface } }),
    ...(category === null ? {} : { eventCategory: { eq: category } }),
    ...(scope === 'timeline.by-organization' ? { organizationId: { in: organizationIds } } : {}),
  };
}

const INSTANTS = '%Y-%m-%dT%H:%M:%S.%gZ';

const FORMAT_OPTIONS = {
  jsonl: { type: 'jsonl', instants: INSTANTS },
  csv: { type: 'csv', instants: INSTANTS, nullText: '' },
  parquet: { type: 'parquet', nested: 'text' },
} as const satisfies Record<Requested['format'], unknown>;

/** What a page of the list is. */
export interface Page {
  readonly limit: number;
  readonly offset: number;
}

const MAX_LIMIT = 20;
const MAX_OFFSET = 100;

/** Clamped; what is no whole number is as if it was not there. */
export function readPage({ limit, offset }: { readonly limit?: unknown; readonly offset?: unknown }): Page {
  return {
    limit: Math.min(MAX_LIMIT, Math.max(1, readWhole(limit) ?? MAX_LIMIT)),
    offset: Math.min(MAX_OFFSET, Math.max(0, readWhole(offset) ?? 0)),
  };
}

function readWhole(text: unknown): number | null {
  return typeof text === 'string' && /^[+-]?\d+$/.test(text) ? Number(text) : null;
}
