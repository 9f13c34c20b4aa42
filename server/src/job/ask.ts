import type { DestinationOptions } from '../destination/options.ts';
import { type Compression, type FormatOptions, formatOptions } from '../format/options.ts';

/** What somebody asks for, in our own words; every dialect's request becomes one. */
export interface Ask {
  readonly dataset: string;
  /** ISO 8601 instants; an absent side is open. */
  readonly window: { readonly start?: string | undefined; readonly end?: string | undefined };
  /** The filter tree as JSON; checked against the dataset's columns. */
  readonly filter?: unknown;
  readonly columns?: readonly string[] | undefined;
  readonly distinct: boolean;
  /** Column names, `-` before one for descending. */
  readonly order?: readonly string[] | undefined;
  readonly outputs: readonly { readonly format: FormatOptions; readonly compression: Compression }[];
  readonly destinations: readonly DestinationOptions[];
}

/** The format options as dialects take them in. */
export const askedFormat = formatOptions;

/** Names a caller may give for a format with its default options. */
export const FORMAT_NAMES = formatOptions.options.map((each) => each.shape.type.value);
