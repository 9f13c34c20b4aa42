/** Ids that may be asked for, in the order they are printed. */
export const IDS = ['install_id', 'custom_id', 'advertising_id'] as const;

const PUSH_EVENTS = ['push_sent', 'push_open', 'push_opened', 'push_error'] as const;
const INAPP_EVENTS = ['inapp_shown', 'inapp_clicked', 'inapp_closed'] as const;

/** What an export is about, where it is about one campaign or group. */
interface TargetOfKind {
  /** As `batch.targets` has it. */
  readonly kind: 'push' | 'transactional' | 'inapp';
  /** In messages. */
  readonly called: string;
  /** The column that holds its token. */
  readonly column: 'campaign' | 'group_id';
  /** What may be asked for; the vendor's own spelling of output is taken, too. */
  readonly events: readonly [string, ...string[]];
}

/** One of the vendor's exports. */
export interface Kind {
  /** Its operation in OpenAPI, and what its files are called. */
  readonly name: string;
  readonly summary: string;
  /** Below `/export`. */
  readonly path: string;
  readonly dataset: string;
  readonly target: TargetOfKind | null;
  /** What is printed behind the ids. */
  readonly columns: readonly string[];
  /** Rows that print alike are one. */
  readonly distinct: boolean;
  /** Whether rows lie on a time that is asked for. */
  readonly dated: boolean;
}

const push: TargetOfKind = { kind: 'push', called: 'push campaign', column: 'campaign', events: PUSH_EVENTS };
const transactional: TargetOfKind = {
  kind: 'transactional',
  called: 'transactional group',
  column: 'group_id',
  events: PUSH_EVENTS,
};
const inapp: TargetOfKind = { kind: 'inapp', called: 'in-app campaign', column: 'campaign', events: INAPP_EVENTS };

type Event = Pick<Kind, 'name' | 'summary' | 'path' | 'dataset' | 'target'>;

const idsOf = (event: Event): Kind => ({ ...event, columns: ['event_type'], distinct: true, dated: true });

const eventsOf = (event: Event, details: readonly string[] = []): Kind => ({
  ...event,
  columns: ['event_date', 'event_type', ...details],
  distinct: false,
  dated: true,
});

export const KINDS: readonly Kind[] = [
  idsOf({
    name: 'push-ids',
    summary: 'Who had events of a push campaign',
    path: '/campaign/:token/ids',
    dataset: 'batch.push',
    target: push,
  }),
  eventsOf({
    name: 'push-events',
    summary: 'Events of a push campaign',
    path: '/campaign/:token/events',
    dataset: 'batch.push',
    target: push,
  }),
  idsOf({
    name: 'transactional-ids',
    summary: 'Who had events of a transactional group',
    path: '/transactional/:token/ids',
    dataset: 'batch.transactional',
    target: transactional,
  }),
  eventsOf(
    {
      name: 'transactional-events',
      summary: 'Events of a transactional group',
      path: '/transactional/:token/events',
      dataset: 'batch.transactional',
      target: transactional,
    },
    ['transactional_token'],
  ),
  idsOf({
    name: 'inapp-ids',
    summary: 'Who had events of an in-app campaign',
    path: '/in-app-campaign/:token/ids',
    dataset: 'batch.inapp',
    target: inapp,
  }),
  eventsOf(
    {
      name: 'inapp-events',
      summary: 'Events of an in-app campaign',
      path: '/in-app-campaign/:token/events',
      dataset: 'batch.inapp',
      target: inapp,
    },
    ['cta', 'cta_position'],
  ),
  eventsOf(
    {
      name: 'reachability-events',
      summary: 'Changes of reachability',
      path: '/reachability/events',
      dataset: 'batch.reachability',
      target: null,
    },
    ['is_reachable', 'is_optin', 'has_custom_id'],
  ),
  {
    name: 'userbase',
    summary: 'Every installation as it is now',
    path: '/userbase',
    dataset: 'batch.installs',
    target: null,
    columns: ['is_optin_push', 'install_date', 'last_start_date', 'smart_segment'],
    distinct: false,
    dated: false,
  },
];
