import { z } from 'zod';
import {
  AGENT_NEWS,
  type AgentNewsType,
  type NewsTaken,
  newsSubject,
  type PriceNews,
  type ProductNews,
} from '../../contracts/requests/agent-news.ts';
import type {
  MappedArticle,
  MappingCandidate,
  MappingEntry,
} from '../../contracts/resources/product-mapping.ts';
import type { AgentAnswer, AgentEndpoint } from '../../services/bus/agent-service.ts';
import type { Bus } from '../../services/bus/bus.ts';
import { isOutage } from '../../services/store/outage.ts';
import type { Sql, Store } from '../../services/store/store.ts';
import { findMapping, findMappings, noteInMappings, storeMappings } from '../mapping-store.ts';
import { check } from '../read-input.ts';
import { jsonOf, refusedAnswer, unreadable } from './serve-crew.ts';

/** Of one supplier's product: more variants than a shop has of it. */
const MOST_MAPPINGS = 1_000;
const CloudEvent = z.looseObject({ specversion: z.literal('1.0'), data: z.unknown() });

/** Without a mapping there is nothing to change yet; its SKU is learned with the first order. */
async function afterSku(sql: Sql, { variantId, sku = null }: ProductNews): Promise<MappingEntry[]> {
  const known = await findMapping(sql, variantId, 'for update');
  if (known === undefined || sku === null || sku === known.sku) return [];
  return [{ variantId, sku, candidates: known.candidates }];
}

function withPrice<A extends MappedArticle>(article: A, news: PriceNews): A {
  const isMeant =
    article.supplierProductId === news.supplierProductId &&
    article.supplierVariantId === news.supplierVariantId;
  // What was never seen has no labels to keep: its next quote is believed.
  if (!isMeant || article.seen === undefined) return article;
  const { unitPriceMinor, currency } = news;
  return { ...article, seen: { ...article.seen, unitPriceMinor, currency } };
}

const withPrices = (candidate: MappingCandidate, news: PriceNews): MappingCandidate =>
  candidate.supplier === news.supplier
    ? {
        ...withPrice(candidate, news),
        bundledWith: candidate.bundledWith.map((article) => withPrice(article, news)),
      }
    : candidate;

async function afterPrice(sql: Sql, news: PriceNews): Promise<MappingEntry[]> {
  const { supplier, supplierProductId } = news;
  const found = await findMappings(sql, { supplier, supplierProductId }, MOST_MAPPINGS, 'for update');
  return found.flatMap(({ variantId, sku, candidates }) => {
    const after = candidates.map((candidate) => withPrices(candidate, news));
    return JSON.stringify(after) === JSON.stringify(candidates)
      ? []
      : [{ variantId, sku, candidates: after }];
  });
}

/** A CloudEvent or its bare data. */
const dataOf = (payload: string): unknown => {
  const json = jsonOf(payload, 'news');
  const event = CloudEvent.safeParse(json);
  return event.success ? event.data.data : json;
};

/** Binds a contract to what its news does. */
function newsEndpoint<T>(
  type: AgentNewsType,
  contract: z.ZodType<T>,
  take: (news: T) => Promise<NewsTaken>,
): AgentEndpoint {
  const answer = async (payload: string): Promise<AgentAnswer> => {
    try {
      const taken = await take(check(contract, dataOf(payload), type));
      return { ok: true, status: 200, title: '', body: JSON.stringify(taken) };
    } catch (error) {
      if (isOutage(error))
        return refusedAnswer(503, 'store_unavailable', 'the database is away or too slow: send it again');
      return unreadable(error);
    }
  };
  return { subject: newsSubject(type), name: type.replaceAll('.', '_'), description: `Tell ${type}`, answer };
}

/**
 * What other agents tell us. Sent as a request, the answer says that it is stored; news without an answer has to be sent
 * again, and does no harm twice.
 */
export function newsEndpoints(store: Store, bus: Bus): AgentEndpoint[] {
  const takeProduct = async (news: ProductNews): Promise<NewsTaken> => {
    const { variantId, sku, candidates } = news;
    if (candidates === undefined)
      return { mappings: await noteInMappings(store, (sql) => afterSku(sql, news)) };
    return { mappings: (await storeMappings(store, bus, [{ variantId, sku, candidates }])).length };
  };
  const takePrice = async (news: PriceNews): Promise<NewsTaken> => ({
    mappings: await noteInMappings(store, (sql) => afterPrice(sql, news)),
  });
  return [
    newsEndpoint('product.created', AGENT_NEWS['product.created'], takeProduct),
    newsEndpoint('product.updated', AGENT_NEWS['product.updated'], takeProduct),
    newsEndpoint('price.changed', AGENT_NEWS['price.changed'], takePrice),
  ];
}
