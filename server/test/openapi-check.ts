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
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly security?: readonly object[];
  readonly responses: Readonly<Record<string, DocumentedResponse>>;
}

interface OpenapiDocument {
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
  operations(): { readonly method: string; readonly path: string; readonly operation: Operation }[] {
    return Object.entries(this.document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
    );
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
