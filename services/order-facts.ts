import { DAY_MS } from '../contracts/durations.ts';
import { AppError } from '../contracts/errors.ts';
import type { OrderReceived, ReceivedLine } from '../contracts/events/order-received.ts';
import { orderIdOf, shipToMarkOf } from '../contracts/ids.ts';
import { toMinor } from '../contracts/money.ts';
import type { ShippingAddress } from '../contracts/resources/order.ts';
import type { ShopifyAddress, ShopifyLine, ShopifyOrderBody } from '../contracts/shopify-order-body.ts';
import { customsDataOf } from './customs-data.ts';
import type { CustomerRow } from './store/customers.ts';

export interface OrderFacts {
  readonly received: OrderReceived;
  readonly customer: CustomerRow;
}

/** Everything not listed (partially paid, expired, unknown) is money that is not here yet; so is `authorized`. */
const PAYMENTS = new Map<string | null, OrderReceived['payment']>([
  ['paid', 'paid'],
  ['partially_refunded', 'paid'],
  ['refunded', 'refunded'],
  ['voided', 'voided'],
]);

/** @param status as bodies write it, in small letters. */
export const paymentOf = (status: string | null, buysAuthorized: boolean): OrderReceived['payment'] =>
  buysAuthorized && status === 'authorized' ? 'paid' : (PAYMENTS.get(status) ?? 'pending');

/** When somebody changes an order this long after it was placed, and it is new to us, nobody waits to hear of it. */
const RECENT_MS = 7 * DAY_MS;

const first = (...places: readonly (string | null | undefined)[]): string | null =>
  places.find((place) => place !== null && place !== undefined && place !== '') ?? null;

function minorAt(path: string, amount: string, currency: string): number {
  try {
    return toMinor(amount, currency);
  } catch (cause) {
    const fields = [{ path, message: `must be an exact amount in ${currency}` }];
    throw new AppError('body_invalid', 'the order has an amount that its currency cannot hold', {
      retryable: false,
      cause,
      fields,
    });
  }
}

/** What the buyer was asked for. Only mails tell it: one that its currency cannot hold is none. */
function presentedIn(body: ShopifyOrderBody): Pick<CustomerRow, 'total_minor' | 'total_currency'> {
  const set = body.current_total_price === null ? body.total_price_set : body.current_total_price_set;
  const { amount, currency_code: currency } = set?.presentment_money ?? { amount: '', currency_code: '' };
  try {
    return { total_minor: toMinor(amount, currency), total_currency: currency };
  } catch {
    return { total_minor: null, total_currency: null };
  }
}

const deliveredBy = (line: ShopifyLine): ReceivedLine['deliveredBy'] => {
  if (!line.requires_shipping || line.gift_card) return 'nobody';
  const service = line.fulfillment_service ?? 'manual';
  return service === 'manual' || service === 'gift_card' ? 'us' : 'other_service';
};

/** What Shopify calls the variant of a product that has only one. */
const NO_VARIANT = / - Default Title$/;

function toLine(
  line: ShopifyLine,
  index: number,
  currency: string,
  refunded: ReadonlyMap<string, number>,
): ReceivedLine {
  const units = line.current_quantity ?? line.quantity;
  return {
    lineId: line.id,
    variantId: line.variant_id,
    productId: line.product_id,
    sku: line.sku,
    title: first(line.name?.replace(NO_VARIANT, ''), line.title, line.sku) ?? 'Article',
    unitPriceMinor: minorAt(`line_items.${index}.price`, line.price, currency),
    units,
    openUnits: Math.min(units, line.fulfillable_quantity ?? units),
    ...(refunded.has(line.id) ? { refundedUnits: refunded.get(line.id) } : {}),
    deliveredBy: deliveredBy(line),
  };
}

const refundedUnits = ({ refunds }: ShopifyOrderBody): ReadonlyMap<string, number> => {
  const units = new Map<string, number>();
  for (const { line_item_id: id, quantity } of refunds.flatMap((refund) => refund.refund_line_items))
    units.set(id, (units.get(id) ?? 0) + quantity);
  return units;
};

const nameOf = (address: ShopifyAddress): string =>
  address.name ?? [address.first_name, address.last_name].filter((part) => part !== null).join(' ');

const toAddress = (address: ShopifyAddress): ShippingAddress => ({
  name: nameOf(address),
  company: address.company ?? '',
  address1: address.address1 ?? '',
  address2: address.address2 ?? '',
  city: address.city ?? '',
  province: address.province ?? '',
  provinceCode: address.province_code ?? '',
  zip: address.zip ?? '',
  country: address.country ?? '',
  countryCode: address.country_code?.toUpperCase() ?? '',
  phone: address.phone ?? '',
});

const isComplete = ({ name, address1, city, countryCode }: ShippingAddress): boolean =>
  [name, address1, city, countryCode].every((part) => part !== '');

/** Of what suppliers refuse an address for. Without the country's name, which is written in the language of whoever asks. */
export const markOf = (orderId: string, to: ShippingAddress): string =>
  shipToMarkOf(orderId, [
    to.name,
    to.company,
    to.address1,
    to.address2,
    to.city,
    to.provinceCode || to.province,
    to.zip,
    to.countryCode,
  ]);

/**
 * What an order body says, parted into facts for the bus and the customer's own row.
 * Amounts are in the shop's currency, as they stand after edits and refunds where the body says so.
 * @param shop myshopify domain that sent the body.
 * @param buysAuthorized the shop buys for money that is authorised and not captured yet.
 * @param toldAt when the shop had reason to tell of it: of an order that was created just now, its creation.
 * @throws AppError `body_invalid` when an amount does not fit its currency.
 */
export function toOrderFacts(
  body: ShopifyOrderBody,
  shop: string,
  buysAuthorized = false,
  toldAt: string = body.updated_at,
): OrderFacts {
  const orderId = orderIdOf(shop, body.id);
  const { currency, customer, shipping_address: ship, billing_address: bill } = body;
  const email = first(body.email, body.contact_email, customer?.email);
  const address = ship === null ? null : toAddress(ship);
  const hasAddress = address !== null && isComplete(address);
  const refunded = refundedUnits(body);
  const customs = customsDataOf(body);
  const [path, total] =
    body.current_total_price === null
      ? ['total_price', body.total_price]
      : ['current_total_price', body.current_total_price];
  const placedAt = body.processed_at ?? body.created_at;
  const isLate = Date.parse(toldAt) - Date.parse(placedAt) > RECENT_MS;
  return {
    received: {
      orderId,
      shop,
      shopOrderId: body.id,
      name: body.name ?? `#${body.id}`,
      currency,
      totalMinor: minorAt(path, total, currency),
      placedAt,
      sourceUpdatedAt: body.updated_at,
      test: body.test,
      cancelled: body.cancelled_at !== null,
      payment: paymentOf(body.financial_status, buysAuthorized),
      hasAddress,
      ...(hasAddress ? { shipToMark: markOf(orderId, address) } : {}),
      lines: body.line_items.map((line, index) => toLine(line, index, currency, refunded)),
      ...(isLate ? { history: true as const } : {}),
    },
    customer: {
      order_id: orderId,
      customer_id: customer?.id ?? null,
      name: bill === null ? null : first(nameOf(bill)),
      ...presentedIn(body),
      source_updated_at: body.updated_at,
      email,
      phone: first(body.phone, ship?.phone, customer?.phone, bill?.phone),
      locale: body.customer_locale,
      tax_id: customs.taxId,
      birthday: customs.birthday,
      national_address: customs.nationalAddress,
      shipping_address: address,
    },
  };
}
