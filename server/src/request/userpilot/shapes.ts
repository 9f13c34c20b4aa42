import type { Shape, ShapeColumn } from '../../dataset/shape.ts';

/** The kinds of rows there are; `session_start` came with the newer version of the format. */
export const EVENT_TYPES = [
  'identify_user',
  'identify_company',
  'interaction',
  'track',
  'track_feature',
  'page_view',
  'session_start',
] as const;

/** Exported columns, in the order they are exported in. */
const printed = columns({
  app_token: 'text',
  event_type: 'text',
  event_name: 'text',
  user_id: 'text',
  company_id: 'text',
  source: 'text',
  inserted_at: 'instant',
  internal_event_id: 'text',
  hostname: 'text',
  pathname: 'text',
  screen_width: 'int32',
  screen_height: 'int32',
  device_type: 'text',
  user_agent: 'text',
  operating_system: 'text',
  browser: 'text',
  browser_language: 'text',
  session: 'text',
  country_code: 'text',
  metadata: 'json',
});

export const EVENT_COLUMNS: readonly string[] = printed.map(({ name }) => name);

export const EVENTS: Shape = {
  name: 'userpilot.events',
  columns: [...printed, ...columns({ segment_ids: 'list(int64)' })],
  key: ['internal_event_id'],
  time: 'inserted_at',
};

const PROPERTY = {
  id: 'int64',
  type: 'text',
  key: 'text',
  display_name: 'text',
  data_type: 'text',
  is_auto_property: 'bool',
};
const KEYED = { display_name: 'text', key: 'text', data_type: 'text' };
const TITLED = { id: 'int64', title: 'text' };

/** Lookups answered as one list. */
export const LISTED: readonly Shape[] = [
  lookup('user_properties', PROPERTY),
  lookup('company_properties', PROPERTY),
  lookup('features_events', KEYED),
  lookup('resource_center_modules', KEYED),
  lookup('checklists', KEYED),
  lookup('flows', TITLED),
  lookup('banners', TITLED),
  lookup('spotlights', TITLED),
  lookup('embeds', { ...TITLED, type: 'text' }),
  lookup('surveys', { ...TITLED, platform: 'text', modules: 'json' }),
];

export const SEGMENTS = lookup('segments', {
  ...TITLED,
  usage: 'int64',
  category: 'text',
  is_hidden: 'bool',
  is_protected: 'bool',
  status: 'text',
});

/** Lookups answered page by page; their key is `id`. */
export const PAGED: readonly Shape[] = [
  SEGMENTS,
  lookup('events_properties', {
    id: 'int64',
    key: 'text',
    display_name: 'text',
    is_auto_property: 'bool',
    is_mobile_auto_property: 'bool',
    data_type: 'text',
    category: 'text',
    description: 'text',
    is_archived: 'bool',
    event: 'json',
    inserted_at: 'instant',
    last_seen: 'instant',
  }),
];

/** What a lookup is called in a path. */
export function lookupName({ name }: Shape): string {
  return name.slice(name.indexOf('.') + 1);
}

function lookup(name: string, types: Readonly<Record<string, string>>): Shape {
  return { name: `userpilot.${name}`, columns: columns(types), key: ['id' in types ? 'id' : 'key'], time: null };
}

function columns(types: Readonly<Record<string, string>>): readonly ShapeColumn[] {
  return Object.entries(types).map(([name, type]) => ({ name, type }));
}
