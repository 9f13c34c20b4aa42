import { z } from 'zod';
import { answer, empty, header, KEYED, POLL, refusals } from '../answers.ts';
import { IDS, type Kind } from './kinds.ts';

const refusal = z
  .strictObject({ code: z.int(), message: z.string() })
  .meta({ id: 'BatchRefusal', description: 'The code is the vendor’s; the message begins with its name' });

const REFUSALS = refusals({
  schema: refusal,
  refused: 'Refused; 401/10, 403/12, 404/20, 400/30 to 32, 409/60 and 429/61',
  failed: 'Failed on our side: 500/1 and 503/2',
});

/** How this vendor writes moments: UTC to the second, without a zone. */
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/;

const moment = z.string().regex(MOMENT);

/** Of a day there is: Date would roll 31 February over into March. */
function isMoment(value: string): boolean {
  const time = MOMENT.test(value) ? Date.parse(`${value}Z`) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(`${value}.`) && !value.startsWith('0000');
}

const side = z
  .string()
  .refine((value) => value === 'now' || isMoment(value), {
    error: ({ input }) =>
      `Allowed is "now" or a UTC date and time as "2019-08-14T22:00:00", without a zone; this is ${JSON.stringify(String(input).slice(0, 60))}`,
  })
  .meta({ description: '`now`, or UTC as YYYY-MM-ddTHH:mm:ss' });

const ids = z.array(z.enum(IDS)).min(1);

/** The body of a kind; what else stands in it is ignored. */
function bodyOf({ target, dated }: Kind): z.ZodType<Body> {
  if (target) return z.object({ from: side, to: side, events: z.array(z.enum(target.events)).min(1), ids });
  return dated ? z.object({ from: side, to: side, ids }) : z.object({ ids });
}

/** As it was sent, apart from what the kind does not take. */
export interface Body {
  readonly from?: string;
  readonly to?: string;
  readonly events?: readonly string[];
  readonly ids: readonly (typeof IDS)[number][];
}

const apiKey = z.string().meta({ description: "The app's API key, Live or Dev" });

export function createSchema(kind: Kind) {
  const token = z.string().meta({ description: 'Campaign token or group id' });
  return {
    ...KEYED,
    tags: ['create'],
    operationId: kind.name,
    summary: kind.summary,
    params: z.object({ apiKey, ...(kind.target ? { token } : {}) }),
    body: bodyOf(kind),
    response: {
      202: answer('Accepted', z.strictObject({ requestId: z.uuid() }), POLL),
      ...REFUSALS,
    },
  };
}

const statusAnswer = z
  .strictObject({
    id: z.uuid(),
    uri: z.string(),
    request_date: moment,
    file_url: z.string().nullable(),
    status: z.enum(['CREATED', 'PENDING', 'ERROR', 'SUCCESS', 'EXPIRED']),
    completion_date: moment.nullable(),
    request: z.strictObject({
      from: z.string().optional(),
      to: z.string().optional(),
      events: z.array(z.string()).readonly().optional(),
      ids: z.array(z.string()).readonly(),
    }),
    error_msg: z.string().optional(),
  })
  .meta({ id: 'BatchRequest' });

export type StatusAnswer = z.output<typeof statusAnswer>;

const id = z.string().meta({ description: 'The requestId of the create' });

export const requestSchemas = {
  status: {
    ...KEYED,
    tags: ['status'],
    operationId: 'status',
    summary: 'Look at a request',
    params: z.object({ apiKey, id }),
    response: { 200: answer('The request', statusAnswer, POLL), ...REFUSALS },
  },
  result: {
    ...KEYED,
    tags: ['status'],
    operationId: 'result',
    summary: 'Be sent to the file of a request, by a fresh link each time; the link needs no key',
    params: z.object({ apiKey, id, name: z.string().meta({ description: 'As in file_url' }) }),
    response: {
      302: empty('To the file', { location: header('Works for 20 minutes') }),
      ...REFUSALS,
    },
  },
};
