/** A Parquet file to CSV by nodejs-polars. Arguments: input, output. */
import { scanParquet } from 'nodejs-polars';

const [input = '', output = ''] = process.argv.slice(2);
scanParquet(input).sinkCSV(output).collectSync();
