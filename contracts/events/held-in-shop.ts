import { z } from 'zod';
import { Evidence, HoldReason } from '../vocabulary.ts';

/**
 * A reading of the shop saw a reason not to buy. It counts while money may still be spent on the order; until grace is
 * over it need not, for the shop is asked before buying.
 */
export const HELD_IN_SHOP = 'order.held_in_shop';

export const HeldInShop = z.object({ orderId: z.string(), reason: HoldReason, evidence: Evidence });
export type HeldInShop = z.infer<typeof HeldInShop>;
