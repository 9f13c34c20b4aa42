import { refuse } from '../../base/errors.ts';
import type { Row } from './activities.ts';
import type { Selection } from './columns.ts';
import { ACTIVITY_COLUMNS, DATA_GROUPS, dataColumn } from './fields.ts';
import type { ActivityAnswer } from './schemas.ts';
import type { Site } from './site.ts';

/** How activities are shown. */
export interface View {
  readonly expand: readonly Expandable[];
  /** What is shown of an activity; null for all. */
  readonly selection: Selection | null;
}

/** References that can be shown as objects, two levels deep. */
const EXPANDABLE = ['account', 'contract', 'group', 'site', 'site.account', 'version', 'version.contract'] as const;

type Expandable = (typeof EXPANDABLE)[number];

/** Reads a list of references with commas between; `lean` shows ids whatever is asked for. */
export function readExpand(text: string | undefined, lean: boolean): readonly Expandable[] {
  const wanted = (text ?? '').split(',').flatMap((each) => each.trim() || []);
  const strange = wanted.find((each) => !EXPANDABLE.some((known) => known === each));
  if (strange !== undefined)
    throw refuse('/expand', `Allowed are ${EXPANDABLE.join(', ')}, with commas between; this is no one of them.`);
  return lean ? [] : EXPANDABLE.filter((known) => wanted.includes(known));
}

/** A row of `ironclad.activities` as clients see it. */
export function writeActivity(row: Row, { expand, selection }: View, site: Site): ActivityAnswer {
  const plain = Object.fromEntries(ACTIVITY_COLUMNS.map(({ name }) => [name, row[name] ?? null]));
  const times = { created_time: millis(row.created_time), event_time: millis(row.event_time) };
  const groups = DATA_GROUPS.map((group) => [dataColumn(group), objectOf(row[dataColumn(group)])]);
  const whole: Row = { ...plain, ...times, ...Object.fromEntries(groups), ...expanded(row, expand, site) };
  return (selection ? chosen(whole, selection) : whole) as ActivityAnswer;
}

/** References as objects, those that hold one another with an id or the object inside. */
function expanded(row: Row, expand: readonly Expandable[], { name }: Site): Row {
  const of = (column: string) => row[column] ?? null;
  const account = { id: of('account') };
  const contract = { id: of('contract'), title: of('contract_title') };
  const version = { id: of('version'), version_number: of('version_number'), contract: contract.id };
  const site = { id: of('site'), name, account: account.id };
  const objects: Readonly<Record<Expandable, Row>> = {
    account: { account },
    contract: { contract },
    group: { group: { id: of('group'), key: of('group_key') } },
    site: { site },
    'site.account': { site: { ...site, account } },
    version: { version },
    'version.contract': { version: { ...version, contract } },
  };
  return Object.assign({}, ...expand.map((reference) => objects[reference]));
}

/** What was asked for, and of each group of data only those names. */
function chosen(whole: Row, selection: Selection): Row {
  const standard = selection.standard.map((name) => [name, whole[name]]);
  const groups = DATA_GROUPS.flatMap((group) => {
    const data = whole[dataColumn(group)] as Row;
    const names = selection[group].filter((name) => Object.hasOwn(data, name));
    if (selection[group].length === 0) return [];
    return [[dataColumn(group), Object.fromEntries(names.map((name) => [name, data[name]]))]];
  });
  return Object.fromEntries([...standard, ...groups]);
}

function objectOf(value: unknown): Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Row) : {};
}

/** `2022-10-06T00:00:00.000000Z` with milliseconds. */
function millis(instant: unknown): string | null {
  return typeof instant === 'string' ? `${instant.slice(0, 23)}Z` : null;
}
