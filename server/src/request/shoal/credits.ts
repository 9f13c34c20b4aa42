import { Fault } from '../../base/errors.ts';
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

/** Throws `rate.limited` for a create that the month has no credits for any more, where that is enforced. */
export function checkBudget(budget: Budget, { enforceCredits, createCredits }: ShoalOptions, now: string): void {
  if (!enforceCredits || budget.remaining >= createCredits) return;
  throw new Fault('rate.limited', 'Monthly credit limit exceeded', {
    retryAfterMs: Date.parse(nextMonth(now)) - Date.parse(now),
  });
}

function nextMonth(now: string): string {
  const [year = 0, month = 0] = now.split('-').map(Number);
  return new Date(Date.UTC(year, month, 1)).toISOString();
}
