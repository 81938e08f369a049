import { z } from 'zod';
import { AdoptSupplierOrder, NotBought, SupplierOrderReceipt } from '../resources/supplier-order-requests.ts';
import type { RequestContract } from './request.ts';

/** What became of a person's word about a purchase in doubt. `refused`: nothing has changed, and these are the reasons. */
export const WordAnswered = z.discriminatedUnion('result', [
  z.object({ result: z.literal('taken'), receipt: SupplierOrderReceipt }),
  z.object({
    result: z.literal('refused'),
    detail: z.string(),
    differs: z.array(z.object({ path: z.string(), message: z.string() })),
  }),
]);
export type WordAnswered = z.infer<typeof WordAnswered>;

/** Suppliers: the purchase in doubt is this order of the supplier's, which is read first and has to fit. Safe to repeat. */
export const ADOPT_PURCHASE = {
  service: 'suppliers',
  verb: 'adopt_purchase',
  request: AdoptSupplierOrder.extend({ supplierOrderId: z.string() }),
  reply: WordAnswered,
} satisfies RequestContract;

/** Suppliers: the purchase in doubt was never made. Taken once nothing of it can come to pass any more. */
export const SETTLE_NOT_BOUGHT = {
  service: 'suppliers',
  verb: 'settle_not_bought',
  request: NotBought.extend({ supplierOrderId: z.string() }),
  reply: WordAnswered,
} satisfies RequestContract;
