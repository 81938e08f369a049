import { z } from 'zod';

const Nullable = z.string().nullable();

const Money = z.object({ amount: z.string(), currencyCode: z.string() });
const MoneyBag = z.object({ shopMoney: Money, presentmentMoney: Money });
export type MoneyBag = z.infer<typeof MoneyBag>;

const Attribute = z.object({ key: z.string(), value: Nullable });

const Address = z.object({
  firstName: Nullable,
  lastName: Nullable,
  name: Nullable,
  company: Nullable,
  address1: Nullable,
  address2: Nullable,
  city: Nullable,
  province: Nullable,
  provinceCode: Nullable,
  zip: Nullable,
  country: Nullable,
  countryCodeV2: Nullable,
  phone: Nullable,
  latitude: z.number().nullable(),
  longitude: z.number().nullable(),
});
export type Address = z.infer<typeof Address>;

const Line = z.object({
  id: z.string(),
  name: z.string(),
  title: z.string(),
  variantTitle: Nullable,
  sku: Nullable,
  vendor: Nullable,
  variantId: Nullable,
  productId: Nullable,
  quantity: z.int(),
  currentQuantity: z.int(),
  /** What nobody had shipped or removed when the order came in. */
  fulfillableQuantity: z.int(),
  requiresShipping: z.boolean(),
  isGiftCard: z.boolean(),
  /** `manual`, `gift_card`, or the handle of somebody else's service. */
  service: z.string(),
  customAttributes: z.array(Attribute),
  unitPrice: MoneyBag,
});
export type Line = z.infer<typeof Line>;

const FulfillmentHold = z.object({
  id: z.string(),
  handle: Nullable,
  reason: z.string(),
  reasonNotes: Nullable,
  /** Placed by the app that this world knows, not by a person or another app. */
  isOurs: z.boolean(),
});

const FulfillmentOrder = z.object({
  id: z.string(),
  service: z.string(),
  location: z.string().default('Sandbox warehouse'),
  holds: z.array(FulfillmentHold).default([]),
  /** Due on a later day, as of a subscription. */
  isScheduled: z.boolean().default(false),
  lines: z.array(z.object({ id: z.string(), lineItemId: z.string(), totalQuantity: z.int() })),
});
export type FulfillmentOrder = z.infer<typeof FulfillmentOrder>;

const FulfillmentEvent = z.object({
  id: z.string(),
  status: z.string(),
  happenedAt: z.string(),
  createdAt: z.string(),
  estimatedDeliveryAt: Nullable,
  message: Nullable,
  address1: Nullable,
  city: Nullable,
  province: Nullable,
  country: Nullable,
  zip: Nullable,
  latitude: z.number().nullable(),
  longitude: z.number().nullable(),
});
export type FulfillmentEvent = z.infer<typeof FulfillmentEvent>;

const Fulfillment = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  createdAt: z.string(),
  updatedAt: z.string(),
  tracking: z.array(z.object({ company: Nullable, number: Nullable, url: Nullable })),
  /** `fulfillmentOrderLineId` is null for shipments that came in with the order. */
  lines: z.array(
    z.object({ id: z.string(), fulfillmentOrderLineId: Nullable, lineItemId: z.string(), quantity: z.int() }),
  ),
  events: z.array(FulfillmentEvent),
  /** How often the buyer was mailed about it. */
  notifications: z.int(),
  isImported: z.boolean(),
});
export type Fulfillment = z.infer<typeof Fulfillment>;

/** One order of the sandbox shop with everything that hangs on it. Ids are digits as text. */
export const ShopOrder = z.object({
  id: z.string(),
  name: z.string(),
  email: Nullable,
  phone: Nullable,
  note: Nullable,
  tags: z.array(z.string()),
  test: z.boolean(),
  confirmed: z.boolean(),
  sourceName: Nullable,
  customerLocale: Nullable,
  createdAt: z.string(),
  processedAt: z.string(),
  updatedAt: z.string(),
  closedAt: Nullable,
  cancelledAt: Nullable,
  cancelReason: Nullable,
  currencyCode: z.string(),
  presentmentCurrencyCode: z.string(),
  financialStatus: Nullable,
  totalPrice: MoneyBag,
  currentTotalPrice: MoneyBag,
  subtotalPrice: MoneyBag.nullable(),
  customAttributes: z.array(Attribute),
  /** Shopify's own fields by their keys, as `SHIPPING_CREDENTIAL_BR`: its webhooks do not carry them. */
  localizedFields: z.record(z.string(), z.string()).default({}),
  shippingAddress: Address.nullable(),
  billingAddress: Address.nullable(),
  lines: z.array(Line),
  shippingLines: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      code: Nullable,
      source: Nullable,
      carrierIdentifier: Nullable,
    }),
  ),
  fulfillmentOrders: z.array(FulfillmentOrder),
  fulfillments: z.array(Fulfillment),
  /** What the shop's own check for fraud says. */
  riskLevel: z.enum(['HIGH', 'MEDIUM', 'LOW', 'NONE', 'PENDING']).default('LOW'),
  isDeleted: z.boolean().default(false),
});
export type ShopOrder = z.infer<typeof ShopOrder>;

/** Lines that left by fulfilments of this API, cancelled ones not counted. */
const leftLines = (order: ShopOrder) =>
  order.fulfillments
    .filter(({ status, isImported }) => status !== 'CANCELLED' && !isImported)
    .flatMap(({ lines }) => lines);

const sum = (lines: readonly { quantity: number }[]): number =>
  lines.reduce((total, { quantity }) => total + quantity, 0);

/** Units of a fulfilment order line that nobody has shipped. */
export const remainingOf = (
  order: ShopOrder,
  { id, totalQuantity }: FulfillmentOrder['lines'][number],
): number =>
  Math.max(
    0,
    totalQuantity -
      sum(leftLines(order).filter(({ fulfillmentOrderLineId }) => fulfillmentOrderLineId === id)),
  );

/** Units of an order line that nobody has shipped. */
export const unfulfilledOf = (order: ShopOrder, { id, fulfillableQuantity }: Line): number =>
  Math.max(0, fulfillableQuantity - sum(leftLines(order).filter(({ lineItemId }) => lineItemId === id)));

/** A value of FulfillmentOrderStatus, reckoned from what remains. */
export function fulfillmentOrderStatusOf(
  order: ShopOrder,
  { lines, holds, isScheduled }: FulfillmentOrder,
): string {
  if (order.cancelledAt !== null) return 'CANCELLED';
  const remaining = lines.reduce((total, line) => total + remainingOf(order, line), 0);
  if (remaining === 0) return 'CLOSED';
  if (holds.length > 0) return 'ON_HOLD';
  if (isScheduled) return 'SCHEDULED';
  const total = lines.reduce((units, { totalQuantity }) => units + totalQuantity, 0);
  return remaining === total ? 'OPEN' : 'IN_PROGRESS';
}

/** A value of OrderDisplayFulfillmentStatus. */
export function displayFulfillmentStatusOf(order: ShopOrder): string {
  const open = order.lines.reduce((units, line) => units + unfulfilledOf(order, line), 0);
  if (open === 0) return 'FULFILLED';
  return order.fulfillments.some(({ status }) => status === 'SUCCESS')
    ? 'PARTIALLY_FULFILLED'
    : 'UNFULFILLED';
}
