import { batch } from './batch/batch.ts';
import type { Dialect } from './dialect.ts';
import { ironclad } from './ironclad/ironclad.ts';
import { native } from './native/native.ts';
import { shoal } from './shoal/shoal.ts';
import { userpilot } from './userpilot/userpilot.ts';

/** Every dialect there is. To add one: its folder and its line here. */
export const dialects: readonly Dialect[] = [native, batch, userpilot, shoal, ironclad];
