import { basename, dirname } from 'node:path';
import { Fault, type FaultCode } from '../base/errors.ts';
import { REFUSAL_MARK, REFUSALS } from '../column/text.ts';

/** What the engine's own words mean. First match wins; anything else is `source.refused`. */
const MEANINGS: readonly (readonly [RegExp, FaultCode, string])[] = [
  [
    /^(Conversion|Out of Range|Invalid Cast) Error/,
    'value.refused',
    'A value does not fit the type its column is declared with.',
  ],
  [/^(INTERRUPT Error|Interrupted!)/, 'run.cancelled', 'The run was cancelled.'],
  [
    /^(?!Invalid Input Error).*(No space left on device|Disk quota exceeded|File too large|Could not write (all )?bytes?|failed to offload)/is,
    'destination.full',
    'There is no room left to write the export.',
  ],
  [/Could not set lock on file|Conflicting lock/, 'source.busy', 'The database file is open for writing elsewhere.'],
  [/^Out of Memory Error.*bad allocation/is, 'internal', 'The machine had no memory left.'],
  [/^Out of Memory Error/i, 'run.memory', 'The export needs more memory than it is allowed.'],
  [
    /Invalid (unicode|UTF-?8)|not utf-8 encoded|Invalid string encoding/i,
    'value.refused',
    'A text is not valid UTF-8.',
  ],
  [/Maximum line size/, 'source.refused', 'A row takes more than the 16 MiB that the engine reads of one.'],
  [/Expected Number of Columns/, 'source.refused', 'A row has more or fewer cells than the first line.'],
  [
    /No files found|No such file or directory|Cannot open file/,
    'source.unreachable',
    'An input file is not there or cannot be read.',
  ],
  [
    /^Invalid Input Error: (missing [)\]]|unexpected \)|invalid (perl operator|escape|character class|named capture|repetition size|UTF-8 in pattern)|no argument for repetition|bad (repetition|character class)|trailing \\|pattern too large)/i,
    'request.invalid',
    'A pattern of matches is not a valid RE2 regular expression.',
  ],
];

/** Turns an error of the engine into a fault. The engine's words may hold SQL and paths, so they stay in `cause`. */
export function engineFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const text = error instanceof Error ? error.message : String(error);
  const refusal = refusalOf(text);
  if (refusal) return new Fault('value.refused', `A value was refused: ${refusal}.`, { cause: error });
  const [, code, message] = MEANINGS.find(([pattern]) => pattern.test(text)) ?? [];
  if (code === 'value.refused') return new Fault(code, `${message}${placeOf(text)}`, { cause: error });
  if (code && message) return new Fault(code, message, { cause: error });
  return new Fault('source.refused', 'The engine could not read the source as planned.', { cause: error });
}

/** Where a text file is broken, if the engine says so. */
function placeOf(text: string): string {
  const [, line] = /CSV Error on Line: (\d+)/.exec(text) ?? [];
  const [, path = ''] = /^ *file = (.*)$/m.exec(text) ?? [];
  // What landed in the stage has lines of its own, which say nothing to anybody.
  if (line === undefined || path === '' || basename(dirname(path)) === 'landed') return '';
  return ` It stands in line ${line} of ${basename(path)}.`;
}

function refusalOf(text: string): string | undefined {
  const [, reason = ''] = new RegExp(`${REFUSAL_MARK}(\\w+)`).exec(text) ?? [];
  return Object.entries(REFUSALS).find(([name]) => name === reason)?.[1];
}
