import { z } from 'zod';
import { PageInfo } from './connection.ts';
import { orEmpty, orNull } from './or-null.ts';
import { UserErrors } from './user-errors.ts';
import { FIRST_WORK } from './work-fields.ts';
import { WorkPage } from './work-operations.ts';

/** Whoever stands between us and the shop may make a number of what is all digits, as an amount or a postcode. */
const Text = z.union([z.string(), z.number()]).transform(String);
/** Personal data is null or left out for an app that may not see it. */
const Hidden = orNull(Text);
const Address = orNull(z.record(z.string(), Hidden));
const Money = z.object({ shopMoney: z.object({ amount: Text }) });
const Total = Money.extend({
  presentmentMoney: orNull(z.object({ amount: Text, currencyCode: z.string() })),
});
const OrderLine = z.object({
  id: z.string(),
  title: z.string(),
  name: z.string(),
  sku: orNull(Text),
  quantity: z.int(),
  currentQuantity: z.int(),
  unfulfilledQuantity: z.int(),
  requiresShipping: z.boolean(),
  isGiftCard: z.boolean(),
  originalUnitPriceSet: Money,
  variant: orNull(z.object({ id: z.string() })),
  product: orNull(z.object({ id: z.string() })),
});
export type OrderLine = z.infer<typeof OrderLine>;

const ADDRESS =
  'firstName lastName name company address1 address2 city province provinceCode zip country countryCodeV2 phone';

/**
 * What an order is now, with its first fulfilment orders and the shop's own judgement of fraud. Null for an order that was deleted, or that is older
 * than sixty days and hidden from an app without `read_all_orders`. About 400 points.
 */
export const ORDER = `
  query OrderNow($orderId: ID!, $after: String) {
    order(id: $orderId) {
      id
      name
      email
      phone
      test
      customerLocale
      createdAt
      processedAt
      updatedAt
      cancelledAt
      currencyCode
      displayFinancialStatus
      totalPriceSet { shopMoney { amount } }
      currentTotalPriceSet { shopMoney { amount } presentmentMoney { amount currencyCode } }
      customAttributes { key value }
      localizedFields(first: 10) { nodes { key value } }
      shippingAddress { ${ADDRESS} }
      billingAddress { ${ADDRESS} }
      risk { recommendation assessments { riskLevel } }
      ${FIRST_WORK}
      lineItems(first: 40, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id
          title
          name
          sku
          quantity
          currentQuantity
          unfulfilledQuantity
          requiresShipping
          isGiftCard
          originalUnitPriceSet { shopMoney { amount } }
          variant { id }
          product { id }
        }
      }
    }
  }
`;
const OrderNow = z.object({
  id: z.string(),
  name: z.string(),
  email: Hidden,
  phone: Hidden,
  test: z.boolean(),
  customerLocale: Hidden,
  createdAt: z.string(),
  processedAt: orNull(z.string()),
  updatedAt: z.string(),
  cancelledAt: orNull(z.string()),
  currencyCode: z.string(),
  displayFinancialStatus: orNull(z.string()),
  totalPriceSet: Money,
  currentTotalPriceSet: Total,
  customAttributes: orEmpty(z.object({ key: z.string(), value: orNull(z.string()) })),
  localizedFields: z
    .object({ nodes: z.array(z.object({ key: z.string(), value: Hidden })) })
    .nullish()
    .transform((fields) => fields ?? { nodes: [] }),
  shippingAddress: Address,
  billingAddress: Address,
  // An order that nobody has judged is no order that cannot be read.
  risk: z
    .object({
      recommendation: z.string(),
      assessments: z.array(z.object({ riskLevel: z.string() })),
    })
    .nullish()
    .transform((risk) => risk ?? { recommendation: 'NONE', assessments: [] }),
  fulfillmentOrders: WorkPage,
  lineItems: z.object({ pageInfo: PageInfo, nodes: z.array(OrderLine) }),
});
export type OrderNow = z.infer<typeof OrderNow>;
export const OrderAnswer = z.object({ order: OrderNow.nullable() });

/**
 * Orders in the order of their last change, `query` as `updated_at:>='…'`. The index behind it lags some seconds, rows
 * move while they are read, and an app without `read_all_orders` sees sixty days. 100 points.
 */
export const ORDERS_CHANGED = `
  query OrdersChanged($query: String!, $after: String) {
    orders(first: 100, after: $after, query: $query, sortKey: UPDATED_AT) {
      pageInfo { hasNextPage endCursor }
      nodes { id updatedAt cancelledAt displayFinancialStatus }
    }
  }
`;
export const OrdersChangedAnswer = z.object({
  orders: z.object({
    pageInfo: PageInfo,
    nodes: z.array(
      z.object({
        id: z.string(),
        updatedAt: z.iso.datetime({ offset: true }),
        cancelledAt: orNull(z.string()),
        displayFinancialStatus: orNull(z.string()),
      }),
    ),
  }),
});

export const COUNT_ORDERS = `
  query CountOrders($query: String!) {
    ordersCount(query: $query, limit: null) { count }
  }
`;
export const CountOrdersAnswer = z.object({ ordersCount: z.object({ count: z.int() }).nullable() });

/** Whose fulfilment order this is. */
export const ORDER_OF_FULFILLMENT_ORDER = `
  query OrderOfFulfillmentOrder($fulfillmentOrderId: ID!) {
    fulfillmentOrder(id: $fulfillmentOrderId) {
      id
      orderId
    }
  }
`;
export const OrderOfFulfillmentOrderAnswer = z.object({
  fulfillmentOrder: z.object({ id: z.string(), orderId: z.string() }).nullable(),
});

/** A repeat is harmless. */
export const ADD_TAGS = `
  mutation AddTags($orderId: ID!, $tags: [String!]!) {
    tagsAdd(id: $orderId, tags: $tags) {
      userErrors { field message }
    }
  }
`;
export const AddTagsAnswer = z.object({ tagsAdd: UserErrors });

export const ORDER_NOTE = `
  query OrderNote($orderId: ID!) {
    order(id: $orderId) {
      id
      note
    }
  }
`;
export const OrderNoteAnswer = z.object({
  order: z.object({ id: z.string(), note: orNull(z.string()) }).nullable(),
});

/** Overwrites the note: read it first, under the order's lease. */
export const UPDATE_NOTE = `
  mutation UpdateNote($input: OrderInput!) {
    orderUpdate(input: $input) {
      userErrors { field message }
    }
  }
`;
export const UpdateNoteAnswer = z.object({ orderUpdate: UserErrors });
