import assert from 'node:assert/strict';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Answer } from './server-ground.ts';

interface Media {
  readonly schema: object;
}

interface DocumentedResponse {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly schema: object }>>;
  readonly content?: Readonly<Record<string, Media>>;
}

export interface DocumentedParameter {
  readonly name: string;
  readonly in: 'query' | 'path' | 'header';
  readonly required?: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: JSON schemas are walked as they come
  readonly schema: any;
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly DocumentedParameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Readonly<Record<string, Media>> };
  readonly security?: readonly object[];
  readonly responses: Readonly<Record<string, DocumentedResponse>>;
}

export interface OpenapiDocument {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

/** Headers that mean something to a client; one that is sent must be documented. */
const TOLD_HEADERS = [
  'x-request-id',
  'location',
  'retry-after',
  'www-authenticate',
  'allow',
  'etag',
  'accept-ranges',
  'content-range',
  'content-disposition',
  'repr-digest',
];

/** Throws unless it is OpenAPI 3.1 in which nothing is left open: references, names, parameters, ways to end. */
export function checkDocument(document: OpenapiDocument): void {
  assert.match(document.openapi, /^3\.1\.\d+$/);
  const text = JSON.stringify(document);
  for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g))
    assert.ok(document.components.schemas[name ?? ''], `nothing is called ${name}`);
  assert.doesNotMatch(text.replaceAll('"$ref":"#/components/schemas/', ''), /"\$ref"/);
  for (const name of Object.keys(document.components.schemas))
    assert.ok(text.includes(`"#/components/schemas/${name}"`), `${name} is used nowhere`);
  const ajv = new Ajv2020({ strict: false, logger: false });
  for (const schema of schemasIn(document)) assert.ok(ajv.validateSchema(schema), JSON.stringify(schema));
  const operations = operationsOf(document);
  assert.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, operations.length);
  for (const { method, path, operation } of operations) checkOperation(`${method} ${path}`, path, operation);
}

function checkOperation(place: string, path: string, operation: Operation): void {
  assert.ok(operation.operationId && operation.summary, place);
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const declared = operation.parameters?.filter((each) => each.in === 'path') ?? [];
  assert.deepEqual(new Set(declared.map(({ name }) => name)), new Set(inPath), place);
  for (const parameter of operation.parameters ?? []) {
    assert.ok(parameter.schema.type, `${place}: ${parameter.name} has no type`);
    assert.equal(parameter.required === true, parameter.in === 'path', `${place}: ${parameter.name}`);
  }
  const statuses = Object.keys(operation.responses);
  for (const status of statuses) assert.match(status, /^([1-5]\d\d|[1-5]XX)$/, place);
  for (const { description, headers } of Object.values(operation.responses)) {
    assert.ok(description && description !== 'Default Response', place);
    for (const [name, { schema }] of Object.entries(headers ?? {}))
      assert.ok('type' in schema, `${place}: ${name} has no type`);
  }
  assert.ok(statuses.includes('4XX') && statuses.includes('5XX') && statuses.some((each) => each < '4'), place);
}

function schemasIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'schema' ? [inner] : key === 'schemas' ? Object.values(inner) : schemasIn(inner),
  );
}

interface PlacedOperation {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

function operationsOf({ paths }: OpenapiDocument): PlacedOperation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

/** Holds answers to what the document says of them. */
export class Contract {
  readonly document: OpenapiDocument;
  /** `GET /v1/jobs 200`, for every answer that was held to it. */
  readonly seen = new Set<string>();
  readonly #ajv: Ajv2020;

  constructor(document: OpenapiDocument) {
    this.document = document;
    this.#ajv = new Ajv2020({ strict: false, allErrors: true, logger: false });
    this.#ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6}Z$/);
    this.#ajv.addFormat('binary', true);
    this.#ajv.addSchema(document, 'api');
  }

  /** Every operation with its method and path. */
  operations(): PlacedOperation[] {
    return operationsOf(this.document);
  }

  /** Throws unless status, content type, headers and body are as documented for the route. */
  check(method: string, url: string, answer: Answer): void {
    const path = this.pathOf(url);
    const documented = method === 'HEAD' ? 'GET' : method;
    const operation = path === null ? undefined : this.document.paths[path]?.[documented.toLowerCase()];
    const place = `${method} ${path ?? url} ${answer.status}`;
    if (!operation) {
      this.#checkProblem(place, answer);
      return;
    }
    this.seen.add(`${documented} ${path} ${answer.status}`);
    const range = `${Math.floor(answer.status / 100)}XX`;
    const status = operation.responses[answer.status] ? String(answer.status) : range;
    const response = operation.responses[status];
    assert.ok(response, `${place} is not documented: ${answer.text}`);
    checkHeaders(place, response, answer);
    if (method === 'HEAD' || !response.content) assert.equal(answer.text, '', `${place} has a body`);
    if (!response.content) return;
    const type = mediaTypeOf(answer);
    assert.ok(response.content[type], `${place} came as ${type}, documented are ${Object.keys(response.content)}`);
    if (type === 'application/problem+json') this.#checkProblem(place, answer, method === 'HEAD');
    const isFile = 'format' in (response.content[type]?.schema ?? {});
    if (method === 'HEAD' || type !== 'application/json' || isFile) return;
    const inside = ['paths', path ?? '', documented.toLowerCase(), 'responses', status, 'content', type, 'schema'];
    this.#validate(place, inside, answer.json);
  }

  /** The documented path a URL lies under. */
  pathOf(url: string): string | null {
    const { pathname } = new URL(url, 'http://host');
    const parts = pathname.split('/');
    const found = Object.keys(this.document.paths).filter((path) => {
      const wanted = path.split('/');
      return wanted.length === parts.length && wanted.every((part, at) => part.startsWith('{') || part === parts[at]);
    });
    return found[0] ?? null;
  }

  /** Problems are the same everywhere. */
  #checkProblem(place: string, answer: Answer, isHead = place.startsWith('HEAD')): void {
    assert.equal(mediaTypeOf(answer), 'application/problem+json', `${place}: ${answer.text}`);
    assert.match(answer.headers.get('x-request-id') ?? '', /^req_/, place);
    if (isHead) return;
    this.#validate(place, ['components', 'schemas', 'Problem'], answer.json);
    assert.equal(answer.json.status, answer.status, place);
    assert.match(answer.json.code, /^[a-z]+(\.[a-z_]+)?$/, place);
    assert.equal(answer.json.requestId, answer.headers.get('x-request-id'), place);
    assert.equal(answer.status === 401, answer.headers.has('www-authenticate'), place);
    if ([429, 503, 507].includes(answer.status))
      assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/, `${place} has no Retry-After`);
  }

  #validate(place: string, inside: readonly string[], value: unknown): void {
    const pointer = inside.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')));
    const validate: ValidateFunction | undefined = this.#ajv.getSchema(`api#/${pointer.join('/')}`);
    assert.ok(validate, `${place}: there is no schema at ${inside.join(' ')}`);
    assert.ok(validate(value), `${place}: ${this.#ajv.errorsText(validate.errors)}: ${JSON.stringify(value)}`);
  }
}

function checkHeaders(place: string, { headers = {} }: DocumentedResponse, answer: Answer): void {
  for (const name of TOLD_HEADERS)
    if (answer.headers.has(name)) assert.ok(headers[name], `${place} has ${name}, which is not documented`);
  assert.match(answer.headers.get('x-request-id') ?? '', /^req_/, place);
}

export function mediaTypeOf(answer: Answer): string {
  return (answer.headers.get('content-type') ?? '').split(';')[0] ?? '';
}
