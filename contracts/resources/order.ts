import { z } from 'zod';
import { Evidence, HoldReason, OrderStateName } from '../vocabulary.ts';
import { SupplierOrderView } from './supplier-order.ts';

export const HoldView = z.object({
  id: z.string(),
  reason: HoldReason,
  lineId: z.string().nullable(),
  supplierOrderId: z.string().nullable(),
  evidence: Evidence,
  openedAt: z.iso.datetime(),
});
export type HoldView = z.infer<typeof HoldView>;

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
    }),
  ),
  holds: z.array(HoldView),
  supplierOrders: z.array(SupplierOrderView),
});
export type OrderView = z.infer<typeof OrderView>;

/** Query of the list routes. `cursor` is what the last answer gave as `nextCursor`. */
export const ListQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
});
