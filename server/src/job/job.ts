import type { Ask } from './ask.ts';

/** What somebody asked for. */
export interface Job {
  readonly id: string;
  readonly tenant: string;
  readonly principal: number;
  readonly dialect: string;
  readonly ask: Ask;
  /** The request as its dialect shows it again. */
  readonly request: unknown;
  readonly createdAt: string;
  /** The id its dialect's clients know it by, where that is not ours. */
  readonly reference: string | null;
}
