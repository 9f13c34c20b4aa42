import { literal } from '../column/sql.ts';
import type { DemoSlice } from './demo-slice.ts';

/** By the contract's id from 1. */
export const TITLES = ['Terms of Service', 'Privacy Policy, "short"', 'データ処理契約'];

const VERSIONS = 4;

/** A paragraph of each version, beside those of the versions before. */
const PARAGRAPHS = [
  'By accepting you agree to these terms. They apply from the day of acceptance and end when either side ends them in writing with a notice of thirty days.',
  'Με την αποδοχή συμφωνείτε με αυτούς τους όρους. Соглашаясь, вы принимаете эти условия полностью.',
  'بالقبول فإنك توافق على هذه الشروط (الإصدار 3). בקבלה אתם מסכימים לתנאים אלה, גרסה 3.',
  '同意することにより、本規約に同意したものとみなされます。接受即表示您同意这些条款。수락하면 본 약관에 동의하는 것입니다.',
];

/** SQL of the id of a version by its site, contract and number, as columns of those names. */
export function versionId(): string {
  return `left(md5('version ' || site || ' ' || contract || ' ' || version_number), 24)`;
}

/** Every version of every contract on every site; of one there is no text. The first site has days of its own. */
export function contractSlices(sites: number): readonly DemoSlice[] {
  const numbers = (count: number) => Array.from({ length: count }, (_, at) => at + 1);
  const versions = numbers(sites).flatMap((site) =>
    TITLES.flatMap((title, at) =>
      numbers(VERSIONS).map((version) => {
        const text = at === 2 && version === 1 ? null : textOf(title, version);
        return `(${site}::bigint, ${at + 1}::bigint, ${version}::bigint, ${literal(title)}, ${text === null ? 'null' : literal(text)})`;
      }),
    ),
  );
  const named = `(values ${versions.join(', ')}) as versions(site, contract, version_number, title, text)`;
  const rows = numbers(sites).map(
    (site) =>
      `(${site}::bigint, ${900 + site}::bigint, ${literal(NAMES[site - 1] ?? '')}, ${site === 1 ? '365::bigint' : 'null'})`,
  );
  return [
    {
      file: 'ironclad.contract_versions.parquet',
      span: null,
      sql: `select site, ${versionId()} as version, contract, version_number, title, text from ${named}`,
    },
    {
      file: 'ironclad.sites.parquet',
      span: null,
      sql: `select * from (values ${rows.join(', ')}) as sites(site, account, name, max_days)`,
    },
  ];
}

const NAMES = ['Harbour Shop', 'Магазин'];

function textOf(title: string, version: number): string {
  const paragraphs = PARAGRAPHS.slice(0, version).map((paragraph, at) => `${at + 1}. ${paragraph}`);
  return [`${title}, version ${version}`, ...paragraphs].join('\n\n');
}
