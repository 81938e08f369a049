import { VERIFY_ORDER, type VerifyOrder } from '../contracts/commands/verify-order.ts';
import type { OrderVerified } from '../contracts/events/order-verified.ts';
import { type Change, inTurn, NOTHING } from './change.ts';
import { isHeld } from './hold-scope.ts';
import { openHolds } from './holds.ts';
import { isNewerBody, takeNewerBody } from './newer-body.ts';
import type { OrderContext } from './order-context.ts';
import { holdUnassessed } from './risk.ts';

const timer = { deadline: 'verify' } as const;

/** Nothing is bought on the word of a webhook alone. */
export function askShop({ orderId }: OrderContext): Change<OrderContext> {
  const data: VerifyOrder = { orderId };
  return {
    context: { verification: 'asked' },
    effects: [
      { kind: 'command', service: 'shopify', verb: VERIFY_ORDER, id: orderId, data },
      { kind: 'set_timer', timer },
    ],
  };
}

/** Whatever was asked or answered no longer counts; where buying still waits for it, it is asked anew. */
export const forgetVerification = ({ verification }: OrderContext): Change<OrderContext> =>
  verification === undefined
    ? NOTHING
    : {
        context: { verification: undefined },
        effects: verification === 'asked' ? [{ kind: 'cancel_timer', timer }] : [],
      };

/** What the shop holds is held here, and asked about again once that is released. */
export const takeVerified = (context: OrderContext, { body, holds }: OrderVerified): Change<OrderContext> =>
  inTurn(
    context,
    forgetVerification,
    (now) => (body !== null && isNewerBody(now, body) ? takeNewerBody(now, body) : NOTHING),
    (now) => openHolds(now, holds),
    holdUnassessed,
    (now) => ({ context: { verification: isHeld(now) ? undefined : 'done' }, effects: [] }),
  );
