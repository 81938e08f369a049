import type { z } from 'zod';
import type {
  NameValue,
  RestAddress,
  RestFulfillment,
  RestLine,
  RestMoneySet,
  RestOrder,
} from './rest-order.ts';
import type { Address, MoneyBag, ShopOrder } from './shop-order.ts';

const instant = (text: string): string => `${new Date(text).toISOString().slice(0, 19)}Z`;
const maybeInstant = (text: string | null): string | null => (text === null ? null : instant(text));

function moneyBag(set: RestMoneySet, amount: string, currencyCode: string): MoneyBag {
  const money = (part: NonNullable<RestMoneySet>['shop_money'] | undefined) =>
    part === undefined ? { amount, currencyCode } : { amount: part.amount, currencyCode: part.currency_code };
  return { shopMoney: money(set?.shop_money), presentmentMoney: money(set?.presentment_money) };
}

const attributes = (pairs: readonly z.infer<typeof NameValue>[]) =>
  pairs.map(({ name, value }) => ({ key: name, value: value == null ? null : String(value) }));

function properties(value: z.infer<typeof RestLine>['properties']) {
  if (value == null) return [];
  if (Array.isArray(value)) return attributes(value);
  return Object.entries(value).map(([key, entry]) => ({ key, value: entry == null ? null : String(entry) }));
}

const address = (body: z.infer<typeof RestAddress> | null | undefined): Address | null =>
  body == null
    ? null
    : {
        firstName: body.first_name,
        lastName: body.last_name,
        name: body.name,
        company: body.company,
        address1: body.address1,
        address2: body.address2,
        city: body.city,
        province: body.province,
        provinceCode: body.province_code,
        zip: body.zip,
        country: body.country,
        countryCodeV2: body.country_code,
        phone: body.phone,
        latitude: body.latitude,
        longitude: body.longitude,
      };

type Lines = ShopOrder['lines'];

/**
 * Shopify's routing, as far as we play it: what is to be shipped goes into one fulfilment order of the
 * merchant, and into one more per foreign service.
 */
function route(lines: Lines, nextId: () => string): ShopOrder['fulfillmentOrders'] {
  const shippable = lines.filter(
    ({ requiresShipping, isGiftCard, fulfillableQuantity }) =>
      requiresShipping && !isGiftCard && fulfillableQuantity > 0,
  );
  return [...Map.groupBy(shippable, ({ service }) => service)].map(([service, group]) => ({
    id: nextId(),
    service,
    location: service === 'manual' ? 'Sandbox warehouse' : service,
    holds: [],
    isScheduled: false,
    lines: group.map(({ id, fulfillableQuantity }) => ({
      id: nextId(),
      lineItemId: id,
      totalQuantity: fulfillableQuantity,
    })),
  }));
}

const shipped = (body: z.infer<typeof RestFulfillment>): ShopOrder['fulfillments'][number] => ({
  id: body.id,
  name: body.name ?? '',
  status: body.status.toUpperCase(),
  createdAt: instant(body.created_at),
  updatedAt: instant(body.updated_at ?? body.created_at),
  tracking: body.tracking_numbers.map((number, index) => ({
    company: body.tracking_company,
    number,
    url: body.tracking_urls[index] ?? null,
  })),
  lines: body.line_items.map(({ id, quantity }) => ({
    id,
    fulfillmentOrderLineId: null,
    lineItemId: id,
    quantity,
  })),
  events: [],
  notifications: 0,
  isImported: true,
});

/** The order as the shop keeps it. `nextId` gives ids for what Shopify makes by itself. */
export function toShopOrder(body: RestOrder, nextId: () => string): ShopOrder {
  const { currency } = body;
  const lines: Lines = body.line_items.map((line) => ({
    id: line.id,
    name: line.name ?? line.title,
    title: line.title,
    variantTitle: line.variant_title,
    sku: line.sku,
    vendor: line.vendor,
    variantId: line.variant_id ?? null,
    productId: line.product_id ?? null,
    quantity: line.quantity,
    currentQuantity: line.current_quantity ?? line.quantity,
    fulfillableQuantity: line.fulfillable_quantity ?? line.quantity,
    requiresShipping: line.requires_shipping ?? true,
    isGiftCard: line.gift_card ?? false,
    service: line.fulfillment_service ?? 'manual',
    customAttributes: properties(line.properties),
    unitPrice: moneyBag(line.price_set, line.price, currency),
  }));
  const totalPrice = moneyBag(body.total_price_set, body.total_price, currency);
  return {
    id: body.id,
    name: body.name,
    email: body.email,
    phone: body.phone,
    note: body.note,
    tags: (body.tags ?? '').split(',').flatMap((tag) => tag.trim() || []),
    test: body.test ?? false,
    confirmed: body.confirmed ?? true,
    sourceName: body.source_name,
    customerLocale: body.customer_locale,
    createdAt: instant(body.created_at),
    processedAt: instant(body.processed_at ?? body.created_at),
    updatedAt: instant(body.updated_at ?? body.created_at),
    closedAt: maybeInstant(body.closed_at),
    cancelledAt: maybeInstant(body.cancelled_at),
    cancelReason: body.cancel_reason?.toUpperCase() ?? null,
    currencyCode: currency,
    presentmentCurrencyCode: body.presentment_currency ?? currency,
    financialStatus: body.financial_status?.toUpperCase() ?? null,
    totalPrice,
    currentTotalPrice:
      body.current_total_price_set == null
        ? totalPrice
        : moneyBag(body.current_total_price_set, '0', currency),
    subtotalPrice: body.subtotal_price_set == null ? null : moneyBag(body.subtotal_price_set, '0', currency),
    customAttributes: attributes(body.note_attributes),
    localizedFields: {},
    shippingAddress: address(body.shipping_address),
    billingAddress: address(body.billing_address),
    lines,
    shippingLines: body.shipping_lines
      .filter(({ is_removed }) => is_removed !== true)
      .map(({ id, title, code, source, carrier_identifier }) => ({
        id,
        title: title ?? '',
        code,
        source,
        carrierIdentifier: carrier_identifier,
      })),
    fulfillmentOrders: route(lines, nextId),
    riskLevel: 'LOW',
    isDeleted: false,
    fulfillments: body.fulfillments.map(shipped),
  };
}
