import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { FAULT_CODES, kindOf } from '../src/base/errors.ts';

it('docs/api.md lists every fault as the code has it', () => {
  const page = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
  const table = /<!-- faults -->\n([\s\S]*?)<!-- \/faults -->/.exec(page)?.[1]?.split('\n').slice(2, -1);
  const rows = FAULT_CODES.map((code) => {
    const { status, retry, blame } = kindOf(code);
    return `| \`${code}\` | ${status} | ${retry ? 'yes' : 'no'} | ${blame === 'us' ? 'ours' : blame} |`;
  });
  assert.deepEqual(table, rows);
});
