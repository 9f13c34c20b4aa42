import { Fault } from '../../base/errors.ts';
import type { Caller, Desk } from '../desk.ts';
import type { Options } from './options.ts';
import { SITES } from './shapes.ts';

/** A site, whose tenant is called by its id. */
export interface Site {
  readonly tenant: string;
  readonly site: number;
  readonly account: number;
  readonly name: string | null;
  /** Longest range of an export. */
  readonly maxDays: number;
}

/** How long it is remembered what a site's row says. */
const SITE_MS = 10_000;

/** The caller's site. One without a row, or where there are no rows of sites, is as the settings say. */
export async function findSite(desk: Desk, caller: Caller, { maxDays, account }: Options): Promise<Site> {
  const tenant = caller.principal.tenants[0]?.id ?? '';
  const row = await findRow(desk, caller, tenant);
  return {
    tenant,
    site: Number(tenant),
    account: typeof row?.account === 'number' ? row.account : account,
    name: typeof row?.name === 'string' ? row.name : null,
    maxDays: typeof row?.max_days === 'number' && row.max_days > 0 ? row.max_days : maxDays,
  };
}

async function findRow(desk: Desk, caller: Caller, tenant: string) {
  const columns = ['account', 'name', 'max_days'];
  const ask = { dataset: SITES.name, filter: { site: { eq: tenant } }, columns, limit: 1, forMs: SITE_MS };
  try {
    const [row] = await desk.read(caller, ask);
    return row;
  } catch (error) {
    if (error instanceof Fault && error.code === 'dataset.unknown') return undefined;
    throw error;
  }
}
