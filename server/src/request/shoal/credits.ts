import type { Quota } from '../../run/queries.ts';
import type { ShoalOptions } from './options.ts';
import type { Usage } from './schemas.ts';

type Budget = Usage['budget'];

/** Where no credits are named for a tier. */
const MONTHLY_CREDITS = 100_000;

const DAY_MS = 86_400_000;

/** When the day, the week (from Monday) and the month began, by UTC. */
export function periodsOf(now: string): { day: string; week: string; month: string } {
  const day = `${now.slice(0, 10)}T00:00:00.000Z`;
  const sinceMonday = (new Date(day).getUTCDay() + 6) % 7;
  return {
    day,
    week: new Date(Date.parse(day) - sinceMonday * DAY_MS).toISOString(),
    month: `${now.slice(0, 7)}-01T00:00:00.000Z`,
  };
}

/** The month of a tier in which so many exports were made. */
export function budgetOf(tier: string, made: number, { monthlyCredits, createCredits }: ShoalOptions): Budget {
  const named = [tier, 'default'].find((name) => Object.hasOwn(monthlyCredits, name));
  const limit = (named === undefined ? undefined : monthlyCredits[named]) ?? MONTHLY_CREDITS;
  return withUsed(limit, made * createCredits);
}

/** The same month after one more create. */
export function charged({ limit, used }: Budget, { createCredits }: ShoalOptions): Budget {
  return withUsed(limit, used + createCredits);
}

function withUsed(limit: number, used: number): Budget {
  return { limit, used, remaining: Math.max(0, limit - used) };
}

/** The creates that the month has credits for; undefined where using them up refuses nothing. */
export function quotaOf(
  { limit }: Budget,
  { enforceCredits, createCredits }: ShoalOptions,
  now: string,
): Quota | undefined {
  if (!enforceCredits || createCredits === 0) return undefined;
  const jobs = Math.floor(limit / createCredits);
  return { jobs, from: periodsOf(now).month, to: nextMonth(now), message: 'Monthly credit limit exceeded' };
}

function nextMonth(now: string): string {
  const [year = 0, month = 0] = now.split('-').map(Number);
  return new Date(Date.UTC(year, month, 1)).toISOString();
}
