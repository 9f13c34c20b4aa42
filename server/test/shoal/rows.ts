/** Rows of the ground, made by plain arithmetic: what exports hold is computed from them anew. */
export interface Organization {
  readonly id: number;
  readonly label: string;
  readonly type: string;
  readonly aliases: readonly string[];
}

export interface ShoalEvent {
  readonly id: number;
  readonly surface: 'radar' | 'signal';
  readonly title: string;
  readonly eventCategory: string | null;
  readonly eventSubcategory: string | null;
  readonly summary: string | null;
  readonly bullets: readonly string[];
  readonly owners: readonly Organization[];
  readonly participants: readonly Organization[];
  readonly latestEvidenceTimestamp: string;
  readonly significance: number;
  readonly evidence: readonly object[];
}

export interface TimelineRow extends ShoalEvent {
  readonly organizationId: number;
}

const TEXTS = ['plain', 'a, "quoted"\nline', '=1+1', 'emoji 🚀', 'עברית', '日本語', ''];
const CATEGORIES = ['partnership', 'regulation_legal', 'market_update', 'security_incident', 'funding', null];

/** In no order of their own. */
export const ORGANIZATIONS: readonly Organization[] = [7, 2, 5, 1, 3, 6, 4].map((id) => ({
  id,
  label: `Org ${id}, "${TEXTS[id % TEXTS.length]}"`,
  type: id % 2 ? 'project' : 'company',
  aliases: id === 3 ? [] : [`alias ${id}`, TEXTS[(id + 1) % TEXTS.length] ?? ''],
}));

export const SINCE = '2026-04-01T00:00:00.000Z';
export const UNTIL = '2026-04-10T00:00:00.000Z';

const HOUR_MS = 3_600_000;

/** One each hour from two days before the window to two days after; every fifth shares its moment with the one before. */
export const EVENTS: readonly ShoalEvent[] = Array.from({ length: 13 * 24 }, (_, at) => {
  const ms = Date.parse(SINCE) + (at - 48 - (at % 5 === 2 ? 1 : 0)) * HOUR_MS;
  const moment = new Date(at % 7 === 3 ? ms + 123 : ms).toISOString();
  const id = 1 + ((at * 7919) % 10_007);
  return {
    // Ids of the surfaces overlap.
    id: at % 4 === 1 ? id : id + 3,
    surface: at % 3 === 0 ? 'signal' : 'radar',
    title: `${TEXTS[at % TEXTS.length]} ${at}`,
    eventCategory: CATEGORIES[at % CATEGORIES.length] ?? null,
    eventSubcategory: at % 4 === 0 ? null : (TEXTS[at % TEXTS.length] ?? null),
    summary: TEXTS[(at * 3) % TEXTS.length] ?? null,
    bullets: TEXTS.slice(0, at % 4),
    owners: ORGANIZATIONS.filter((each) => each.id === 1 + (at % 7)),
    participants: ORGANIZATIONS.filter((each) => each.id === 1 + ((at + 2) % 7) && at % 2 === 0),
    latestEvidenceTimestamp: moment,
    significance: Math.round(101 + ((at * 37) % 1400)) / 100,
    evidence: [{ id: at * 10, content: TEXTS[at % TEXTS.length], url: `https://x.example/${at}`, timestamp: moment }],
  };
});

export const TIMELINE: readonly TimelineRow[] = EVENTS.flatMap((event) =>
  [...event.owners, ...event.participants].map(({ id }) => ({ ...event, organizationId: id })),
);

/** What a request is to give, in its order. */
export function expectedEvents(
  rows: readonly (ShoalEvent & { readonly organizationId?: number })[],
  wanted: (row: ShoalEvent & { readonly organizationId?: number }) => boolean,
) {
  const isWithin = ({ latestEvidenceTimestamp: at }: ShoalEvent) => at >= SINCE && at < UNTIL;
  return rows
    .filter((row) => isWithin(row) && wanted(row))
    .toSorted(
      (a, b) =>
        b.latestEvidenceTimestamp.localeCompare(a.latestEvidenceTimestamp) ||
        b.id - a.id ||
        (a.organizationId ?? 0) - (b.organizationId ?? 0) ||
        a.surface.localeCompare(b.surface),
    );
}
