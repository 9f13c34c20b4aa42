import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { later } from '../../base/clock.ts';
import { refuse } from '../../base/errors.ts';
import { type Ask, downloadOf } from '../../job/ask.ts';
import type { CreateAsk } from '../desk.ts';
import { IDS, type Kind } from './kinds.ts';
import type { Options } from './options.ts';
import type { Body } from './schemas.ts';

/** What is kept of a request, to be shown again. */
export interface Asked {
  /** Below the app's key, as it was asked, without `/export`. */
  readonly path: string;
  readonly body: Body;
}

export interface RequestAsk {
  readonly kind: Kind;
  /** Campaign token or group id, where the kind has one. */
  readonly token: string | undefined;
  readonly body: Body;
}

export interface ReadGround {
  /** ISO instant: what `now` in the body means, and what the lookback is counted from. */
  readonly now: string;
  readonly options: Options;
  /** The requestId. */
  readonly reference: string;
  /** The app. */
  readonly tenant: string;
}

/** Empty text is told from no value by quotes; a moment has no zone. */
const FORMAT = { type: 'csv', delimiter: ';', instants: '%Y-%m-%dT%H:%M:%S', nullText: '' } as const;

/** Their words → ours. Throws `request.invalid`. */
export function readCreate(asked: RequestAsk, ground: ReadGround): CreateAsk {
  const { kind, token, body } = asked;
  const { options, reference, tenant } = ground;
  const request: Asked = { path: kind.path.replace(':token', encodeURIComponent(token ?? '')), body };
  const ids = IDS.filter((id) => options.printedIds === 'all' || body.ids.includes(id));
  const printed = ids.map((id) => (body.ids.includes(id) ? id : ({ name: id, isBlank: true } as const)));
  const exclusive = readExclusive(request, options);
  const ask: Ask = {
    dataset: kind.dataset,
    window: readWindow(body, ground),
    filter: readFilter(asked),
    columns: [...printed, ...kind.columns],
    order: readOrder(kind, [...ids, ...kind.columns]),
    ...downloadOf(FORMAT, { distinct: kind.distinct }),
    fileStem: `${kind.name}-${reference}`,
    fileLifeMs: options.fileLife,
    ...(exclusive === undefined ? {} : { exclusive }),
  };
  return { dialect: 'batch', tenant, ask, request, idempotency: null, reference };
}

/** Half-open. What lies before the lookback is left out without a word, so the window may be empty. */
function readWindow({ from, to }: Body, { now, options }: ReadGround): Ask['window'] {
  if (from === undefined || to === undefined) return {};
  const [start, end] = [from, to].map((side) => (side === 'now' ? now : `${side}.000Z`)) as [string, string];
  if (start > end) throw refuse('/to', `The end must not lie before the start, which is "${from}"; this is "${to}".`);
  const bound = later(now, -options.lookback);
  const isOld = start < bound;
  return { start: isOld ? bound : start, end, clamp: true };
}

function readFilter({ kind, token, body }: RequestAsk): Ask['filter'] {
  if (!kind.target) return undefined;
  const events = new Set(body.events?.map((event) => OUTPUT_WORDS[event] ?? event));
  return { [kind.target.column]: { eq: token }, event_type: { in: [...events] } };
}

/** Events whose name in a request is another than in a file. */
const OUTPUT_WORDS: Readonly<Record<string, string>> = { push_open: 'push_opened' };

/** Distinct rows are ordered by all they print. */
function readOrder({ distinct, dated }: Kind, columns: readonly string[]): readonly string[] | undefined {
  if (distinct) return undefined;
  return dated ? ['event_date', 'install_id'] : columns;
}

/** The order of names in a body is no difference. */
function readExclusive(request: Asked, { conflict }: Options): string | undefined {
  if (conflict === 'none') return undefined;
  if (conflict === 'app') return 'app';
  return createHash('sha256')
    .update(canonicalize(request) ?? '')
    .digest('hex');
}
