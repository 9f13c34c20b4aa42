import { z } from 'zod';

/** Kept by the server until it expires, for download by link. */
const downloadOptions = z.strictObject({ type: z.literal('download') });

/** Options of any destination a job may name, told apart by `type`. */
export const destinationOptions = z.discriminatedUnion('type', [downloadOptions]);

export type DestinationOptions = z.infer<typeof destinationOptions>;
