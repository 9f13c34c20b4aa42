import type { Shape, ShapeColumn } from '../../dataset/shape.ts';

const text = (name: string, description: string): ShapeColumn => ({ name, type: 'text', description });
const instant = (name: string, description: string): ShapeColumn => ({ name, type: 'instant', description });
const flag = (name: string, description: string): ShapeColumn => ({ name, type: 'bool', description });

const IDS = [
  text('install_id', 'Of the installation'),
  text('custom_id', 'What the customer calls the user; empty when unknown'),
  text('advertising_id', "The device's advertising id; empty when unknown"),
];

const EVENT = [instant('event_date', 'UTC'), text('event_type', 'As it is printed: push_opened, not push_open')];

const EVENT_ID = text('event_id', 'Different in every row; never printed');
const CAMPAIGN = text('campaign', 'Token of its campaign');

const dated = (name: string, columns: readonly ShapeColumn[]): Shape => ({
  name,
  columns: [EVENT_ID, ...columns],
  key: ['event_id'],
  time: 'event_date',
});

/** What this dialect asks for. Rows belong to apps: tenancy is a column beside these. */
export const shapes: readonly Shape[] = [
  dated('batch.push', [CAMPAIGN, ...IDS, ...EVENT]),
  dated('batch.transactional', [
    text('group_id', 'Of the transactional group'),
    ...IDS,
    ...EVENT,
    text('transactional_token', 'Of the call that sent it; opaque'),
  ]),
  dated('batch.inapp', [
    CAMPAIGN,
    ...IDS,
    ...EVENT,
    text('cta', 'What was tapped; empty unless inapp_clicked'),
    { name: 'cta_position', type: 'int32', description: 'Counted from 0; empty unless inapp_clicked' },
  ]),
  dated('batch.reachability', [
    ...IDS,
    ...EVENT,
    flag('is_reachable', 'It has a push token'),
    flag('is_optin', 'Notifications are enabled'),
    flag('has_custom_id', 'It is linked to a user'),
  ]),
  {
    name: 'batch.installs',
    columns: [
      ...IDS,
      flag('is_optin_push', 'Notifications are enabled'),
      instant('install_date', 'UTC'),
      instant('last_start_date', 'UTC'),
      text('smart_segment', 'New, Engaged, Dormant, One-time, Imported'),
    ],
    key: ['install_id'],
    time: null,
  },
  {
    name: 'batch.targets',
    columns: [text('kind', 'push, transactional or inapp'), text('token', 'Campaign token or group id')],
    key: ['kind', 'token'],
    time: null,
  },
];
