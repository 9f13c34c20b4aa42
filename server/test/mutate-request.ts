import { draws, fc } from './draws.ts';
import type { Mutation } from './mutate.ts';
import { BAD_INSTANTS, word } from './mutate-values.ts';
import type { DocumentedParameter } from './openapi-check.ts';

const DRAWN = draws({ few: 10, many: 40 });

interface Place {
  readonly method: string;
  readonly path: string;
}

/** Wrong values of a parameter, by where it stands. */
export function parameterMutations(place: Place, parameter: DocumentedParameter): Mutation[] {
  switch (parameter.in) {
    case 'path':
      return pathMutations(place, parameter);
    case 'query':
      return queryMutations(place, parameter);
    case 'header':
      return headerMutations(place, parameter);
  }
}

/** An id that is none: nobody need be told where it stood, but there must be an answer. */
function pathMutations({ method, path }: Place, { name }: DocumentedParameter): Mutation[] {
  const ids = ['job', 'run', 'file', 'req'].flatMap((kind) => [
    `${kind}_`,
    `${kind}_${'0'.repeat(26)}`,
    `${kind}_${'i'.repeat(26)}`,
  ]);
  const hostile = [
    '%',
    '..',
    '.',
    '*',
    'null',
    '__proto__',
    'constructor',
    '\0',
    ' ',
    '\u{1f600}',
    'x'.repeat(200),
    'x'.repeat(300),
  ];
  const drawn = fc.sample(word, DRAWN).map((text) => `x${text}`);
  const encoded = [...ids, ...hostile, ...drawn].map((text) => encodeURIComponent(text).replaceAll('.', '%2E'));
  return [...encoded, '%zz', '%ff', '%c3%28', '%ed%a0%80', "'%20or%201=1--"].map((text) => ({
    property: `${method} ${path} path ${name}`,
    method,
    path: path.replace(`{${name}}`, text).replaceAll(/\{\w+\}/g, 'x'),
    pointer: null,
  }));
}

function queryMutations({ method, path }: Place, { name, schema }: DocumentedParameter): Mutation[] {
  const ofPath = path.replaceAll(/\{\w+\}/g, 'job_00000000000000000000000000');
  const wrong = (query: string): Mutation => ({
    property: `${method} ${path} query ${name}`,
    method,
    path: `${ofPath}?${query}`,
    pointer: `/${name}`,
  });
  const texts = wrongTexts(name, schema).map((text) => wrong(`${name}=${encodeURIComponent(text)}`));
  const twice = ['a', '1', '2026-01-01', 'queued', ''].flatMap((text) => [
    wrong(`${name}=${text}&${name}=${text}`),
    wrong(`${name}=${text}&x&${name}=&${name}`.replace('&x&', '&')),
  ]);
  return [...texts, ...twice];
}

function wrongTexts(name: string, schema: DocumentedParameter['schema']): readonly string[] {
  const drawn = fc.sample(word, DRAWN).map((text) => `x${text}`);
  if (schema.enum)
    return ['', ' ', 'null', ...schema.enum.flatMap((each: string) => [`${each} `, each.toUpperCase()]), ...drawn];
  if (name === 'limit') return [...BAD_LIMITS, ...drawn];
  if (name.startsWith('created')) return [...BAD_INSTANTS, ...drawn];
  if (name === 'cursor') return [...BAD_CURSORS, ...drawn];
  const { maxLength } = schema;
  return [
    '',
    ...fc.sample(fc.integer({ min: maxLength + 1, max: maxLength * 10 }), DRAWN).map((length) => 'd'.repeat(length)),
  ];
}

const BAD_LIMITS = [
  ...[
    '',
    ' ',
    '0',
    '00',
    '-1',
    '-0',
    '+1',
    '1.5',
    '1.0',
    '1e1',
    '0x10',
    '0b1',
    '1_0',
    '1,0',
    ' 5',
    '5 ',
    '5\n',
    '101',
    '1000',
  ],
  ...[
    '9007199254740993',
    '1e400',
    '9'.repeat(50),
    'NaN',
    'Infinity',
    'null',
    'true',
    'ten',
    '[]',
    '٥',
    '５',
    '5n',
    '5;6',
  ],
];

const encodedId = (id: string) => Buffer.from(id).toString('base64url');

const BAD_CURSORS = [
  ...[
    '',
    ' ',
    '0',
    'null',
    'next',
    'job_00000000000000000000000000',
    'x'.repeat(200),
    'x'.repeat(201),
    '=',
    '%',
    '!!!!',
  ],
  ...['file', 'req', 'audit', 'JOB', ''].map((kind) => encodedId(`${kind}_00000000000000000000000000`)),
  ...['job', 'run'].flatMap((kind) => [
    encodedId(`${kind}_`),
    encodedId(`${kind}_${'0'.repeat(25)}`),
    encodedId(`${kind}_${'0'.repeat(27)}`),
    encodedId(`${kind}_${'u'.repeat(26)}`),
    `${encodedId(`${kind}_${'0'.repeat(26)}`)}=`,
    `${encodedId(`${kind}_${'0'.repeat(26)}`)} `,
  ]),
];

/** Only what an HTTP client can send. */
function headerMutations({ method, path }: Place, { name }: DocumentedParameter): Mutation[] {
  const outside = fc
    .sample(fc.integer({ min: 0x80, max: 0xff }), DRAWN)
    .map((code) => `key-${String.fromCharCode(code)}`);
  const tooLong = fc.sample(fc.integer({ min: 256, max: 4000 }), DRAWN).map((length) => 'k'.repeat(length));
  const spaced = ['a b', 'a  b', 'a, b', 'a\tb', '', ' ', 'k k'.repeat(90)];
  return [...outside, ...tooLong, ...spaced].map((value) => ({
    property: `${method} ${path} header ${name}`,
    method,
    path,
    headers: { [name]: value },
    body: JSON.stringify({ dataset: 'events', format: 'csv' }),
    pointer: `/${name}`,
  }));
}

/** A query may have nothing the document does not name. */
export function extraQueryMutations({ method, path }: Place): Mutation[] {
  const ofPath = path.replaceAll(/\{\w+\}/g, 'job_00000000000000000000000000');
  const names = [
    'Limit',
    'limit ',
    'limit[]',
    'offset',
    'page',
    '__proto__',
    'constructor',
    'sort',
    ...fc.sample(word, 20).map((text) => `x-${text}`),
  ];
  return names.map((name) => ({
    property: `${method} ${path} query (more)`,
    method,
    path: `${ofPath}?${encodeURIComponent(name)}=1`,
    pointer: `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
  }));
}
