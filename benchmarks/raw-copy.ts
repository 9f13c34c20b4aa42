/** DuckDB alone: one COPY in a fresh process, with its defaults but the threads. */
import { DuckDBInstance } from '@duckdb/node-api';

const [sql = '', threads = '2'] = process.argv.slice(2);
const instance = await DuckDBInstance.create(':memory:', { threads });
const connection = await instance.connect();
await connection.run("set TimeZone = 'UTC'");
await connection.run(sql);
