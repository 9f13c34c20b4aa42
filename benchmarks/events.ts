import { DuckDBInstance } from '@duckdb/node-api';

/** Writes a Parquet file of rows shaped as the demo's events: awkward text, JSON, decimals, NULL and empty notes. */
export async function makeEvents(path: string, rows: number): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2', memory_limit: '1GB' });
  const connection = await instance.connect();
  await connection.run(`copy (
    select md5(i::varchar)::uuid as event_id,
      case when i % 10 < 6 then 'acme' when i % 10 < 9 then 'globex' else 'tiny' end as tenant,
      (i * 7919) % 100000 as user_id,
      9007199254740993 + i as company_id,
      'type' || (i % 20) as event_type,
      make_timestamptz(1767225600000000 + i * 777123) as occurred_at,
      ('{"a":' || i || ',"price":1.10,"s":"x y"}')::json as properties,
      ((i % 100000) / 7)::decimal(18, 4) as amount,
      i % 2 = 0 as flag,
      case i % 5 when 0 then null when 1 then '' when 2 then 'q"uo,te' || chr(10) || 'x'
        when 3 then 'plain note of some length ' || i else '=1+2 漢字 🚚' end as note
    from range(${rows}) events(i)
  ) to '${path}' (format parquet)`);
  connection.closeSync();
  instance.closeSync();
}
