import type { DeadlineName } from '../contracts/deadlines.ts';
import type { HoldReason } from '../contracts/vocabulary.ts';
import { inTurn, NOTHING } from './change.ts';
import type { Effect, HoldScope } from './effect.ts';
import { hasHold, openHold, releaseHolds } from './holds.ts';
import { releaseBy } from './order-answers.ts';
import type { OrderContext } from './order-context.ts';
import { apply, emit, type OrderArgs } from './order-setup.ts';

export const wait = (deadline: DeadlineName): Effect => ({ kind: 'set_timer', timer: { deadline } });

export const stopWaiting = (deadline: DeadlineName) => emit({ kind: 'cancel_timer', timer: { deadline } });

export const isElapsed =
  (deadline: DeadlineName) =>
  ({ event }: Pick<OrderArgs, 'event'>): boolean =>
    event.type === 'timer.elapsed' && event.data.deadline === deadline;

/** Said once: a person decides what comes next. */
export const overdue = (deadline: DeadlineName, waitingFor: string) =>
  apply((context) =>
    inTurn(
      context,
      (now) => openHold(now, 'overdue', {}, { waitingFor }),
      () => ({ context: {}, effects: [{ kind: 'cancel_timer', timer: { deadline } }] }),
    ),
  );

const isOfWhole = ({ lineId, supplierOrderId }: HoldScope): boolean =>
  (lineId ?? supplierOrderId) === undefined;

const isOverdue = (context: OrderContext): boolean =>
  hasHold(context, (hold) => hold.reason === 'overdue' && isOfWhole(hold));

/** Whoever releases what is overdue waits the whole time again; of a purchase that is overdue, the purchase does. */
export const waitAgain = (deadline: DeadlineName) =>
  apply((context, event) =>
    inTurn(
      context,
      (now) => releaseBy(now, event),
      (now) => (isOverdue(context) && !isOverdue(now) ? { context: {}, effects: [wait(deadline)] } : NOTHING),
    ),
  );

/** Holds of the order as a whole whose time is over with the state that it leaves; what the shop holds as well stays. */
export const endHolds = (...reasons: readonly HoldReason[]) =>
  apply((context) =>
    releaseHolds(
      context,
      (hold) => reasons.includes(hold.reason) && isOfWhole(hold) && hold.isHeldInShop === undefined,
    ),
  );
