import { dirname, join, normalize } from 'node:path/posix';

/** Path below server/src with `/` between folders → source text. */
export type Sources = ReadonlyMap<string, string>;

/** Who may import whom: `run:queries` allows only files of that name, `*` everything. Every folder may import itself. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  column: ['base'],
  db: ['base'],
  source: ['column', 'base'],
  format: ['column', 'base'],
  destination: ['base'],
  tenant: ['db', 'base'],
  dataset: ['column', 'base'],
  job: ['dataset', 'tenant', 'source:options', 'format:options', 'destination:options', 'db', 'base'],
  run: ['job', 'dataset', 'tenant', 'source', 'format', 'destination', 'column', 'db', 'base'],
  read: ['run', 'dataset', 'source', 'format', 'column', 'base'],
  request: ['dataset', 'column', 'job', 'run:run', 'run:queries', 'read', 'tenant', 'base', 'sdk'],
  daemon: ['request', 'read', 'run', 'job', 'tenant', 'db', 'base'],
  cli: ['*'],
};

const KINDS = ['source', 'format', 'destination'];
const IS_TEST = /\.(test|contract|soak)\.ts$/;
// What loads a file that the operator names; everywhere else a computed import would slip past this test.
const MAY_IMPORT_COMPUTED = /^(base\/config[^/]*|cli\/.*)\.ts$/;

/** One line for each import or global that the rules forbid. */
export function violations(sources: Sources, dependencies: readonly string[]): string[] {
  const found = [...sources].flatMap(([file, text]) => {
    const code = withoutComments(text);
    const imports = importsOf(code).flatMap(
      (specifier) => wrongImport({ file, specifier, sources, dependencies }) ?? [],
    );
    return [...imports, ...wrongGlobals(file, code)].map((wrong) => `${file}: ${wrong}`);
  });
  return found.sort();
}

interface Import {
  readonly file: string;
  /** As written; empty for an import whose target is computed. */
  readonly specifier: string;
  readonly sources: Sources;
  readonly dependencies: readonly string[];
}

function wrongImport(asked: Import): string | null {
  const { file, specifier } = asked;
  if (specifier === '') return MAY_IMPORT_COMPUTED.test(file) || IS_TEST.test(file) ? null : 'computed import()';
  if (!specifier.startsWith('.')) return wrongPackage(asked);
  const target = normalize(join(dirname(file), specifier));
  if (target.startsWith('../test/')) return IS_TEST.test(file) ? null : 'only tests may import from server/test';
  if (target.startsWith('..')) return `${specifier} is outside server/src`;
  if (!target.includes('/')) return `nothing may import ${target}`;
  return wrongFolder(file, target) ?? wrongDialect(file, target) ?? wrongComponent(asked, target);
}

function wrongPackage({ file, specifier, dependencies }: Import): string | null {
  if (specifier.startsWith('node:') || IS_TEST.test(file)) return null;
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  if (name === '@drayage/sdk') return allows(folderOf(file), 'sdk', '') ? null : `${folderOf(file)} may not import sdk`;
  return dependencies.includes(name) ? null : `${name} is no dependency of this package`;
}

function wrongFolder(file: string, target: string): string | null {
  const [from, to] = [folderOf(file), folderOf(target)];
  if (from === to || allows(from, to, target)) return null;
  return `${from} may not import ${target}`;
}

/** Files directly in src are the face of the package: they may import every folder. */
function allows(from: string, to: string, target: string): boolean {
  if (from === '') return true;
  const name = target.slice(target.lastIndexOf('/') + 1).replace(/\.ts$/, '');
  return (MAY_IMPORT[from] ?? []).some((entry) => entry === '*' || entry === to || entry === `${to}:${name}`);
}

/** Each subfolder of request is a dialect, known to the list of dialects only. */
function wrongDialect(file: string, target: string): string | null {
  const dialect = dialectOf(target);
  if (dialect === null || dialect === dialectOf(file) || file === 'request/dialects.ts') return null;
  return `only request/dialects.ts may import the dialect ${dialect} (${target})`;
}

function dialectOf(file: string): string | null {
  const [folder, dialect, rest] = file.split('/');
  return folder === 'request' && rest !== undefined ? (dialect ?? null) : null;
}

/** A component is what its kind's list imports: `formats.ts` names csv, so only csv's own files may import it. */
function wrongComponent({ file, sources }: Import, target: string): string | null {
  const kind = folderOf(target);
  const isOption = /\/options\.ts$/.test(target);
  if (!KINDS.includes(kind) || folderOf(file) !== kind || isList(file) || isOption) return null;
  const component = componentOf(target);
  const own = componentOf(file);
  if (component === own || own.startsWith(`${component}-`)) return null;
  return componentsOf(kind, sources).has(component) ? `components do not know each other (${target})` : null;
}

