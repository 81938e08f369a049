import { z } from 'zod';
import { DeadLetterKind, DeadLetterReason } from '../dead-letters.ts';
import { OrderStateName, SupplierOrderStateName } from '../vocabulary.ts';
import { HoldView } from './hold.ts';

/** Where an order is, why, what happens next and when, and what can be done: as sentences and as data. */
export const Explanation = z.object({
  id: z.string(),
  sentences: z.array(z.string()),
  where: z.object({
    status: OrderStateName,
    archived: z.boolean(),
    supplierOrders: z.array(z.object({ id: z.string(), status: SupplierOrderStateName, says: z.string() })),
  }),
  why: z.array(HoldView.omit({ notes: true, orderId: true })),
  /** Messages that could not be handled; behind an event the later ones wait. */
  deadLetters: z.array(
    z.object({ id: z.string(), kind: DeadLetterKind, reason: DeadLetterReason, waiting: z.int() }),
  ),
  next: z.array(
    z.object({
      what: z.string(),
      /** When at the latest; null: nobody can say. */
      at: z.iso.datetime().nullable(),
      supplierOrderId: z.string().nullable(),
    }),
  ),
  can: z.array(z.object({ what: z.string(), method: z.enum(['POST', 'PUT', 'DELETE']), path: z.string() })),
});
export type Explanation = z.infer<typeof Explanation>;
