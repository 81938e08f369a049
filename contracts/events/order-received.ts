import { z } from 'zod';
import { OrderRules } from '../order-rules.ts';

/** The shop told us about an order. Repeats and newer versions of one order carry the same shape. */
export const ORDER_RECEIVED = 'order.received';
/** A later body of the same order; applied only when `sourceUpdatedAt` is newer than what is stored. */
export const ORDER_UPDATED = 'order.updated';

/** In the place of the shop for an order that was made by the API. */
export const NO_SHOP = 'api';

export const ReceivedLine = z.object({
  lineId: z.string().min(1),
  variantId: z.string().nullable(),
  productId: z.string().nullable(),
  sku: z.string().nullable(),
  title: z.string(),
  unitPriceMinor: z.int(),
  /** Units ordered, less what an edit or refund has taken away. */
  units: z.int().nonnegative(),
  /** Of those, the units that nobody has shipped yet; of a shared line our part of them. */
  openUnits: z.int().nonnegative(),
  /** The shop gave others a part of what nobody has shipped: only a reading sees that, and no body that it tells. */
  isShared: z.literal(true).optional(),
  /** Units that refunds name, whether or not they took them away. */
  refundedUnits: z.int().nonnegative().optional(),
  /**
   * Who delivers the open units: `us`; `nobody` for digital goods and gift cards; `other_service` when the shop routed
   * the line to somebody else's fulfilment service.
   */
  deliveredBy: z.enum(['us', 'nobody', 'other_service']),
  /** Of a line of another service that is none: how the shop has it delivered without a carrier. Only a reading sees that. */
  deliveryMethod: z.string().optional(),
});
export type ReceivedLine = z.infer<typeof ReceivedLine>;

/** Facts only: names, addresses and contact stay in the database. */
export const OrderReceived = z.object({
  orderId: z.string(),
  shop: z.string(),
  shopOrderId: z.string(),
  name: z.string(),
  currency: z.string().length(3),
  totalMinor: z.int(),
  /** ISO, in the shop's own zone where it says one. */
  placedAt: z.string(),
  /** UTC with milliseconds, so that two of them compare as text. */
  sourceUpdatedAt: z.iso.datetime({ precision: 3 }),
  /** Read from the shop by us, not told by it: as it stands there, also where its clock of seconds shows no change. */
  reread: z.literal(true).optional(),
  /**
   * Read when the shop showed us no fulfilment order of it: who delivers a line that is known stays as it was, and
   * `deliveredBy` counts for the others alone.
   */
  isRoutingHidden: z.literal(true).optional(),
  /** Of the past when it was told or brought in: if it is new to us, the customer is told nothing of it now. */
  history: z.literal(true).optional(),
  /** The shop can be asked what the order is now, because there is a login for it. */
  canBeReread: z.boolean().optional(),
  test: z.boolean(),
  cancelled: z.boolean(),
  payment: z.enum(['pending', 'paid', 'refunded', 'voided']),
  /** Whether name, street, city and country are there to ship to. */
  hasAddress: z.boolean(),
  /** Another one: another address. Absent without a whole one, and for orders that no shop tells of. */
  shipToMark: z.string().max(2).optional(),
  lines: z.array(ReceivedLine),
  /** Put in by the order host, so that a timeline leads to the same state whatever is set by then. */
  rules: OrderRules.optional(),
  /** It was placed before its database was restored: what the shop shows as shipped may be what we bought and forgot. */
  isFromBackup: z.literal(true).optional(),
});
export type OrderReceived = z.infer<typeof OrderReceived>;
