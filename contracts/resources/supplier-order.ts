import { z } from 'zod';
import { ParcelStateName, SupplierName, SupplierOrderStateName } from '../vocabulary.ts';

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
  shippingMethod: z.string(),
  shipsFrom: z.string(),
  expectedCostMinor: z.int(),
  amountMinor: z.int().nullable(),
  currency: z.string(),
  lines: z.array(
    z.object({
      lineId: z.string(),
      units: z.int(),
      supplierProductId: z.string(),
      supplierVariantId: z.string(),
      supplierUnits: z.int(),
    }),
  ),
  parcels: z.array(ParcelView),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type SupplierOrderView = z.infer<typeof SupplierOrderView>;

export const SupplierOrderList = z.object({
  items: z.array(SupplierOrderView),
  nextCursor: z.string().nullable(),
});
export type SupplierOrderList = z.infer<typeof SupplierOrderList>;
