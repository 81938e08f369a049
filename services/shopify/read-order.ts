import type { OrderReceived } from '../../contracts/events/order-received.ts';
import { ShopifyOrderBody } from '../../contracts/shopify-order-body.ts';
import { type OrderFacts, toOrderFacts } from '../order-facts.ts';
import { allNodes } from './connection.ts';
import { ORDER, OrderAnswer, type OrderLine, type OrderNow } from './order-operations.ts';
import { isOver, lineIdOf, type OpenWork } from './plan-fulfillments.ts';
import { type Ask, allWork } from './read-work.ts';

export interface Truth extends OrderFacts {
  readonly work: readonly OpenWork[];
  readonly risk: OrderNow['risk'];
}

/** Another service was asked, or must be: its fulfilment orders never let us create a fulfilment. */
export const isOthers = (work: OpenWork): boolean => {
  const actions = work.supportedActions.map(({ action }) => action);
  return (
    !isOver(work) &&
    !actions.includes('CREATE_FULFILLMENT') &&
    (work.requestStatus !== 'UNSUBMITTED' ||
      actions.includes('REQUEST_FULFILLMENT') ||
      actions.includes('EXTERNAL'))
  );
};

const openLinesOf = (work: readonly OpenWork[]): ReadonlySet<string> =>
  new Set(
    work
      .flatMap(({ lines }) => lines)
      .filter(({ remainingQuantity }) => remainingQuantity > 0)
      .map(({ lineItem }) => lineIdOf(lineItem)),
  );

/**
 * Lines that somebody else's service ships. An app sees only the kinds of fulfilment orders that its scopes name: what is
 * still to be shipped and stands in none of those that it sees has been given to others.
 */
function linesOfOthers(
  { cancelledAt }: OrderNow,
  lines: readonly OrderLine[],
  work: readonly OpenWork[],
): ReadonlySet<string> {
  const others = openLinesOf(work.filter(isOthers));
  // None at all: not routed yet, or hidden altogether. Those of a cancelled order are closed.
  if (work.length === 0 || cancelledAt !== null) return others;
  const seen = openLinesOf(work.filter((one) => !isOver(one)));
  const unseen = lines.filter(
    (line) => line.requiresShipping && line.unfulfilledQuantity > 0 && !seen.has(lineIdOf(line)),
  );
  return new Set([...others, ...unseen.map(lineIdOf)]);
}

const toAddress = (address: OrderNow['shippingAddress']): object | null =>
  address && {
    first_name: address.firstName,
    last_name: address.lastName,
    name: address.name,
    company: address.company,
    address1: address.address1,
    address2: address.address2,
    city: address.city,
    province: address.province,
    province_code: address.provinceCode,
    zip: address.zip,
    country: address.country,
    country_code: address.countryCodeV2,
    phone: address.phone,
  };

const idOf = (node: { readonly id: string } | null): string | null => node && lineIdOf(node);

const toLine = (line: OrderLine, others: ReadonlySet<string>): object => ({
  id: lineIdOf(line),
  variant_id: idOf(line.variant),
  product_id: idOf(line.product),
  sku: line.sku,
  title: line.title,
  name: line.name,
  price: line.originalUnitPriceSet.shopMoney.amount,
  quantity: line.quantity,
  current_quantity: line.currentQuantity,
  fulfillable_quantity: line.unfulfilledQuantity,
  requires_shipping: line.requiresShipping,
  gift_card: line.isGiftCard,
  fulfillment_service: others.has(lineIdOf(line)) ? 'another service' : 'manual',
});

/** The same order as its webhooks would write it, so that both ways in are read by the same rules. */
export function toOrderBody(
  order: OrderNow,
  lines: readonly OrderLine[],
  work: readonly OpenWork[],
): ShopifyOrderBody {
  const others = linesOfOthers(order, lines, work);
  const attributes = order.customAttributes.map(({ key, value }) => ({ name: key, value }));
  // The shop's own fields for what themes put into attributes.
  const own = order.localizedFields.nodes.map(({ key, value }) => ({ name: key, value }));
  return ShopifyOrderBody.parse({
    id: lineIdOf(order),
    name: order.name,
    currency: order.currencyCode,
    created_at: order.createdAt,
    processed_at: order.processedAt,
    updated_at: order.updatedAt,
    cancelled_at: order.cancelledAt,
    total_price: order.totalPriceSet.shopMoney.amount,
    current_total_price: order.currentTotalPriceSet.shopMoney.amount,
    financial_status: order.displayFinancialStatus?.toLowerCase() ?? null,
    test: order.test,
    email: order.email,
    phone: order.phone,
    customer_locale: order.customerLocale,
    shipping_address: toAddress(order.shippingAddress),
    billing_address: toAddress(order.billingAddress),
    note_attributes: [...own, ...attributes],
    line_items: lines.map((line) => toLine(line, others)),
  });
}

/**
 * What the shop says an order is now, with authorised money counted as its owner wants; null when this app does not see it (deleted, or hidden by age).
 * Throws ShopError as the client does, and AppError `body_invalid` for an amount that its currency cannot hold.
 */
export async function readOrder(
  ask: Ask,
  { shop, buysAuthorized }: { readonly shop: string; readonly buysAuthorized: boolean },
  shopOrderId: string,
): Promise<Truth | null> {
  const orderId = `gid://shopify/Order/${shopOrderId}`;
  const read = async (after: string | null) => (await ask(ORDER, { orderId, after }, OrderAnswer)).order;
  const order = await read(null);
  if (order === null) return null;
  const lines = await allNodes(order.lineItems, async (after) => (await read(after))?.lineItems);
  const work = await allWork(ask, orderId, order.fulfillmentOrders);
  const { received, customer } = toOrderFacts(toOrderBody(order, lines, work), shop, buysAuthorized);
  const reread: OrderReceived = {
    ...received,
    reread: true,
    canBeReread: true,
    ...(work.length === 0 ? { isRoutingHidden: true } : {}),
  };
  return { received: reread, customer, work, risk: order.risk };
}
