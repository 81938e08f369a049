import { GraphQLError } from 'graphql';
import { seesFulfillmentOrder } from './access-scopes.ts';
import { connection, inSequence, type PageArguments } from './connection.ts';
import { toGid } from './gid.ts';
import {
  type Address,
  displayFulfillmentStatusOf,
  type Fulfillment,
  type FulfillmentOrder,
  fulfillmentOrderStatusOf,
  type Line,
  remainingOf,
  type ShopOrder,
  unfulfilledOf,
} from './shop-order.ts';

/*
 * Views are plain objects whose functions graphql calls only for selected fields. What takes arguments or
 * leads to another object is a function, so that nothing is built that nobody asked for.
 */

const lineView = (order: ShopOrder, line: Line) => ({
  __typename: 'LineItem',
  id: toGid('LineItem', line.id),
  name: line.name,
  title: line.title,
  variantTitle: line.variantTitle,
  sku: line.sku,
  vendor: line.vendor,
  quantity: line.quantity,
  currentQuantity: line.currentQuantity,
  unfulfilledQuantity: () => unfulfilledOf(order, line),
  refundableQuantity: line.currentQuantity,
  requiresShipping: line.requiresShipping,
  isGiftCard: line.isGiftCard,
  customAttributes: line.customAttributes,
  originalUnitPriceSet: line.unitPrice,
  variant:
    line.variantId === null
      ? null
      : { id: toGid('ProductVariant', line.variantId), legacyResourceId: line.variantId, sku: line.sku },
  product:
    line.productId === null
      ? null
      : { id: toGid('Product', line.productId), legacyResourceId: line.productId },
});

/** Throws if the order lost a line, which it never does. */
function lineViewById(order: ShopOrder, lineItemId: string) {
  const line = order.lines.find(({ id }) => id === lineItemId);
  if (line === undefined) throw new Error(`order ${order.id} has no line ${lineItemId}`);
  return lineView(order, line);
}

const addressView = (order: ShopOrder, kind: string, address: Address | null) =>
  address === null ? null : { id: toGid('MailingAddress', `${order.id}?model_name=${kind}`), ...address };

const isMerchantManaged = ({ service }: FulfillmentOrder): boolean => service === 'manual';

/** What the app may do with it now; a foreign service's fulfilment orders never allow CREATE_FULFILLMENT. */
export function supportedActionsOf(order: ShopOrder, fulfillmentOrder: FulfillmentOrder): string[] {
  const status = fulfillmentOrderStatusOf(order, fulfillmentOrder);
  if (status === 'ON_HOLD') return ['RELEASE_HOLD', 'HOLD', 'MOVE'];
  if (status === 'SCHEDULED') return ['MARK_AS_OPEN', 'HOLD'];
  if (status !== 'OPEN' && status !== 'IN_PROGRESS') return [];
  if (!isMerchantManaged(fulfillmentOrder)) return ['REQUEST_FULFILLMENT', 'MOVE'];
  return status === 'OPEN'
    ? ['CREATE_FULFILLMENT', 'REPORT_PROGRESS', 'MOVE', 'HOLD']
    : ['CREATE_FULFILLMENT', 'MARK_AS_OPEN'];
}

/** The type FulfillmentHold. */
export const holdView = ({ id, handle, reason, reasonNotes, isOurs }: FulfillmentOrder['holds'][number]) => ({
  __typename: 'FulfillmentHold',
  id: toGid('FulfillmentHold', id),
  handle,
  reason,
  reasonNotes,
  heldByRequestingApp: isOurs,
});

/** The type FulfillmentOrder. */
export const fulfillmentOrderView = (order: ShopOrder, fulfillmentOrder: FulfillmentOrder) => ({
  __typename: 'FulfillmentOrder',
  id: toGid('FulfillmentOrder', fulfillmentOrder.id),
  orderId: toGid('Order', order.id),
  orderName: order.name,
  order: (): unknown => orderView(order),
  status: () => fulfillmentOrderStatusOf(order, fulfillmentOrder),
  requestStatus: 'UNSUBMITTED',
  createdAt: order.createdAt,
  updatedAt: order.updatedAt,
  fulfillAt: order.createdAt,
  assignedLocation: {
    name: fulfillmentOrder.location,
    countryCode: 'US',
    city: null,
  },
  deliveryMethod: {
    id: toGid('DeliveryMethod', fulfillmentOrder.id),
    methodType: order.shippingAddress === null ? 'NONE' : 'SHIPPING',
  },
  supportedActions: () =>
    supportedActionsOf(order, fulfillmentOrder).map((action) => ({ action, externalUrl: null })),
  fulfillmentHolds: fulfillmentOrder.holds.map(holdView),
  lineItems: (page: PageArguments) =>
    connection(
      inSequence(
        fulfillmentOrder.lines.map((line) => {
          const lineItem = lineViewById(order, line.lineItemId);
          return {
            id: toGid('FulfillmentOrderLineItem', line.id),
            lineItem,
            totalQuantity: line.totalQuantity,
            remainingQuantity: () => remainingOf(order, line),
            productTitle: lineItem.title,
            sku: lineItem.sku,
            variantTitle: lineItem.variantTitle,
            vendor: lineItem.vendor,
            requiresShipping: lineItem.requiresShipping,
          };
        }),
      ),
      page,
    ),
});

/** The type FulfillmentEvent. */
export const fulfillmentEventView = (event: Fulfillment['events'][number]) => ({
  ...event,
  id: toGid('FulfillmentEvent', event.id),
});

