import { execFileSync } from 'node:child_process';

const SCRIPT = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as zip:
    entries = zip.infolist()
    last = entries[-1]
    print(json.dumps({
        'entries': len(entries), 'year': entries[0].date_time[0],
        'last': {'name': last.filename, 'offset': last.header_offset, 'text': zip.read(last).decode()},
    }))
`;

/** A zip as Python's zipfile reads it. */
export interface ReadZip {
  readonly entries: number;
  /** Of the first entry. */
  readonly year: number;
  readonly last: { readonly name: string; readonly offset: number; readonly text: string };
}

export function readZip(path: string): ReadZip {
  return JSON.parse(execFileSync('python3', ['-c', SCRIPT, path], { encoding: 'utf8' }));
}
