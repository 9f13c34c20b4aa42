import fc from 'fast-check';

/**
 * The same random values in every run, so that a change is judged by what it changed. DRAYAGE_SEED
 * takes another number; the soak draws anew each time.
 */
const SEED = Number(process.env.DRAYAGE_SEED ?? 20_261_121);

if (process.env.DRAYAGE_SOAK === undefined) fc.configureGlobal({ seed: SEED });

export { fc };
