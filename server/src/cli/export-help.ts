export const EXPORT_HELP = `Usage: drayage export DATASET|FILE…|URL --format FORMAT --to FOLDER [OPTIONS]

Exports a dataset of drayage.config.ts, or files: Parquet, CSV, JSON lines (also globs) and DuckDB
database files, or with a postgres:// URL a --table of PostgreSQL. The folder must be new or empty; it
then holds the export and its signed manifest.

What
  --columns a,b          these columns, in this order (default: all)
  --where JSON           a filter: '{"event_type":{"in":["a","b"]},"amount":{"gte":"10.5"}}'
                         eq ne gt gte lt lte in nin contains startsWith exists has anyOf noneOf matches,
                         and or not; dotted names lead into JSON columns
  --start T, --end T     rows of [start, end): instants with a zone, or dates
  --distinct             every row once
  --order -a,b           sorted, - for descending; ties by the key
  --tenant ID            whose rows, for a dataset that belongs to tenants
  --all-tenants          every tenant's rows, for operators
  --types a=int64,b=…    types of CSV and JSON columns, which are text otherwise
  --table NAME           table of a database file
  --config FILE          configuration (default: drayage.config.ts)

How
  --format               csv, json, jsonl, parquet, xml, avro or pdf
  --compression          none (default), gzip, zstd; with a level as gzip:6 or zstd:3
  --codec                Parquet: snappy (default), zstd, none; Avro: null (default), deflate, zstandard
  --dialect              CSV: rfc4180, excel, excel-eu or tsv; what is said beside it wins
  --split-rows N, --split-bytes SIZE   files -00001, -00002 … of at most so many rows, or about
                         such a size before compression
  --delimiter C          CSV: character between cells (default: ,)
  --no-header            CSV: no header line
  --line-end lf|crlf     CSV: end of a line (default: lf)
  --bom                  CSV: UTF-8 byte order mark first
  --formula-guard        CSV: ' before text a spreadsheet would take for a formula
  --decimal-comma        CSV: decimals and floats with a comma
  --null-text TEXT       CSV: what NULL is written as (default: an empty cell; empty text is "")
  --row-group-rows N     Parquet: rows of a row group at most (default: 122880)
  --layout FILE          PDF: what documents show, as JSON: name, title, sections …
  --root NAME, --row NAME   XML: element of the file and of a row (default: rows, row)
  --control-chars        XML: replace (default, by U+FFFD) or fail, for what XML cannot carry
  --instants PATTERN     iso (default), epoch_s, epoch_ms, epoch_us, or strftime as %Y-%m-%d
  --nested               structure (default) or text: lists, structs, maps and JSON columns
  --big-integers         JSON: 64-bit integers as number (default) or string
  --non-finite           JSON: NaN and infinities fail (default), null or string

Running
  --to FOLDER            where the files go
  --force                into a folder that is not empty; files of the same name are replaced
  --explain              show the plan, its SQL and its segments, and export nothing
  --json                 events for machines, one JSON object a line
  --threads N            segments written at a time (default: processors, at least 2)
  --memory SIZE          memory of the engine (default: 300MB)
  --verbose              details of a failure
`;
