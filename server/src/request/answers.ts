import { z } from 'zod';

/** A header of an answer, as a route's schema names it for OpenAPI. */
export const header = (description: string) => ({ type: 'string', description });

/** On every answer of every dialect. */
const EVERYWHERE = { 'x-request-id': header('Tell it when you ask us about this request') };

export const RETRY_AFTER = { 'retry-after': header('Seconds to wait before asking again') };
export const POLL = {
  'retry-after': header('Seconds to wait before looking again; absent once nothing changes any more'),
};

/** For routes that need the key, where `registerOpenapi` was given a security scheme of that name. */
export const KEYED = { security: [{ key: [] }] };

/** An answer as JSON: what it means, its body, and the headers it has beside those of every answer. */
export const answer = (description: string, schema: z.ZodType, headers: object = {}) =>
  answerAs({ 'application/json': { schema } }, description, headers);

/** An answer by its media types. */
export const answerAs = (content: object, description: string, headers: object = {}) => ({
  description,
  headers: { ...EVERYWHERE, ...headers },
  content,
});

/** An answer without a body. */
export const empty = (description: string, headers: object = {}) =>
  z.null().meta({ description, headers: { ...EVERYWHERE, ...headers } });

interface RefusalsAsk {
  /** Body of every refusal. Refusals are not serialized by it: a test has to hold them to it. */
  readonly schema: z.ZodType;
  /** What 4xx and 5xx mean in the dialect. */
  readonly refused: string;
  readonly failed: string;
  /** Beside those of every answer and `retry-after`. */
  readonly headers?: object;
  readonly mediaType?: string;
}

/** What every route may answer. */
export function refusals({ schema, refused, failed, headers, mediaType = 'application/json' }: RefusalsAsk) {
  const said = { ...RETRY_AFTER, ...headers };
  const content = { [mediaType]: { schema } };
  return { '4xx': answerAs(content, refused, said), '5xx': answerAs(content, failed, said) };
}
