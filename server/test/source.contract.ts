import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { nameOf } from '../src/column/type.ts';
import type { SourceShape } from '../src/source/source.ts';
import { CELL_COLUMNS, expectedTexts } from './source-cells.ts';

/** A source that holds the table of `source-cells.ts`. */
export interface SourceHolder extends AsyncDisposable {
  readonly shape: SourceShape;
  /** Each way its rows can be read: column → the texts in order of id. Columns it cannot give that way are left out. */
  readonly readings: Readonly<Record<string, () => Promise<ReadonlyMap<string, readonly (string | null)[]>>>>;
}

/** What every source has to do, whatever it is. */
export function sourceContract(
  name: string,
  open: () => Promise<SourceHolder>,
  options: { skip: string | false },
): void {
  describe(`the source ${name}`, options, () => {
    let holder: SourceHolder;
    before(async () => {
      holder = await open();
    });
    after(() => holder?.[Symbol.asyncDispose]());

    it('tells its columns and their types, in order', () => {
      assert.deepEqual(
        holder.shape.columns.map((each) => `${each.name}: ${nameOf(each.type)}`),
        CELL_COLUMNS.map((each) => `${each.name}: ${nameOf(each.type)}`),
      );
    });

    it('gives every value the text that is promised, in every way it is read', async () => {
      for (const [way, read] of Object.entries(holder.readings)) {
        const texts = await read();
        assert.ok(texts.size > 10, way);
        for (const each of CELL_COLUMNS) {
          const found = texts.get(each.name);
          if (found) assert.deepEqual(found, expectedTexts(each), `${way} of ${each.name}`);
        }
      }
    });
  });
}
