import type { DeadlineName } from '../contracts/deadlines.ts';
import type { HoldReason } from '../contracts/vocabulary.ts';
import { inTurn, NOTHING } from './change.ts';
import type { Effect } from './effect.ts';
import { openHold, releaseHolds } from './holds.ts';
import { releaseBy } from './order-answers.ts';
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

/** Whoever releases what is overdue waits the whole time again. */
export const waitAgain = (deadline: DeadlineName) =>
  apply((context, event) =>
    inTurn(
      context,
      (now) => releaseBy(now, event),
      () => {
        const isAboutIt = event.type === 'order.release_requested' && event.data.reason === 'overdue';
        return isAboutIt ? { context: {}, effects: [wait(deadline)] } : NOTHING;
      },
    ),
  );

/** Holds of the order as a whole whose time is over with the state that it leaves; what the shop holds as well stays. */
export const endHolds = (...reasons: readonly HoldReason[]) =>
  apply((context) =>
    releaseHolds(
      context,
      ({ reason, lineId, supplierOrderId, isHeldInShop }) =>
        reasons.includes(reason) && (lineId ?? supplierOrderId) === undefined && isHeldInShop === undefined,
    ),
  );
