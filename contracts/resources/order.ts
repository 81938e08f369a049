import { z } from 'zod';
import { HoldReason, OrderStateName, SupplierName, UnitChangeCause } from '../vocabulary.ts';
import { HoldView } from './hold.ts';
import { dateRange, ListQuery } from './list-query.ts';
import { SupplierOrderView } from './supplier-order.ts';

export const OrderSummary = z.object({
  id: z.string(),
  shop: z.string(),
  shopOrderId: z.string(),
  name: z.string(),
  status: OrderStateName,
  held: z.boolean(),
  holdReasons: z.array(HoldReason),
  currency: z.string(),
  totalMinor: z.int(),
  placedAt: z.string(),
  archivedAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type OrderSummary = z.infer<typeof OrderSummary>;

export const OrderList = z.object({ items: z.array(OrderSummary), nextCursor: z.string().nullable() });
export type OrderList = z.infer<typeof OrderList>;

export const ShippingAddress = z.object({
  name: z.string(),
  company: z.string(),
  address1: z.string(),
  address2: z.string(),
  city: z.string(),
  province: z.string(),
  provinceCode: z.string(),
  zip: z.string(),
  country: z.string(),
  countryCode: z.string(),
  phone: z.string(),
});
export type ShippingAddress = z.infer<typeof ShippingAddress>;

export const OrderView = OrderSummary.extend({
  customer: z.object({
    email: z.string().nullable(),
    phone: z.string().nullable(),
    locale: z.string().nullable(),
    shippingAddress: ShippingAddress.nullable(),
    note: z.string().nullable(),
  }),
  lines: z.array(
    z.object({
      lineId: z.string(),
      variantId: z.string().nullable(),
      sku: z.string().nullable(),
      title: z.string(),
      unitPriceMinor: z.int(),
      units: z.object({
        ordered: z.int(),
        outside: z.int(),
        unallocated: z.int(),
        held: z.int(),
        onSupplierOrders: z.int(),
        cancelled: z.int(),
      }),
      /** Units by what it would take to call them back. */
      cancellable: z.object({ free: z.int(), mustAsk: z.int(), tooLate: z.int() }),
      /** Where its units are bought. */
      allocations: z.array(z.object({ supplierOrderId: z.string(), units: z.int() })),
      /** Edits, refunds and cancels, as differences of units, oldest first. */
      changes: z.array(
        z.object({ cause: UnitChangeCause, ordered: z.int(), cancelled: z.int(), at: z.iso.datetime() }),
      ),
    }),
  ),
  holds: z.array(HoldView),
  supplierOrders: z.array(SupplierOrderView),
  totals: z.object({
    orderMinor: z.int(),
    currency: z.string(),
    /** Of the purchases that live: what they were quoted at, and what the suppliers said that they cost. */
    purchases: z.array(z.object({ currency: z.string(), expectedMinor: z.int(), amountMinor: z.int() })),
  }),
});
export type OrderView = z.infer<typeof OrderView>;

export const OrderListQuery = ListQuery.extend({
  status: OrderStateName.optional(),
  /** Orders with a purchase there. */
  supplier: SupplierName.optional(),
  holdReason: HoldReason.optional(),
  ...dateRange,
  /**
   * An id of an order or supplier order; else a name or its beginning, whether or not with `#`; else, when no name begins
   * so, a SKU. Upper and lower case are the same.
   */
  text: z.string().trim().min(2).max(100).optional(),
  /** `true` lists what was put away, and nothing else. */
  archived: z.stringbool().default(false),
});
export type OrderListQuery = z.infer<typeof OrderListQuery>;
