import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';

const text = readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8');
const packages: Record<string, { optionalDependencies?: Record<string, string>; resolved?: string }> =
  JSON.parse(text).packages;

// A registry that does not serve all of them makes npm leave them out, and `npm ci` then refuses the lock file.
it('package-lock.json names the packages of every platform', () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies }]) =>
    Object.keys(optionalDependencies ?? {}).filter(
      (name) => !(`node_modules/${name}` in packages || `${path}/node_modules/${name}` in packages),
    ),
  );
  assert.deepEqual(missing, []);
});

it('package-lock.json names no registry', () => {
  assert.doesNotMatch(text, /"resolved": "https?:/);
});
