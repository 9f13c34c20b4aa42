import type { Shape, ShapeColumn } from '../../dataset/shape.ts';

const EVENT: readonly ShapeColumn[] = [
  { name: 'id', type: 'int64', description: 'Unique within its surface' },
  { name: 'surface', type: 'text', description: 'radar or signal' },
  { name: 'title', type: 'text' },
  { name: 'eventCategory', type: 'text' },
  { name: 'eventSubcategory', type: 'text' },
  { name: 'summary', type: 'text' },
  { name: 'bullets', type: 'json', description: 'List of texts' },
  { name: 'owners', type: 'json', description: 'List of organizations: id, label, type, aliases' },
  { name: 'participants', type: 'json', description: 'List of organizations, as owners' },
  { name: 'latestEvidenceTimestamp', type: 'instant(ms)', description: 'What since and until are held against' },
  { name: 'significance', type: 'float64' },
  { name: 'evidence', type: 'json', description: 'List of id, content, url, timestamp' },
];

/** Radar and signal events together. */
const events: Shape = {
  name: 'shoal.events',
  columns: EVENT,
  key: ['surface', 'id'],
  time: 'latestEvidenceTimestamp',
};

/** One row for each event and organization it belongs to. */
const timeline: Shape = {
  name: 'shoal.timeline',
  columns: [...EVENT, { name: 'organizationId', type: 'int64' }],
  key: ['organizationId', 'surface', 'id'],
  time: 'latestEvidenceTimestamp',
};

const organizations: Shape = {
  name: 'shoal.organizations',
  columns: [
    { name: 'id', type: 'int64' },
    { name: 'label', type: 'text' },
    { name: 'type', type: 'text' },
    { name: 'aliases', type: 'json', description: 'List of texts' },
  ],
  key: ['id'],
  time: null,
};

export const shapes: readonly Shape[] = [events, timeline, organizations];
