import fc from 'fast-check';

/**
 * The same random values in every run, so that a change is judged by what it changed. DRAYAGE_SEED
 * takes another number; the soak draws anew each time.
 */
const SEED = Number(process.env.DRAYAGE_SEED ?? 20_261_121);

const isSoak = process.env.DRAYAGE_SOAK !== undefined;

if (!isSoak) fc.configureGlobal({ seed: SEED });

/** How often a test draws: a few times, or many in the soak. */
export function draws({ few, many }: { readonly few: number; readonly many: number }): number {
  return isSoak ? many : few;
}

export { fc };
