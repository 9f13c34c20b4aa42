import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** To be raised by who changes what documents look like, here or in the fonts of `server/fonts`. */
const LAYOUT = 2;

/** Packages of fonts, and those that shape, order and break text; all are pinned. */
const SETS_TEXT = /^(?:@fontsource-variable\/|@expo-google-fonts\/)|^(?:harfbuzzjs|bidi-js|linebreak)$/;

const { dependencies } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
};

const packages = Object.entries(dependencies)
  .filter(([name]) => SETS_TEXT.test(name))
  .map(([name, version]) => `${name} ${version}\n`)
  .sort();

/** What the bytes of documents depend on beside the engine. */
export const PDF_VERSIONS = `${LAYOUT}-${createHash('sha256').update(packages.join('')).digest('hex').slice(0, 16)}`;
