import { z } from 'zod';
import type { Settings } from './settings.ts';

/** What a shop decides about how its orders are bought, as it stood when an order's body was taken. */
export const OrderRules = z.object({
  /** A hold on a line or supplier order stops that alone; the rest of the order is bought. */
  partialPurchase: z.boolean(),
  /** The least risk that holds an order; `unknown` also holds what the shop has not assessed. */
  riskHold: z.enum(['off', 'high', 'medium', 'unknown']),
});
export type OrderRules = z.infer<typeof OrderRules>;

/** Those of a shop that has set nothing. */
export const USUAL_RULES: OrderRules = { partialPurchase: false, riskHold: 'high' };

export const orderRules = (settings: Settings): OrderRules => ({
  partialPurchase: settings.ORDER_MANAGER_PARTIAL_PURCHASE,
  riskHold: settings.ORDER_MANAGER_RISK_HOLD,
});
