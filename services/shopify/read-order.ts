import type { OrderReceived, ReceivedLine } from '../../contracts/events/order-received.ts';
import { ShopifyOrderBody } from '../../contracts/shopify-order-body.ts';
import { type OrderFacts, toOrderFacts } from '../order-facts.ts';
import { allNodes } from './connection.ts';
import { ORDER, OrderAnswer, type OrderLine, type OrderNow } from './order-operations.ts';
import {
  isForCarrier,
  isOthers,
  isOver,
  lineIdOf,
  type OpenWork,
  orderGidOf,
  toUnitsByLine,
  type UnitsByLine,
} from './plan-fulfillments.ts';
import { type Ask, allWork } from './read-work.ts';

export interface Truth extends OrderFacts {
  readonly work: readonly OpenWork[];
  readonly risk: OrderNow['risk'];
}

/**
 * Units that we are to ship, by line; null where the shop does not say: not routed yet or hidden altogether, or closed
 * with the order that was cancelled. An app sees only the kinds of fulfilment orders that its scopes name: what is still
 * to be shipped and stands in none of those that it sees has been given to others. What is on hold, or due later, counts.
 */
const unitsForUs = ({ cancelledAt }: OrderNow, work: readonly OpenWork[]): UnitsByLine | null =>
  work.length === 0 || cancelledAt !== null
    ? null
    : toUnitsByLine(
        work
          .filter((one) => !isOver(one) && !isOthers(one) && isForCarrier(one))
          .flatMap(({ lines }) => lines)
          .map(({ lineItem, remainingQuantity }) => [lineIdOf(lineItem), remainingQuantity]),
      );

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

const oursOf = (line: OrderLine, forUs: UnitsByLine | null): number =>
  forUs === null || !line.requiresShipping
    ? line.unfulfilledQuantity
    : Math.min(line.unfulfilledQuantity, forUs.get(lineIdOf(line)) ?? 0);

const toLine = (line: OrderLine, ours: number): object => ({
  id: lineIdOf(line),
  variant_id: idOf(line.variant),
  product_id: idOf(line.product),
  sku: line.sku,
  title: line.title,
  name: line.name,
  price: line.originalUnitPriceSet.shopMoney.amount,
  quantity: line.quantity,
  current_quantity: line.currentQuantity,
  // Of a line that is all theirs, the units that wait for a person's word.
  fulfillable_quantity: ours === 0 ? line.unfulfilledQuantity : ours,
  requires_shipping: line.requiresShipping,
  gift_card: line.isGiftCard,
  fulfillment_service: ours === 0 && line.unfulfilledQuantity > 0 ? 'another service' : 'manual',
});

/** The same order as its webhooks would write it, so that both ways in are read by the same rules. */
export function toOrderBody(
  order: OrderNow,
  lines: readonly OrderLine[],
  work: readonly OpenWork[],
): ShopifyOrderBody {
  const forUs = unitsForUs(order, work);
  const attributes = order.customAttributes.map(({ key, value }) => ({ name: key, value }));
  // The shop's own fields for what themes put into attributes.
  const own = order.localizedFields.nodes.map(({ key, value }) => ({ name: key, value }));
  const { shopMoney, presentmentMoney } = order.currentTotalPriceSet;
  return ShopifyOrderBody.parse({
    id: lineIdOf(order),
    name: order.name,
    currency: order.currencyCode,
    created_at: order.createdAt,
    processed_at: order.processedAt,
    updated_at: order.updatedAt,
    cancelled_at: order.cancelledAt,
    total_price: order.totalPriceSet.shopMoney.amount,
    current_total_price: shopMoney.amount,
    current_total_price_set: presentmentMoney && {
      presentment_money: { amount: presentmentMoney.amount, currency_code: presentmentMoney.currencyCode },
    },
    financial_status: order.displayFinancialStatus?.toLowerCase() ?? null,
    test: order.test,
    email: order.email,
    phone: order.phone,
    customer_locale: order.customerLocale,
    shipping_address: toAddress(order.shippingAddress),
    billing_address: toAddress(order.billingAddress),
    note_attributes: [...own, ...attributes],
    line_items: lines.map((line) => toLine(line, oursOf(line, forUs))),
  });
}

/** Without an address the shop knows no way of delivery: that is no word that nothing is to be sent. */
const withoutNone = (work: OpenWork): OpenWork =>
  work.deliveryMethod?.methodType === 'NONE' ? { ...work, deliveryMethod: null } : work;

const withShare = (line: ReceivedLine, unfulfilled: number): ReceivedLine =>
  line.deliveredBy === 'us' && line.openUnits < Math.min(line.units, unfulfilled)
    ? { ...line, isShared: true }
    : line;

/** How lines are delivered that no carrier brings. */
const byHand = (work: readonly OpenWork[]): ReadonlyMap<string, string> =>
  new Map(
    work
      .filter((one) => !isOver(one) && !isForCarrier(one))
      .flatMap(({ lines, deliveryMethod }) =>
        lines.map(({ lineItem }) => [lineIdOf(lineItem), deliveryMethod?.methodType ?? '']),
      ),
  );

const withMethod = (line: ReceivedLine, deliveryMethod: string | undefined): ReceivedLine =>
  line.deliveredBy === 'other_service' && deliveryMethod !== undefined ? { ...line, deliveryMethod } : line;

/**
 * What the shop says an order is now, with authorised money counted as its owner wants; null when this app does not see it (deleted, or hidden by age).
 * Throws ShopError as the client does, and AppError `body_invalid` for an amount that its currency cannot hold.
 */
export async function readOrder(
  ask: Ask,
  { shop, buysAuthorized }: { readonly shop: string; readonly buysAuthorized: boolean },
  shopOrderId: string,
): Promise<Truth | null> {
  const orderId = orderGidOf(shopOrderId);
  const read = async (after: string | null) => (await ask(ORDER, { orderId, after }, OrderAnswer)).order;
  const order = await read(null);
  if (order === null) return null;
  const lines = await allNodes(order.lineItems, async (after) => (await read(after))?.lineItems);
  const work = (await allWork(ask, orderId, order.fulfillmentOrders)).map((one) =>
    order.shippingAddress === null ? withoutNone(one) : one,
  );
  const { received, customer } = toOrderFacts(toOrderBody(order, lines, work), shop, buysAuthorized);
  const unfulfilled = new Map(lines.map((line) => [lineIdOf(line), line.unfulfilledQuantity]));
  const methods = byHand(work);
  const reread: OrderReceived = {
    ...received,
    lines: received.lines.map((line) =>
      withMethod(withShare(line, unfulfilled.get(line.lineId) ?? 0), methods.get(line.lineId)),
    ),
    reread: true,
    canBeReread: true,
    ...(work.length === 0 ? { isRoutingHidden: true } : {}),
  };
  return { received: reread, customer, work, risk: order.risk };
}
