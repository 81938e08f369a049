import { toGid } from './gid.ts';
import {
  type Address,
  displayFulfillmentStatusOf,
  type Fulfillment,
  type Line,
  type ShopOrder,
  unfulfilledOf,
} from './shop-order.ts';

const addressBody = (address: Address | null): object | null =>
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

/** Digits as the JSON number that the shop sends; larger ids than a double holds are not played here. */
const number = (id: string): number => Number(id);

const lineBody = (order: ShopOrder, line: Line): object => ({
  id: number(line.id),
  admin_graphql_api_id: toGid('LineItem', line.id),
  variant_id: line.variantId === null ? null : number(line.variantId),
  product_id: line.productId === null ? null : number(line.productId),
  title: line.title,
  name: line.name,
  sku: line.sku ?? '',
  price: line.unitPrice.shopMoney.amount,
  quantity: line.quantity,
  current_quantity: line.currentQuantity,
  fulfillable_quantity: unfulfilledOf(order, line),
  fulfillment_service: line.service,
  requires_shipping: line.requiresShipping,
  gift_card: line.isGiftCard,
});

const FULFILLMENT_STATUS: Readonly<Record<string, string>> = {
  FULFILLED: 'fulfilled',
  PARTIALLY_FULFILLED: 'partial',
};

/** An order as the shop's webhooks write it. */
export const toRestOrder = (order: ShopOrder): object => ({
  id: number(order.id),
  admin_graphql_api_id: toGid('Order', order.id),
  name: order.name,
  email: order.email ?? '',
  phone: order.phone,
  note: order.note,
  tags: order.tags.join(', '),
  test: order.test,
  customer_locale: order.customerLocale,
  created_at: order.createdAt,
  processed_at: order.processedAt,
  updated_at: order.updatedAt,
  closed_at: order.closedAt,
  cancelled_at: order.cancelledAt,
  cancel_reason: order.cancelReason?.toLowerCase() ?? null,
  currency: order.currencyCode,
  presentment_currency: order.presentmentCurrencyCode,
  financial_status: order.financialStatus?.toLowerCase() ?? null,
  fulfillment_status: FULFILLMENT_STATUS[displayFulfillmentStatusOf(order)] ?? null,
  total_price: order.totalPrice.shopMoney.amount,
  current_total_price: order.currentTotalPrice.shopMoney.amount,
  note_attributes: order.customAttributes.map(({ key, value }) => ({ name: key, value })),
  shipping_address: addressBody(order.shippingAddress),
  billing_address: addressBody(order.billingAddress),
  line_items: order.lines.map((line) => lineBody(order, line)),
});

/** A fulfilment as `fulfillments/create` and `fulfillments/update` write it. */
export const toRestFulfillment = (order: ShopOrder, fulfillment: Fulfillment): object => ({
  id: number(fulfillment.id),
  admin_graphql_api_id: toGid('Fulfillment', fulfillment.id),
  order_id: number(order.id),
  status: fulfillment.status.toLowerCase(),
  created_at: fulfillment.createdAt,
  updated_at: fulfillment.updatedAt,
  tracking_company: fulfillment.tracking[0]?.company ?? null,
  tracking_numbers: fulfillment.tracking.flatMap(({ number: text }) => text ?? []),
  line_items: fulfillment.lines.map(({ lineItemId, quantity }) => ({ id: number(lineItemId), quantity })),
});
