import { z } from 'zod';
import { FailureClass, SupplierName } from '../vocabulary.ts';
import { PurchasingPause } from './purchasing-pause.ts';
import { DeliveryDays } from './supplier-product.ts';

/** What a shop keeper weighs before choosing; the words are the guide's, figures are measured where they can be. */
export const SupplierComparison = z.object({
  productSelection: z.string(),
  prices: z.string(),
  /** From our own delivered parcels, once there are enough of them; else what the guide reckons with. */
  deliveryDays: DeliveryDays.extend({
    source: z.enum(['measured', 'guide']),
    parcels: z.int().nonnegative(),
  }),
  qualityControl: z.string(),
  productPhotos: z.string(),
  internationalWarehouses: z.boolean(),
  dedicatedDropshipping: z.boolean(),
  extraFees: z.string(),
});
export type SupplierComparison = z.infer<typeof SupplierComparison>;

export const SupplierView = z.object({
  name: SupplierName,
  label: z.string(),
  /** Its credentials are there. */
  configured: z.boolean(),
  /** Variables that are not set. */
  missing: z.array(z.string()),
  mode: z.enum(['off', 'shadow', 'live']),
  /** What the mode means, in a sentence. */
  modeMeaning: z.string(),
  /** Pauses that stop buying here; empty: nothing does but the mode. */
  purchasingPauses: z.array(PurchasingPause),
  /** The supplier wants no calls before this. */
  callsPausedUntil: z.iso.datetime().nullable(),
  /** Its budget is used up until then: search, quotes and stock wait; purchases and payments, which are free, go on. */
  budgetPausedUntil: z.iso.datetime().nullable(),
  /** The worst of all copies; null: not configured. */
  breaker: z.enum(['closed', 'half_open', 'open']).nullable(),
  tokenExpiresAt: z.string().nullable(),
  /** The supplier's own budget in its own units, as far as it told. */
  quota: z.object({ remaining: z.number(), total: z.number().nullable() }).nullable(),
  balance: z.object({ amountMinor: z.int(), currency: z.string() }).nullable(),
  lastSuccessAt: z.iso.datetime().nullable(),
  lastFailure: z
    .object({ at: z.iso.datetime(), failureClass: z.union([FailureClass, z.string()]) })
    .nullable(),
  capabilities: z
    .object({
      looksUpByReference: z.boolean(),
      repeatableForMs: z.number().nullable(),
      payment: z.enum(['by_call', 'with_order', 'by_hand']),
      statusBatchSize: z.int(),
      cancelsBeforePayment: z.boolean(),
      combinesLines: z.boolean(),
      pushes: z.enum(['by_call', 'by_hand', 'none']),
      hasWarehouses: z.boolean(),
    })
    .nullable(),
  comparison: SupplierComparison,
});
export type SupplierView = z.infer<typeof SupplierView>;

export const SupplierList = z.object({ items: z.array(SupplierView) });
export type SupplierList = z.infer<typeof SupplierList>;
