/** What a flood of creates asks of each vendor's API, and what it may be answered. */

export interface FloodOrder {
  readonly folder: string;
  /** At the vendors' own rate limits; else Shoal's and Ironclad's are raised out of the way. */
  readonly isLimited: boolean;
}

export interface Vendor {
  readonly name: string;
  /** The documented success and, where there is one, conflict. */
  readonly success: number;
  readonly conflict: number | null;
  /** Its accounts are called by numbers. */
  readonly isNumbered?: true;
  ask(tenant: string, key: string, at: number): Create;
  /** The id of what was accepted. */
  idOf(body: { data?: { id?: unknown }; job_id?: unknown; requestId?: unknown; id?: unknown }): unknown;
}

export interface Create {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export const ACCOUNTS = 10;
/** Runs of an account that may wait: fewer than it asks for, so that full queues are met. */
export const QUEUED = 1500;

const JSON_BODY = { 'content-type': 'application/json' };

export const VENDORS: readonly Vendor[] = [
  {
    name: 'shoal',
    success: 201,
    conflict: null,
    ask: (_tenant, key) => ({
      path: '/shoal/v1/export/jobs',
      headers: { ...JSON_BODY, authorization: `Bearer ${key}` },
      body: JSON.stringify({
        scope: 'replay.global',
        format: 'jsonl',
        since: '2026-04-01T00:00:00Z',
        until: '2026-04-10T00:00:00Z',
        includeEvidence: true,
        note: 'Internal warehouse backfill for April incident review',
      }),
    }),
    idOf: ({ data }) => data?.id,
  },
  {
    name: 'userpilot',
    success: 201,
    conflict: 409,
    ask: (_tenant, key) => ({
      path: '/userpilot/api/v1/analytics/exports',
      headers: { ...JSON_BODY, authorization: `Token ${key}` },
      body: JSON.stringify({ event_type: ['page_view'], format: 'ndjson' }),
    }),
    idOf: ({ job_id }) => job_id,
  },
  {
    name: 'batch',
    success: 202,
    conflict: 409,
    // One in ten asks what is asked already.
    ask: (tenant, key, at) => ({
      path: `/batch/1.0/${tenant}/export/campaign/demo-campaign/events`,
      headers: { ...JSON_BODY, 'x-authorization': key },
      body: JSON.stringify({
        from: new Date(Date.UTC(2026, 3, 1) + (at - (at % 10 === 9 ? 1 : 0)) * 1000).toISOString().slice(0, 19),
        to: 'now',
        events: ['push_sent', 'push_open'],
        ids: ['install_id', 'custom_id'],
      }),
    }),
    idOf: ({ requestId }) => requestId,
  },
  {
    name: 'ironclad',
    success: 201,
    conflict: null,
    isNumbered: true,
    // What the vendor's sample asks, but for what a create has to look up in the source first.
    ask: (_tenant, key) => ({
      path: '/ironclad/v1.1/extract/evidence',
      headers: { ...JSON_BODY, authorization: `Bearer ${key}` },
      body: JSON.stringify({
        start_date: '2022-10-06T00:00:00.000Z',
        end_date: '2022-10-06T00:00:00.000Z',
        sort: '-created_time',
        select: { standard: ['uuid', 'created_time', 'batch', 'session', 'event_time', 'contract', 'version'] },
        filter: { contract: { _id: 1 }, and: [{ version_number: { $gt: 1 } }, { version_number: { $lte: 3 } }] },
        connection_all: true,
        export_types: ['clickwrap_activities'],
      }),
    }),
    idOf: ({ id }) => id,
  },
];

export function tenantOf({ name, isNumbered }: Vendor, at: number): string {
  return isNumbered ? String(at + 1) : `${name}-account-${at}`;
}

export function keyOf({ name }: Vendor, at: number): string {
  return `${name}_bench_key_${at}`;
}
