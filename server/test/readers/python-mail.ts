import { execFileSync } from 'node:child_process';

/** A mail as Python's email package reads it. */
export interface ReadMail {
  /** In the order they stand in, decoded. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly text: string;
}

const SCRIPT = `
import email, email.policy, json, sys
mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
assert not mail.defects and not mail.is_multipart() and mail.get_content_type() == 'text/plain'
headers = [[name, str(value)] for name, value in mail.items()]
json.dump({'headers': headers, 'text': mail.get_content().replace('\\r\\n', '\\n')}, sys.stdout)
`;

/** Throws where it is anything but one plain text. */
export function readMail(raw: Buffer): ReadMail {
  return JSON.parse(execFileSync('python3', ['-c', SCRIPT], { input: raw, encoding: 'utf8' }));
}
