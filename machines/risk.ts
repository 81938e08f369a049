import {
  type OrderRiskAssessed,
  RISK_LEVELS,
  type RiskLevel,
} from '../contracts/events/order-risk-assessed.ts';
import { type Change, inTurn, NOTHING } from './change.ts';
import { rulesOf } from './hold-scope.ts';
import { openHold, releaseHolds } from './holds.ts';
import type { OrderContext } from './order-context.ts';
import { isToBePaid, liveSupplierOrders } from './order-units.ts';
import { isOff } from './wanted-units.ts';

const gravity = (level: RiskLevel): number => RISK_LEVELS.indexOf(level);

/** Money may still be spent, or what was bought be called off before it arrives. */
const isOpen = (context: OrderContext): boolean =>
  !isOff(context) &&
  (isToBePaid(context) || liveSupplierOrders(context).some(({ state }) => state !== 'delivered'));

function isTooRisky(context: OrderContext, level: RiskLevel): boolean {
  const { riskHold } = rulesOf(context);
  return riskHold !== 'off' && gravity(level) >= gravity(riskHold);
}

/**
 * Holds an order that is too risky, and lets go of one that no longer is. What somebody has released is held again only
 * when it grows graver.
 */
export const applyRisk = (
  context: OrderContext,
  { level, evidence }: OrderRiskAssessed,
): Change<OrderContext> =>
  inTurn(
    context,
    () => ({ context: { risk: level }, effects: [] }),
    (now) => {
      // What the shop holds as well waits for the shop, whatever its assessment comes to.
      if (!isTooRisky(now, level))
        return releaseHolds(
          now,
          ({ reason, isHeldInShop }) => reason === 'fraud_review' && isHeldInShop === undefined,
        );
      const isGraver = context.risk === undefined || gravity(level) > gravity(context.risk);
      return isGraver && isOpen(now) ? openHold(now, 'fraud_review', {}, { level, ...evidence }) : NOTHING;
    },
  );

/** The shop buys nothing before the risk is known, and it is not. */
export const isRiskAwaited = (context: OrderContext): boolean =>
  context.risk === undefined && rulesOf(context).riskHold === 'unknown';

/** For such shops: the assessment releases it, or somebody, and then for good. */
export const holdUnassessed = (context: OrderContext): Change<OrderContext> =>
  isRiskAwaited(context)
    ? inTurn(
        context,
        () => ({ context: { risk: 'unknown' }, effects: [] }),
        (now) => openHold(now, 'fraud_review', {}, { cause: 'the shop has not assessed the risk yet' }),
      )
    : NOTHING;
