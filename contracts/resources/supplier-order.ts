import { z } from 'zod';
import { Compensation, ParcelStateName, SupplierName, SupplierOrderStateName } from '../vocabulary.ts';
import { dateRange, ListQuery } from './list-query.ts';

export const ParcelView = z.object({
  id: z.string(),
  state: ParcelStateName,
  trackingNumber: z.string(),
  lastMileTrackingNumber: z.string().nullable(),
  carrier: z.string().nullable(),
  trackingUrl: z.string().nullable(),
  shopFulfillmentId: z.string().nullable(),
  lines: z.array(z.object({ lineId: z.string(), units: z.int() })),
});
export type ParcelView = z.infer<typeof ParcelView>;

export const SupplierOrderView = z.object({
  id: z.string(),
  orderId: z.string(),
  supplier: SupplierName,
  status: SupplierOrderStateName,
  supplierReference: z.string().nullable(),
  attempt: z.int(),
  /** Null, as its cost and its articles may be, until a purchase that was asked for by hand is quoted. */
  shippingMethod: z.string().nullable(),
  shipsFrom: z.string().nullable(),
  expectedCostMinor: z.int().nullable(),
  amountMinor: z.int().nullable(),
  currency: z.string(),
  lines: z.array(
    z.object({
      lineId: z.string(),
      units: z.int(),
      supplierProductId: z.string(),
      supplierVariantId: z.string().nullable(),
      supplierUnits: z.int(),
      properties: z.record(z.string(), z.string()),
    }),
  ),
  parcels: z.array(ParcelView),
  /** What is done about it, once nobody wants it any more. */
  compensation: Compensation.nullable(),
  note: z.string().nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type SupplierOrderView = z.infer<typeof SupplierOrderView>;

export const SupplierOrderListQuery = ListQuery.extend({
  status: SupplierOrderStateName.optional(),
  supplier: SupplierName.optional(),
  orderId: z.string().max(80).optional(),
  ...dateRange,
  /** An id of ours, or a reference of the supplier's; a purchase that has several there is found by each. */
  text: z.string().trim().min(2).max(100).optional(),
});
export type SupplierOrderListQuery = z.infer<typeof SupplierOrderListQuery>;

export const SupplierOrderList = z.object({
  items: z.array(SupplierOrderView),
  nextCursor: z.string().nullable(),
});
export type SupplierOrderList = z.infer<typeof SupplierOrderList>;
