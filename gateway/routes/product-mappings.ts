import { type H3Event, noContent } from 'h3';
import { AppError } from '../../contracts/errors.ts';
import { SUGGEST_CANDIDATES } from '../../contracts/requests/suggest-candidates.ts';
import {
  type MappingSuggestions,
  type ProductMapping,
  type ProductMappingList,
  ProductMappingQuery,
  PutProductMapping,
  SuggestionQuery,
  VariantId,
} from '../../contracts/resources/product-mapping.ts';
import type { Bus } from '../../services/bus/bus.ts';
import type { Store } from '../../services/store/store.ts';
import { deleteMapping, findMapping, findMappings, storeMappings } from '../mapping-store.ts';
import { cutPage } from '../page.ts';
import { invalid, readJson, readParam, readQuery } from '../read-input.ts';
import type { Route } from '../route.ts';
import { answerOf } from '../supplier-problem.ts';

/** Several calls to each supplier. */
const SUGGESTION_MS = 25_000;
/** Of other mappings: a SKU that so many variants share names nothing. */
const MOST_SUGGESTIONS = 20;

function variantIdIn(event: H3Event): string {
  const result = VariantId.safeParse(readParam(event, 'variantId'));
  if (result.success) return result.data;
  throw invalid('path', [{ path: 'variantId', message: 'must be the numeric id of a shop variant' }]);
}

const noMapping = (variantId: string): AppError =>
  new AppError('not_found', `there is no mapping of variant ${variantId}`, { retryable: false });

/** The next page begins behind this variant. */
function placeOf(cursor: string): string {
  const result = VariantId.safeParse(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (result.success) return result.data;
  throw invalid('query', [{ path: 'cursor', message: 'must be the nextCursor of an earlier answer' }]);
}

export const productMappingRoutes = (store: Store, bus: Bus): Route[] => [
  {
    method: 'GET',
    path: '/product-mappings',
    handle: async (event): Promise<ProductMappingList> => {
      const { limit, cursor, ...filter } = readQuery(event, ProductMappingQuery);
      const after = cursor === undefined ? undefined : placeOf(cursor);
      const found = await findMappings(store, { ...filter, after }, limit + 1);
      return cutPage(found, limit, ({ variantId }) => Buffer.from(variantId).toString('base64url'));
    },
  },
  {
    method: 'GET',
    path: '/product-mappings/suggestions',
    handle: async (event): Promise<MappingSuggestions> => {
      const { sku, country } = readQuery(event, SuggestionQuery);
      const known = await findMappings(store, { sku }, MOST_SUGGESTIONS);
      const own = known.flatMap(({ variantId, candidates }) =>
        candidates.map((candidate) => ({ candidate, fromVariantId: variantId, title: null })),
      );
      const found = await answerOf(
        bus.request(SUGGEST_CANDIDATES, { sku, country }, SUGGESTION_MS),
        'search',
      );
      return { ...found, suggestions: [...own, ...found.suggestions] };
    },
  },
  {
    method: 'PUT',
    path: '/product-mappings/:variantId',
    handle: async (event): Promise<ProductMapping> => {
      const variantId = variantIdIn(event);
      const body = await readJson(event, PutProductMapping);
      const [mapping] = await storeMappings(store, bus, [{ variantId, ...body }]);
      if (mapping === undefined) throw noMapping(variantId);
      return mapping;
    },
  },
  {
    method: 'GET',
    path: '/product-mappings/:variantId',
    handle: async (event): Promise<ProductMapping> => {
      const variantId = variantIdIn(event);
      const mapping = await findMapping(store, variantId);
      if (mapping === undefined) throw noMapping(variantId);
      return mapping;
    },
  },
  {
    method: 'DELETE',
    path: '/product-mappings/:variantId',
    handle: async (event) => {
      const variantId = variantIdIn(event);
      if (!(await deleteMapping(store, variantId))) throw noMapping(variantId);
      return noContent();
    },
  },
];
