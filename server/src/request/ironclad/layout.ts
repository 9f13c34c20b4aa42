import type { PdfLayout } from '../desk.ts';
import type { Row } from './activities.ts';
import { ACTIVITY_COLUMNS, DATA_GROUPS, type DataGroup, dataColumn } from './fields.ts';

type Section = PdfLayout['sections'][number];
type Field = NonNullable<Section['fields']>[number];

/** The column of the contract's text, which no activity has of its own. */
export const CONTRACT_TEXT = 'contract_text';

const PDF_TITLE = 'Clickwrap evidence';

interface Place {
  readonly column: string;
  readonly path?: string[];
}

/** Where a column of an activity is found in a record. */
type PlaceOf = (column: string, ...inside: string[]) => Place;

const inRow: PlaceOf = (column, ...inside) => ({ column, ...(inside.length === 0 ? {} : { path: inside }) });

/** The document of one activity, whatever was selected: who agreed to what, when, from where. */
export function activityLayout(): PdfLayout {
  return {
    type: 'pdf',
    name: 'id',
    title: PDF_TITLE,
    subtitle: 'contract_title',
    language: 'en',
    sections: [
      ...factSections(inRow),
      ...DATA_GROUPS.map((group) => ({ title: GROUP_TITLES[group], entries: dataColumn(group) })),
      { title: 'Text of the contract', text: CONTRACT_TEXT },
    ],
  };
}

/** What the documents of a run show beside the contract's text. */
export const PDF_COLUMNS: readonly string[] = ACTIVITY_COLUMNS.map(({ name }) => name);

/** The document of a session's activities, in their order; `versions` are those with a text. */
export function sessionLayout(rows: readonly Row[], versions: readonly string[]): PdfLayout {
  const sections = rows.flatMap((row, at) => {
    const place: PlaceOf = (column, ...inside) => ({ column: 'activities', path: [String(at), column, ...inside] });
    const own = factSections(place).map((section) => ({ ...section, title: `${at + 1}. ${section.title}` }));
    return [...own, ...DATA_GROUPS.flatMap((group) => dataSection(row, group, { at, place }))];
  });
  const texts = versions.map((version) => ({
    title: textTitle(
      version,
      rows.find((row) => row.version === version),
    ),
    text: `${CONTRACT_TEXT} ${version}`,
  }));
  const title = `${PDF_TITLE}: session`;
  return { type: 'pdf', name: 'name', title, subtitle: 'session', language: 'en', sections: [...sections, ...texts] };
}

/** `Terms of Service, version 3 (d11259bca1149a8adb30ea7b)`, as far as a row says. */
function textTitle(version: string, row: Row | undefined): string {
  const parts = [row?.contract_title, row?.version_number == null ? null : `version ${row.version_number}`];
  const name = parts.filter((part) => part != null && part !== '').join(', ');
  return labelOf(name === '' ? `Text of version ${version}` : `Text of ${name.slice(0, 150)} (${version})`);
}

/** None for a group without names. */
function dataSection(row: Row, group: DataGroup, { at, place }: { at: number; place: PlaceOf }): Section[] {
  const column = dataColumn(group);
  const names = Object.keys(row[column] ?? {});
  if (names.length === 0) return [];
  const fields = names.map((name) => ({ label: labelOf(name), ...place(column, name), as: 'text' as const }));
  return [{ title: `${at + 1}. ${GROUP_TITLES[group]}`, fields }];
}

function labelOf(name: string): string {
  return name.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 200) || '""';
}

const GROUP_TITLES: Readonly<Record<DataGroup, string>> = {
  connection: 'Connection',
  custom: 'Custom data',
  render: 'Data shown in the contract',
};

function factSections(place: PlaceOf): Section[] {
  const zone = place('connection_data', 'browser_timezone');
  const text = (label: string, ...[column, ...inside]: [string, ...string[]]): Field => ({
    label,
    ...place(column, ...inside),
    as: 'text',
  });
  return [
    {
      title: 'Activity',
      fields: [
        text('Signer', 'signer_id'),
        text('What happened', 'event_type'),
        { label: 'Recorded', ...place('created_time'), as: 'instantWithZone', zone },
        { label: "By the signer's clock", ...place('event_time'), as: 'instantWithZone', zone },
        text('From address', 'connection_data', 'remote_address'),
        text('On page', 'connection_data', 'page_url'),
        text('Presented as', 'execution_method'),
      ],
    },
    {
      title: 'Contract',
      fields: [
        text('Title', 'contract_title'),
        text('Contract', 'contract'),
        text('Version', 'version_number'),
        text('Id of the version', 'version'),
        text('Group', 'group'),
        text('Key of the group', 'group_key'),
      ],
    },
    {
      title: 'Identifiers',
      fields: ['id', 'uuid', 'batch', 'session', 'site', 'account'].map((name) => text(name, name)),
    },
  ];
}
