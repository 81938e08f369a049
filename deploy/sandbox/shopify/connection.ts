import { GraphQLError } from 'graphql';

const MAX_PAGE = 250;

/** Arguments of every connection, as the schema has checked them. */
export interface PageArguments {
  first?: number | null;
  last?: number | null;
  after?: string | null;
  before?: string | null;
  reverse?: boolean | null;
}

/** `key` orders the rows and is what a cursor holds, so that a row that moved does not lose the place. */
export interface Row<T> {
  readonly key: string;
  readonly node: T;
}

const toCursor = (key: string): string => Buffer.from(key, 'utf8').toString('base64url');
const fromCursor = (cursor: string): string => Buffer.from(cursor, 'base64url').toString('utf8');

/** Rows of a list that never changes its order. */
export const inSequence = <T>(nodes: readonly T[]): Row<T>[] =>
  nodes.map((node, index) => ({ key: String(index).padStart(9, '0'), node }));

const badRequest = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'BAD_REQUEST' } });

/**
 * Throws GraphQLError unless exactly the paging arguments are given that Shopify asks for.
 * @param most rows that can be paged through; the rest might as well not be there.
 */
export function connection<T>(rows: readonly Row<T>[], page: PageArguments, most = Number.POSITIVE_INFINITY) {
  const size = page.first ?? page.last;
  if (size == null) throw badRequest('you must provide one of first or last');
  if (page.first != null && page.last != null)
    throw badRequest('providing both first and last is not supported');
  if (size < 0 || size > MAX_PAGE) throw badRequest(`first and last must be between 0 and ${MAX_PAGE}`);

  const direction = page.reverse === true ? -1 : 1;
  const sorted = [...rows]
    .sort((a, b) => (a.key < b.key ? -direction : a.key > b.key ? direction : 0))
    .slice(0, most);
  const isBehind = (key: string, mark: string): boolean => (direction === 1 ? key > mark : key < mark);
  const after = page.after == null ? null : fromCursor(page.after);
  const before = page.before == null ? null : fromCursor(page.before);
  const range = sorted.filter(
    ({ key }) => (after === null || isBehind(key, after)) && (before === null || isBehind(before, key)),
  );
  const taken = page.first == null ? range.slice(Math.max(0, range.length - size)) : range.slice(0, size);
  const edges = taken.map(({ key, node }) => ({ cursor: toCursor(key), node }));
  return {
    edges,
    nodes: taken.map(({ node }) => node),
    pageInfo: {
      hasNextPage: page.first == null ? before !== null : taken.length < range.length,
      hasPreviousPage: page.first == null ? taken.length < range.length : after !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}
