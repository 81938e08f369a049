import { seesFulfillmentOrder } from './access-scopes.ts';
import { connection, inSequence, type PageArguments } from './connection.ts';
import { fromGid, toGid } from './gid.ts';
import { parseOrderSearch, type SearchWarning } from './order-search.ts';
import { fulfillmentOrderView, fulfillmentView, orderView } from './order-view.ts';
import type { Shop } from './shop.ts';
import type { ShopOrder } from './shop-order.ts';
import type { Subscription, Webhooks } from './webhooks.ts';

/** The type WebhookSubscription. */
export const subscriptionView = ({ id, topic, uri, createdAt }: Subscription) => ({
  __typename: 'WebhookSubscription',
  id: toGid('WebhookSubscription', id),
  topic,
  uri,
  name: null,
  createdAt,
});

type SortKey = 'CREATED_AT' | 'ID' | 'PROCESSED_AT' | 'UPDATED_AT';

interface OrdersArguments extends PageArguments {
  query?: string | null;
  sortKey?: SortKey | null;
}

function sortText(order: ShopOrder, sortKey: SortKey): string {
  const id = order.id.padStart(20, '0');
  switch (sortKey) {
    case 'ID':
      return id;
    case 'CREATED_AT':
      return `${order.createdAt} ${id}`;
    case 'PROCESSED_AT':
      return `${order.processedAt} ${id}`;
    case 'UPDATED_AT':
      return `${order.updatedAt} ${id}`;
  }
}

/** One per request. */
export interface SearchContext {
  /** What the app may do. */
  readonly scopes: readonly string[];
  /** How many orders a search pages through. */
  readonly searchRows: number;
  /** Receives what the shop ignores in a search text. */
  warn(query: string, warnings: SearchWarning[]): void;
}

/** The root resolvers of every query; graphql hands them the request's SearchContext. */
export const createQueries = (shop: Shop, webhooks: Webhooks) => {
  const order = (gid: string) => {
    const found = shop.order(fromGid('Order', gid) ?? '');
    return found === undefined ? null : orderView(found);
  };
  const fulfillmentOrder = (gid: string, scopes: readonly string[]) => {
    const found = shop.fulfillmentOrder(fromGid('FulfillmentOrder', gid) ?? '');
    return found === undefined || !seesFulfillmentOrder(scopes, found.fulfillmentOrder)
      ? null
      : fulfillmentOrderView(found.order, found.fulfillmentOrder);
  };
  const fulfillment = (gid: string) => {
    const found = shop.fulfillment(fromGid('Fulfillment', gid) ?? '');
    return found === undefined ? null : fulfillmentView(found.order, found.fulfillment);
  };
  return {
    order: ({ id }: { id: string }) => order(id),
    fulfillmentOrder: ({ id }: { id: string }, { scopes }: SearchContext) => fulfillmentOrder(id, scopes),
    fulfillment: ({ id }: { id: string }) => fulfillment(id),
    node: ({ id }: { id: string }, { scopes }: SearchContext) =>
      order(id) ?? fulfillmentOrder(id, scopes) ?? fulfillment(id),
    orders({ query, sortKey, ...page }: OrdersArguments, { warn, searchRows }: SearchContext) {
      const search = parseOrderSearch(query ?? '');
      if (search.warnings.length > 0) warn(query ?? '', search.warnings);
      const rows = shop
        .orders()
        .filter(search.matches)
        .map((found) => ({ key: sortText(found, sortKey ?? 'PROCESSED_AT'), node: found }));
      const found = connection(rows, page, searchRows);
      return {
        ...found,
        edges: found.edges.map(({ cursor, node }) => ({ cursor, node: orderView(node) })),
        nodes: found.nodes.map(orderView),
      };
    },
    ordersCount: ({ query, limit }: { query?: string | null; limit?: number | null }) => {
      const count = shop.orders().filter(parseOrderSearch(query ?? '').matches).length;
      return { count: Math.min(count, limit ?? Number.POSITIVE_INFINITY) };
    },
    webhookSubscriptions: (page: PageArguments) =>
      connection(inSequence(webhooks.subscriptions().map(subscriptionView)), page),
    shop: {
      id: toGid('Shop', '70000000001'),
      name: 'Sandbox shop',
      myshopifyDomain: shop.domain,
      currencyCode: 'USD',
      ianaTimezone: 'America/New_York',
      email: 'owner@sandbox-shop.example',
      url: `https://${shop.domain}`,
    },
    currentAppInstallation: {
      id: toGid('AppInstallation', '70000000002'),
      accessScopes: (_: object, { scopes }: SearchContext) =>
        scopes.map((handle) => ({ handle, description: `Scope ${handle}` })),
    },
  };
};
