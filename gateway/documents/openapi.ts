import { z } from 'zod';
import { Problem } from '../../contracts/resources/problem.ts';
import { type Route, scopeOf } from '../route.ts';
import { type Content, type RouteDoc, TAGS } from './route-doc.ts';

/** Of the API: the first number grows when a client of today would break. */
const API_VERSION = '1.0.0';

type Json = Readonly<Record<string, unknown>>;

/** Contracts that stand in the document under a name of their own; all others are written out where they are used. */
export type NamedContracts = Readonly<Record<string, z.ZodType>>;

/** What every route can answer, and those with a key besides. */
const COMMON_PROBLEMS = [400, 500, 503];
const KEY_PROBLEMS = [401, 403, 429];
const PROBLEM_TEXTS: Readonly<Record<number, string>> = {
  400: 'The body or a part of the request cannot be read.',
  401: 'The key is missing or not right.',
  403: 'The key does not allow this.',
  404: 'There is nothing under this id.',
  409: 'What is asked for does not fit the present state; the detail says what is still possible.',
  413: 'The body is larger than this route takes.',
  415: 'The body is of a media type that this route does not take.',
  422: 'A field is not as it must be; `errors` names each by its path.',
  429: 'Too many requests with this key; Retry-After says when to come back.',
  500: 'Something went wrong here; the log says more under the X-Request-Id of this answer.',
  502: 'The supplier refused or could not be understood.',
  503: 'A part that is needed does not answer; Retry-After says when to come back.',
  504: 'The supplier did not answer in time.',
};

/** `components` collects the named contracts that were met, so that the document holds those and no others. */
export function createSchemas(named: NamedContracts) {
  const registry = z.registry<{ id: string }>();
  for (const [id, contract] of Object.entries(named)) registry.add(contract, { id });
  const components: Record<string, Json> = {};

  const rename = (value: unknown, suffix: string): unknown => {
    if (Array.isArray(value)) return value.map((item) => rename(item, suffix));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) =>
        key === '$ref' && typeof item === 'string'
          ? [key, item.replace(/^#\/\$defs\/(.+)$/, `#/components/schemas/$1${suffix}`)]
          : [key, rename(item, suffix)],
      ),
    );
  };

  return {
    components,
    /** @param io what people send (`input`: defaults are optional) or what they get (`output`). */
    of(contract: z.ZodType, io: 'input' | 'output'): Json {
      const suffix = io === 'input' ? 'Input' : '';
      const {
        $schema: _schema,
        $defs = {},
        ...own
      } = z.toJSONSchema(contract, {
        metadata: registry,
        io,
        target: 'draft-2020-12',
        override: ({ jsonSchema }) => {
          // Answers may grow: a client that refuses what it does not know would break on every new field.
          if (io === 'output') delete jsonSchema.additionalProperties;
        },
      });
      for (const [id, schema] of Object.entries($defs))
        components[`${id}${suffix}`] = rename(schema, suffix) as Json;
      return rename(own, suffix) as Json;
    },
  };
}

type Schemas = ReturnType<typeof createSchemas>;

const contentOf = (schemas: Schemas, contents: readonly Content[], io: 'input' | 'output'): Json =>
  Object.fromEntries(
    contents.map((content) => {
      if ('mediaType' in content)
        return [content.mediaType, { schema: { type: 'string', description: content.description } }];
      const example = content.example === undefined ? {} : { example: content.example };
      return ['application/json', { schema: schemas.of(content.json, io), ...example }];
    }),
  );

function parametersOf(schemas: Schemas, path: string, doc: RouteDoc): Json[] {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    description: doc.params?.[name] ?? name,
    schema: { type: 'string' },
  }));
  const inQuery = Object.entries(doc.query?.shape ?? {}).map(([name, contract]) => {
    const isRequired = !contract.safeParse(undefined).success;
    const { description, ...schema } = schemas.of(contract, 'input');
    return { name, in: 'query', required: isRequired, ...(description ? { description } : {}), schema };
  });
  const inHeader = Object.entries(doc.headers ?? {}).map(([name, { description, required = false }]) => ({
    name,
    in: 'header',
    required,
    description,
    schema: { type: 'string' },
  }));
  return [...inPath, ...inQuery, ...inHeader];
}

