import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { now } from '../base/clock.ts';
import { Fault, type FaultCode } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Dialect, DialectGround, RequestPart } from './dialect.ts';
import { firstIssue } from './issue.ts';
import { readJson } from './json-body.ts';
import { collectRoutes, refuseOtherMethods } from './other-methods.ts';

/** A body beyond this is refused before it is read. */
const BODY_LIMIT_BYTES = 1_048_576;

/** A URL beyond this is refused. What clients ask in one is far shorter; longer filters go into bodies. */
const URL_LIMIT_BYTES = 16_384;

type RefuseWith = (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply;

/** An instance of its own for each dialect: so that no error, no 404 and no route of one shows in another. */
export async function dialectApp(dialect: Dialect, ground: DialectGround, log: Log): Promise<FastifyInstance> {
  const refuseWith: RefuseWith = (error, request, reply) => {
    const fault = faultOfRequest(error);
    if (fault.code === 'internal') log.error({ err: error, request: request.id }, 'request failed');
    const { status, headers, body } = dialect.refuse({
      fault,
      requestId: request.id,
      part: partOf(error, fault, request),
      method: request.method,
      path: request.url.split('?')[0] ?? '',
    });
    // Of a URL that cannot be read, no hook ever hears.
    reply.code(status).headers({ 'x-request-id': request.id, ...headers });
    return reply.serializer(JSON.stringify).send(body);
  };
  const app = bareApp(refuseWith);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    const { length } = request.url;
    if (length > URL_LIMIT_BYTES)
      throw new Fault('request.malformed', `The URL has ${length} bytes; allowed are ${URL_LIMIT_BYTES}.`);
  });
  app.addHook('onResponse', async (request, reply) => logRequest(log, dialect, request, reply));
  const routes = collectRoutes(app);
  await dialect.routes(app, ground);
  await app.after();
  refuseOtherMethods(app, routes);
  await app.ready();
  return app;
}

/** Without routes, and with nothing of the framework's own left in its answers. */
function bareApp(refuseWith: RefuseWith): FastifyInstance {
  const app = fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    genReqId: () => newId('req', now()),
    requestIdHeader: false,
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: false },
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => void refuseWith(error, request, reply as FastifyReply),
    schemaController: { compilersFactory: { buildValidator: unused, buildSerializer: unused } },
  });
  app.decorateRequest('principal', null);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, bytes, done) => {
    try {
      done(null, readJson(bytes as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
  app.setValidatorCompiler(
    ({ schema }) =>
      (value: unknown) =>
        validate(schema as z.ZodType, value),
  );
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(refuseWith);
  app.setNotFoundHandler((request, reply) =>
    refuseWith(new Fault('route.unknown', 'There is no such route.'), request, reply),
  );
  return app;
}

/** Stands for compilers of Fastify's own, which it would load (a hundred modules, 50 ms) though all here are zod's. */
function unused(): never {
  throw new Error('No compiler of Fastify is used.');
}

function validate(schema: z.ZodType, value: unknown): { value: unknown } | { error: Error } {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return { value: parsed.data };
  const { message, ...place } = firstIssue(parsed.error);
  return { error: new Fault('request.invalid', message, place) };
}

/** Fastify's own errors, by its codes. Its HTTP answers never leave: each dialect gives its own. */
const FRAMEWORK_FAULTS: Readonly<Record<string, readonly [FaultCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['request.type', 'The body must be JSON: Content-Type application/json.'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['request.too_large', `The body is too large; allowed are ${BODY_LIMIT_BYTES} bytes.`],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['request.malformed', 'The body is not as long as Content-Length says.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['request.malformed', 'The body is empty; it must be JSON.'],
  FST_ERR_BAD_URL: ['request.malformed', 'The URL is malformed.'],
  FST_ERR_MAX_PARAM_LENGTH: ['route.unknown', 'There is no such route: a part of the path is too long.'],
};

function faultOfRequest(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const [code, message] = FRAMEWORK_FAULTS[(error as FastifyError).code] ?? [];
  if (code !== undefined && message !== undefined) return new Fault(code, message);
  return new Fault('internal', 'This failed for a reason on our side.', { cause: error });
}

const PARTS: Readonly<Record<string, RequestPart>> = { querystring: 'query', params: 'path', headers: 'header' };

function partOf(error: unknown, { pointer }: Fault, { body, params, query }: FastifyRequest): RequestPart {
  const context = (error as { validationContext?: string } | null)?.validationContext;
  if (context !== undefined || (body !== undefined && body !== null)) return PARTS[context ?? ''] ?? 'body';
  const name = pointer?.split('/')[1] ?? '';
  const parts = [
    ['path', params],
    ['query', query],
  ] as const;
  return parts.find(([, part]) => Object.hasOwn(part ?? {}, name))?.[0] ?? 'body';
}

/** Queries are left out: a link's signature is as good as a key. */
function logRequest(log: Log, dialect: Dialect, request: FastifyRequest, reply: FastifyReply): void {
  const { principal } = request;
  log.info(
    {
      request: request.id,
      dialect: dialect.name,
      method: request.method,
      path: request.url.split('?')[0],
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      ...(principal ? { key: principal.id, tenants: principal.tenants.map(({ id }) => id) } : {}),
    },
    'request',
  );
}
