import type { Settings } from './settings.ts';

/** What a shop decides about all of its orders. Given to the machines with each event, never stored in an order. */
export interface OrderRules {
  /** A hold on a line or supplier order stops that alone; the rest of the order is bought. */
  readonly partialPurchase: boolean;
  /** The least risk that holds an order; `unknown` also holds what the shop has not assessed. */
  readonly riskHold: 'off' | 'high' | 'medium' | 'unknown';
}

export const orderRules = (settings: Settings): OrderRules => ({
  partialPurchase: settings.ORDER_MANAGER_PARTIAL_PURCHASE,
  riskHold: settings.ORDER_MANAGER_RISK_HOLD,
});

/** Those of a shop that has set nothing. */
export const USUAL_RULES: OrderRules = { partialPurchase: false, riskHold: 'high' };
