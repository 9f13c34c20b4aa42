import { gzipInto } from './gzip.ts';
import type { Compression } from './options.ts';
import type { ByteSink } from './sink.ts';
import { zstdInto } from './zstd.ts';

/** A sink that compresses what it is given on its way into `sink`; `sink` itself for none. */
export function compressInto(sink: ByteSink, compression: Compression): ByteSink {
  switch (compression.type) {
    case 'none':
      return sink;
    case 'gzip':
      return gzipInto(sink, compression.level);
    case 'zstd':
      return zstdInto(sink, compression.level);
  }
}

/** What stands behind a file's own extension. */
export function endingOf(compression: Compression): '' | '.gz' | '.zst' {
  return ({ none: '', gzip: '.gz', zstd: '.zst' } as const)[compression.type];
}

/** The media type of a file, whose own is `formatMediaType` (RFC 6713, RFC 8878). */
export function mediaTypeOf(compression: Compression, formatMediaType: string): string {
  return { none: formatMediaType, gzip: 'application/gzip', zstd: 'application/zstd' }[compression.type];
}
