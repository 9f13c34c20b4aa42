import type { z } from 'zod';
import type { AskedColumn } from '../dataset/query.ts';
import type { DestinationOptions } from '../destination/options.ts';
import {
  type Compression,
  compressionOptions,
  type FormatOptions,
  formatOptions,
  type Split,
  splitOptions,
} from '../format/options.ts';

/** What somebody asks for, in our own words; every dialect's request becomes one. */
export interface Ask {
  readonly dataset: string;
  /**
   * Half-open. ISO 8601 instants; an absent side is open, so both absent mean all rows. Clamped, it
   * never lies before the dataset's lookback, and may be empty.
   */
  readonly window: {
    readonly start?: string | undefined;
    readonly end?: string | undefined;
    readonly clamp?: boolean | undefined;
  };
  /** The filter tree as JSON; checked against the dataset's columns. */
  readonly filter?: unknown;
  readonly columns?: readonly AskedColumn[] | undefined;
  readonly distinct: boolean;
  /** Column names, `-` before one for descending. */
  readonly order?: readonly string[] | undefined;
  /** With every option of their formats: what a dialect leaves out, `downloadOf` or `askedFormat` fills in. */
  readonly outputs: readonly AskedOutput[];
  readonly destinations: readonly DestinationOptions[];
  /** What file names begin with, without the ending; left out, the dataset and the run. Nothing makes it unique but what is put in. */
  readonly fileStem?: string | undefined;
  /** How long files are kept, in ms, whatever the tier says. */
  readonly fileLifeMs?: number | undefined;
  /** Any text; no two unfinished runs of a tenant and dialect have the same: `conflict.running`. */
  readonly exclusive?: string | undefined;
  /** E-mail addresses that are told when the run succeeded. */
  readonly notify?: readonly string[] | undefined;
}

interface AskedOutput {
  readonly format: FormatOptions;
  readonly compression: Compression;
  /** Left out for one file. */
  readonly split?: Split | undefined;
  /** Names of the asked columns it has; left out, all. */
  readonly columns?: readonly string[] | undefined;
}

/** The format options as dialects take them in. */
export const askedFormat = formatOptions;

/** The compression as dialects take it in. */
export const askedCompression = compressionOptions;

/** Where files end, as dialects take it in. */
export const askedSplit = splitOptions;

/** How most dialects' exports end: in one format, to be downloaded. Options left out are the format's defaults. */
export function downloadOf(
  format: z.input<typeof formatOptions>,
  { split, distinct = false }: { readonly split?: Split | undefined; readonly distinct?: boolean } = {},
): Pick<Ask, 'outputs' | 'destinations' | 'distinct'> {
  const output = { format: askedFormat.parse(format), compression: { type: 'none' } as const };
  return { outputs: [{ ...output, ...(split && { split }) }], destinations: [{ type: 'download' }], distinct };
}

/** Names a caller may give for a format with its default options. */
export const FORMAT_NAMES = formatOptions.options.map((each) => ('in' in each ? each.in : each).shape.type.value);
