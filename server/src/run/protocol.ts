import type { FaultRecord } from '../base/errors.ts';
import type { SourceOptions } from '../source/options.ts';
import type { DescribeAsk, SourceShape } from '../source/source.ts';
import type { OutputResult, Progress } from './execution.ts';
import type { EngineVersions, Limits, Plan } from './plan.ts';

/**
 * What the parent tells a child. Plans travel by this channel, never by argument or environment. A
 * child does one thing at a time and ends when the channel closes.
 */
export type Order =
  | {
      readonly order: 'describe';
      readonly ask: DescribeAsk;
      readonly limits: Limits;
      /** Whether CSV, JSON or XML will be written of what is described: lanes can then be made ready. */
      readonly isForLanes: boolean;
    }
  | PlanOrder
  | { readonly order: 'cancel' };

export type PlanOrder =
  | (OfPlan & { readonly order: 'count' })
  | (OfPlan & {
      readonly order: 'execute';
      /** Whether an attempt after this one may use its segments. */
      readonly isResumable: boolean;
      /** Whether the stage keeps its own record of its commit, and the child ends it should the parent die. */
      readonly recovers: boolean;
    });

interface OfPlan {
  readonly plan: Plan;
  /** How the plan's source is reached: what connections need may be secret and stands in no plan. */
  readonly access: SourceOptions;
  readonly stage: string;
}

/** What the child tells back: progress any number of times, then one of the others. */
export type Report =
  | { readonly report: 'progress'; readonly progress: Progress }
  | {
      readonly report: 'described';
      readonly shape: SourceShape;
      readonly engine: EngineVersions;
      readonly rssBytes: number;
    }
  | { readonly report: 'executed'; readonly results: readonly OutputResult[]; readonly rssBytes: number }
  | { readonly report: 'counted'; readonly rows: number; readonly rssBytes: number }
  | { readonly report: 'failed'; readonly fault: FaultRecord };

/** A report that something is done, but for what the child says of itself. */
export type Done = DistributiveOmit<Extract<Report, { rssBytes: number }>, 'rssBytes'>;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
