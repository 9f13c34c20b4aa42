import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';

interface BearerKey {
  readonly type: 'http';
  readonly scheme: 'bearer';
}

interface HeaderKey {
  readonly type: 'apiKey';
  readonly in: 'header';
  readonly name: string;
}

interface ApiInfo {
  readonly title: string;
  readonly version: string;
  readonly description: string;
  /** How requests show who asks, as OpenAPI has it; `KEYED` routes name it `key`. */
  readonly security: Readonly<Record<string, BearerKey | HeaderKey>>;
  /** What paths stand behind; empty for the root of wherever the document is. */
  readonly baseUrl: string;
}

/** OpenAPI 3.1 of the very schemas that validate, at `/openapi.json`, to be browsed at `/docs`. */
export async function registerOpenapi(app: FastifyInstance, { security, baseUrl, ...info }: ApiInfo): Promise<void> {
  const { default: swagger } = await import('@fastify/swagger');
  const { default: swaggerUi } = await import('@fastify/swagger-ui');
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info,
      servers: [{ url: baseUrl || '/' }],
      components: { securitySchemes: security },
    },
    transform: (document) => withBody(document, withHeaders(document)),
    transformObject: (document) => freeBodies(onlyAnswered(document)),
  });
  await app.register(swaggerUi, { routePrefix: '/docs' });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}

/** The transform leaves out what a response says of its headers. */
const withHeaders: typeof jsonSchemaTransform = (document) => {
  const transformed = jsonSchemaTransform(document);
  const responses = (transformed.schema?.response ?? {}) as Record<string, object>;
  for (const [status, said] of Object.entries((document.schema?.response ?? {}) as Record<string, object>)) {
    const response = responses[status];
    if (response && 'headers' in said) Object.assign(response, { headers: said.headers });
  }
  return transformed;
};

/** The generator takes every body for required; this marks those that may be left out. */
const FREE_BODY = 'x-body-may-be-left-out';

type Transformed = ReturnType<typeof jsonSchemaTransform>;

function withBody({ schema }: Parameters<typeof jsonSchemaTransform>[0], transformed: Transformed): Transformed {
  const isFree = schema?.body instanceof z.ZodType && schema.body.safeParse(undefined).success;
  if (isFree && transformed.schema) Object.assign(transformed.schema, { [FREE_BODY]: true });
  return transformed;
}

interface MarkedOperation {
  [FREE_BODY]?: true;
  requestBody?: { required: boolean };
}

function freeBodies<Whole extends object>(whole: Whole): Whole {
  const { paths } = whole as { paths: Record<string, Record<string, MarkedOperation>> };
  for (const operation of Object.values(paths).flatMap((item) => Object.values(item))) {
    if (operation[FREE_BODY] && operation.requestBody) operation.requestBody.required = false;
    delete operation[FREE_BODY];
  }
  return whole;
}

/** Named schemas come from every dialect, and each twice, as it is sent and as it is answered: those that nothing here names go. */
const onlyAnswered: typeof jsonSchemaTransformObject = (document) => {
  const whole = jsonSchemaTransformObject(document);
  const { paths, components } = whole as { paths: object; components: { schemas: Record<string, object> } };
  const named = new Set<string>();
  const waiting: unknown[] = [paths];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop())
    for (const [, name = ''] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      if (!named.has(name)) {
        named.add(name);
        waiting.push(components.schemas[name]);
      }
  for (const name of Object.keys(components.schemas)) if (!named.has(name)) delete components.schemas[name];
  return whole;
};