function componentsOf(kind: string, sources: Sources): Set<string> {
  const list = withoutComments(sources.get(`${kind}/${kind}s.ts`) ?? '');
  const values = importsOf(list.replace(/^import type [^;]*;/gm, '')).filter((specifier) => specifier.startsWith('./'));
  const components = values.map((specifier) => componentOf(join(kind, specifier)));
  return new Set(components.filter((name) => name !== kind && name !== 'options'));
}

function isList(file: string): boolean {
  return KINDS.some((kind) => file === `${kind}/${kind}s.ts`);
}

/** `format/csv.ts`, `format/csv.test.ts` and `format/csv/quote.ts` all belong to csv. */
function componentOf(file: string): string {
  return (file.split('/')[1] ?? '').replace(/\..*$/, '');
}

function folderOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : '';
}

const READS_ENVIRONMENT = [
  /\bprocess\??\.env\b/,
  /\bprocess(\?\.)?\[\s*['"`]env\b/,
  /\benv\b[^=;]*\}\s*(=\s*process\b|from\s*['"](node:)?process['"])/,
];
const READS_TIME = [
  /\bDate\.now\b/,
  /\bnew Date(\(\s*\)|\s*[;,)\]}])/,
  /(?<!\bnew )\bDate\(\s*\)/,
  /\bperformance\.now\b/,
  /\bhrtime\b/,
];

/** Where SQL on our own tables may stand. */
const HOLDS_QUERIES = /^db\/|(^|\/|-)queries\.ts$/;
const QUERIES = /\.(selectFrom|insertInto|updateTable|deleteFrom)\(|from 'kysely'/;

function wrongGlobals(file: string, code: string): string[] {
  if (IS_TEST.test(file)) return [];
  const readsEnvironment = file !== 'base/config.ts' && READS_ENVIRONMENT.some((pattern) => pattern.test(code));
  const readsTime = file !== 'base/clock.ts' && READS_TIME.some((pattern) => pattern.test(code));
  return [
    ...(readsEnvironment ? ['only base/config.ts reads process.env'] : []),
    ...(!HOLDS_QUERIES.test(file) && QUERIES.test(code) ? ['only queries files and db hold SQL on our tables'] : []),
    ...(readsTime ? ['only base/clock.ts reads the time'] : []),
  ];
}

// The formatter puts each import statement on lines of its own, so text that only looks like one is not taken for it.
const STATEMENT = /^\s*(?:import|export)\s(?:[\w\s{},*$]*\sfrom\s)?\s*(['"])([^'"\n]+)\1/gm;
const EXPRESSION = /\b(?:import|require)\s*\(\s*(?:(['"`])([^'"`\n$]+)\1\s*[,)])?/g;

/** What a file imports, as written: static, `export … from`, type-only and dynamic; '' for a computed one. */
function importsOf(code: string): string[] {
  return [...code.matchAll(STATEMENT), ...code.matchAll(EXPRESSION)].map((match) => match[2] ?? '');
}

/** Only lines that begin as a comment: code behind `//` in a string or a regular expression is never lost. */
function withoutComments(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(/^\s*(\/\*.*?\*\/\s*)+/, ''))
    .filter((line) => !/^\s*(\/\/|\/\*|\*)/.test(line))
    .join('\n');
}

/** The table of ARCHITECTURE.md between its markers, in the form of MAY_IMPORT, or null without markers. */
export function documentedTable(markdown: string): Record<string, string[]> | null {
  const table = /<!-- imports -->([\s\S]*?)<!-- \/imports -->/.exec(markdown)?.[1];
  if (table === undefined) return null;
  const rows = table
    .split('\n')
    .filter((line) => line.trim().startsWith('|'))
    .slice(2);
  return Object.fromEntries(rows.map(documentedRow));
}

/** `| job | dataset, source (options) |` → ['job', ['dataset', 'source:options']]. */
function documentedRow(line: string): [string, string[]] {
  const [folder = '', allowed = ''] = line.replaceAll('`', '').split('|').slice(1);
  const entries = allowed
    .split(',')
    .map((entry) => entry.trim().replace(/^(\w+) \((\w+)\)$/, '$1:$2'))
    .map((entry) => (entry === 'everything' ? '*' : entry))
    .filter((entry) => !['', 'nothing', '–', '-'].includes(entry));
  return [folder.trim().replace(/\/$/, ''), entries];
}
