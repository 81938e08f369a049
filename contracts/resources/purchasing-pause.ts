import { z } from 'zod';
import { SupplierName } from '../vocabulary.ts';

/** What a pause stops: purchases from one supplier, or all of them. */
export const PauseScope = z.enum([...SupplierName.options, 'all']);
export type PauseScope = z.infer<typeof PauseScope>;

/** Body of `POST /purchasing/pause` and `POST /suppliers/{supplier}/pause`. */
export const PausePurchasing = z.strictObject({ reason: z.string().trim().min(1).max(500) });
export type PausePurchasing = z.infer<typeof PausePurchasing>;

export const PurchasingPause = z.object({
  scope: PauseScope,
  /** `account_blocked`: the supplier refused us, and we stopped by ourselves. */
  cause: z.enum(['operator', 'account_blocked']),
  reason: z.string(),
  pausedAt: z.iso.datetime(),
});
export type PurchasingPause = z.infer<typeof PurchasingPause>;

/** Every pause that stands; empty: nothing is stopped. */
export const PurchasingPauses = z.object({ pauses: z.array(PurchasingPause) });
export type PurchasingPauses = z.infer<typeof PurchasingPauses>;
