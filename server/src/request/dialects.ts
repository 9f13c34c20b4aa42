import type { Dialect } from './dialect.ts';
import { native } from './native/native.ts';

/** Every dialect there is. To add one: its folder and its line here. */
export const dialects: readonly Dialect[] = [native];
