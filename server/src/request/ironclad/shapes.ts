import type { Shape } from '../../dataset/shape.ts';
import { ACTIVITY_COLUMNS } from './fields.ts';

export const ACTIVITIES: Shape = {
  name: 'ironclad.activities',
  columns: ACTIVITY_COLUMNS,
  key: ['id'],
  time: 'created_time',
};

export const VERSIONS: Shape = {
  name: 'ironclad.contract_versions',
  columns: [
    { name: 'version', type: 'text', description: 'Id of the version' },
    { name: 'contract', type: 'int64' },
    { name: 'version_number', type: 'int64' },
    { name: 'title', type: 'text' },
    { name: 'text', type: 'text', description: 'What was agreed to; empty where it is not kept' },
  ],
  key: ['version'],
  time: null,
};

export const SITES: Shape = {
  name: 'ironclad.sites',
  columns: [
    { name: 'site', type: 'int64' },
    { name: 'account', type: 'int64', description: 'Whose site it is' },
    { name: 'name', type: 'text' },
    { name: 'max_days', type: 'int64', description: 'Longest range of an export; empty for the setting' },
  ],
  key: ['site'],
  time: null,
};

/** What this dialect asks for. A tenant is a site: tenancy is a column beside these. */
export const shapes: readonly Shape[] = [ACTIVITIES, VERSIONS, SITES];