const operationId = ({ method, path }: Route): string =>
  [method.toLowerCase(), ...path.split(/[/:.-]+/).filter((part) => part !== '')]
    .map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1)))
    .join('');

const problemsOf = ({ isOpen = false }: Route, doc: RouteDoc): number[] => {
  const ofBody = doc.body === undefined ? [] : [413, 415, 422];
  const ofQuery = doc.query === undefined && !doc.params ? [] : [422];
  const all = [
    ...COMMON_PROBLEMS,
    ...(isOpen ? [] : KEY_PROBLEMS),
    ...ofBody,
    ...ofQuery,
    ...(doc.problems ?? []),
  ];
  return [...new Set(all)].sort();
};

function operationOf(schemas: Schemas, route: Route, doc: RouteDoc): Json {
  const { isOpen = false } = route;
  const answers = Object.entries(doc.answers).map(([status, contents]) => [
    status,
    {
      description: contents === null ? 'Done; there is nothing to say.' : 'As asked for.',
      ...(contents === null ? {} : { content: contentOf(schemas, contents, 'output') }),
    },
  ]);
  const problems = problemsOf(route, doc).map((status) => [
    String(status),
    {
      description: PROBLEM_TEXTS[status] ?? 'A problem; its code says which.',
      content: { 'application/problem+json': { schema: schemas.of(Problem, 'output') } },
    },
  ]);
  return {
    operationId: operationId(route),
    tags: [doc.tag],
    summary: doc.summary,
    description: [doc.description, isOpen ? undefined : `Needs a key that may \`${scopeOf(route)}\`.`]
      .filter((text) => text !== undefined)
      .join('\n\n'),
    parameters: parametersOf(schemas, route.path, doc),
    ...(doc.body === undefined
      ? {}
      : { requestBody: { required: true, content: contentOf(schemas, doc.body, 'input') } }),
    responses: Object.fromEntries([...answers, ...problems]),
    security: isOpen ? [] : [{ apiKey: [] }],
  };
}

/** `GET /orders/:orderId`, the key of a route in the table of its documents. */
export const routeKey = ({ method, path }: Pick<Route, 'method' | 'path'>): string => `${method} ${path}`;

export interface ApiDescription {
  readonly docs: Readonly<Record<string, RouteDoc>>;
  readonly named: NamedContracts;
}

/** The OpenAPI 3.1 document of these routes. @throws RangeError for a route that nobody described. */
export function toOpenApi(routes: readonly Route[], { docs, named }: ApiDescription): Json {
  const schemas = createSchemas({ ...named, Problem });
  const paths: Record<string, Record<string, Json>> = {};
  const used = new Set<string>();
  for (const route of routes) {
    const doc = docs[routeKey(route)];
    if (doc === undefined) throw new RangeError(`${routeKey(route)} is in no document`);
    used.add(doc.tag);
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(schemas, route, doc) };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Order Manager',
      version: API_VERSION,
      description:
        'Takes shop orders, buys each unit exactly once from dropshipping suppliers and follows every parcel. ' +
        'Errors are RFC 9457 problems with a stable `code`. Amounts are integers in minor units of their currency.',
      license: { name: 'Proprietary', identifier: 'LicenseRef-Proprietary' },
    },
    servers: [{ url: '/', description: 'This order manager' }],
    tags: Object.entries(TAGS)
      .filter(([name]) => used.has(name))
      .map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas.components).sort(([a], [b]) => a.localeCompare(b))),
      securitySchemes: { apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' } },
    },
  };
}
