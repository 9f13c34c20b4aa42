import type { ShapeColumn } from '../../dataset/shape.ts';
import { type FilterFields, fieldsOf } from './filter-fields.ts';

const column = (name: string, type: string, description?: string): ShapeColumn => ({
  name,
  type,
  ...(description === undefined ? {} : { description }),
});

/** Columns of an activity that are exported under their own names, in the order that all of them are printed in. */
const STANDARD_COLUMNS: readonly ShapeColumn[] = [
  column('id', 'text', '24 hex digits, different in every row'),
  column('uuid', 'text', '24 hex digits'),
  column('event_type', 'text', 'agreed, disagreed, displayed, visited, updated, sent, …'),
  column('signer_id', 'text', 'Whatever the site calls its signer, often an e-mail address'),
  column('contract', 'int64', 'Id of the contract'),
  column('contract_title', 'text'),
  column('version', 'text', 'Id of the version of the contract, 24 hex digits'),
  column('version_number', 'int64', 'Counted from 1 for each contract'),
  column('group', 'int64', 'Id of the group the contract was shown in'),
  column('group_key', 'text', 'What the site calls the group'),
  column('batch', 'text', 'The same in all rows of one acceptance: milliseconds since 1970'),
  column('session', 'text', 'The same in all rows of one visit'),
  column('site', 'int64'),
  column('account', 'int64'),
  column('created_time', 'instant(ms)', 'When it was recorded'),
  column('event_time', 'instant(ms)', "When it happened by the signer's clock"),
  column('execution_method', 'text', 'click_to_accept, clickthrough, manual_acceptance, esignature'),
];

/** Groups of an activity that are JSON objects. */
export const DATA_GROUPS = ['connection', 'custom', 'render'] as const;

export type DataGroup = (typeof DATA_GROUPS)[number];

/** The column a group stands in; its exported names begin with it. */
export function dataColumn(group: DataGroup): `${DataGroup}_data` {
  return `${group}_data`;
}

export const ACTIVITY_COLUMNS: readonly ShapeColumn[] = [
  ...STANDARD_COLUMNS,
  column('connection_data', 'json', 'How the signer was connected: page_url, remote_address, user_agent, …'),
  column('custom_data', 'json', "Keys of the site's own"),
  column('render_data', 'json', 'What was put into the text of the contract'),
];

export const STANDARD: readonly string[] = STANDARD_COLUMNS.map(({ name }) => name);

/** Names inside connection_data, in the order that all of them are printed in. */
export const CONNECTION = [
  ...['page_title', 'page_url', 'page_domain', 'page_path', 'page_query', 'hostname', 'referrer'],
  ...['browser_timezone', 'browser_locale', 'user_agent', 'device_fingerprint', 'operating_system', 'environment'],
  ...['screen_color_depth', 'screen_resolution', 'cookies', 'remote_address'],
] as const;

/** What filters may name. */
export const FIELDS: FilterFields = fieldsOf(ACTIVITY_COLUMNS);

export const EXPORT_TYPES = ['clickwrap_activities', 'clickwrap_activities_as_pdfs'] as const;

export type ExportType = (typeof EXPORT_TYPES)[number];