/** The latest happening wins, however late it was told. */
function latestEvent({ events }: Fulfillment) {
  return events.toSorted((a, b) => Date.parse(a.happenedAt) - Date.parse(b.happenedAt)).at(-1);
}

/** In the order in which they happened; at one moment in that in which they were told. */
const byHappening = ({ events }: Fulfillment) =>
  inSequence(events).map(({ key, node }) => ({
    key: `${new Date(node.happenedAt).toISOString()} ${key}`,
    node: fulfillmentEventView(node),
  }));

const happenedAt = ({ events }: Fulfillment, status: string): string | null =>
  events.find((event) => event.status === status)?.happenedAt ?? null;

/** The type Fulfillment. */
export const fulfillmentView = (order: ShopOrder, fulfillment: Fulfillment) => ({
  __typename: 'Fulfillment',
  id: toGid('Fulfillment', fulfillment.id),
  legacyResourceId: fulfillment.id,
  name: fulfillment.name,
  order: (): unknown => orderView(order),
  status: fulfillment.status,
  displayStatus: () =>
    fulfillment.status === 'CANCELLED' ? 'CANCELED' : (latestEvent(fulfillment)?.status ?? 'FULFILLED'),
  createdAt: fulfillment.createdAt,
  updatedAt: fulfillment.updatedAt,
  deliveredAt: () => happenedAt(fulfillment, 'DELIVERED'),
  inTransitAt: () => happenedAt(fulfillment, 'IN_TRANSIT'),
  requiresShipping: true,
  totalQuantity: fulfillment.lines.reduce((units, { quantity }) => units + quantity, 0),
  trackingInfo: ({ first }: { first?: number | null }) => fulfillment.tracking.slice(0, first ?? undefined),
  fulfillmentLineItems: (page: PageArguments) =>
    connection(
      inSequence(
        fulfillment.lines.map(({ id, lineItemId, quantity }) => ({
          id: toGid('FulfillmentLineItem', id),
          quantity,
          lineItem: () => lineViewById(order, lineItemId),
        })),
      ),
      page,
    ),
  events: (page: PageArguments) => connection(byHappening(fulfillment), page),
});

function refuseCustomer(): never {
  throw new GraphQLError(
    'Access denied for customer field. Required access: `read_customers` access scope.',
    {
      extensions: { code: 'ACCESS_DENIED', requiredAccess: '`read_customers` access scope.' },
    },
  );
}

const RECOMMENDATION_OF = {
  HIGH: 'CANCEL',
  MEDIUM: 'INVESTIGATE',
  LOW: 'ACCEPT',
  NONE: 'NONE',
  PENDING: 'NONE',
} as const;

/** The type LocalizedField. */
const localizedFieldView = ([key, value]: readonly [string, string]) => ({
  key,
  value,
  countryCode: key.slice(-2),
  purpose: key.startsWith('TAX') ? 'TAX' : 'SHIPPING',
  title: key,
});

/** The type Order. */
export const orderView = (order: ShopOrder) => ({
  __typename: 'Order',
  id: toGid('Order', order.id),
  legacyResourceId: order.id,
  name: order.name,
  email: order.email,
  phone: order.phone,
  note: order.note,
  tags: order.tags,
  test: order.test,
  confirmed: order.confirmed,
  sourceName: order.sourceName,
  customerLocale: order.customerLocale,
  createdAt: order.createdAt,
  processedAt: order.processedAt,
  updatedAt: order.updatedAt,
  closed: order.closedAt !== null,
  closedAt: order.closedAt,
  cancelledAt: order.cancelledAt,
  cancelReason: order.cancelReason,
  currencyCode: order.currencyCode,
  presentmentCurrencyCode: order.presentmentCurrencyCode,
  displayFinancialStatus: order.financialStatus,
  displayFulfillmentStatus: () => displayFulfillmentStatusOf(order),
  totalPriceSet: order.totalPrice,
  currentTotalPriceSet: order.currentTotalPrice,
  subtotalPriceSet: order.subtotalPrice,
  customAttributes: order.customAttributes,
  customer: refuseCustomer,
  localizedFields: (page: PageArguments) =>
    connection(inSequence(Object.entries(order.localizedFields).map(localizedFieldView)), page),
  shippingAddress: addressView(order, 'ShippingAddress', order.shippingAddress),
  billingAddress: addressView(order, 'BillingAddress', order.billingAddress),
  risk: {
    assessments: [{ riskLevel: order.riskLevel }],
    recommendation: RECOMMENDATION_OF[order.riskLevel],
  },
  requiresShipping: order.lines.some(({ requiresShipping }) => requiresShipping),
  lineItems: (page: PageArguments) =>
    connection(inSequence(order.lines.map((line) => lineView(order, line))), page),
  shippingLines: (page: PageArguments) =>
    connection(
      inSequence(order.shippingLines.map((line) => ({ ...line, id: toGid('ShippingLine', line.id) }))),
      page,
    ),
  fulfillmentOrders: (page: PageArguments, { scopes }: { readonly scopes: readonly string[] }) =>
    connection(
      inSequence(
        order.fulfillmentOrders
          .filter((fulfillmentOrder) => seesFulfillmentOrder(scopes, fulfillmentOrder))
          .map((fulfillmentOrder) => fulfillmentOrderView(order, fulfillmentOrder)),
      ),
      page,
    ),
  fulfillments: ({ first }: { first?: number | null }) =>
    order.fulfillments.slice(0, first ?? undefined).map((fulfillment) => fulfillmentView(order, fulfillment)),
});
