import type { BUY, CANCEL, LOOK_UP, PAY, PurchaseCommand } from '../contracts/commands/purchase.ts';
import type { DeadlineName } from '../contracts/deadlines.ts';
import type { Timer } from './effect.ts';
import type { SupplierOrderContext } from './supplier-order-context.ts';
import { type EffectsOf, emit } from './supplier-order-setup.ts';

/** What suppliers are asked for; after the deadline of the same name it is asked for again. */
type Question = typeof BUY | typeof PAY | typeof LOOK_UP | typeof CANCEL;

const timer = ({ supplierOrderId }: SupplierOrderContext, deadline: DeadlineName): Timer => ({
  deadline,
  supplierOrderId,
});

export const wait =
  (deadline: DeadlineName): EffectsOf =>
  (context) => [{ kind: 'set_timer', timer: timer(context, deadline) }];

/** The time of its lane, where a quote promised one. */
export const waitForDelivery: EffectsOf = (context) => {
  const { deliveryDays } = context;
  const quoted = deliveryDays === undefined ? {} : { quotedDays: deliveryDays };
  return [{ kind: 'set_timer', timer: timer(context, 'deliver'), ...quoted }];
};

export const endWait =
  (deadline: DeadlineName): EffectsOf =>
  (context) => [{ kind: 'cancel_timer', timer: timer(context, deadline) }];

export const ask =
  (question: Question): EffectsOf =>
  (context) => {
    const { orderId, supplierOrderId } = context;
    const data: PurchaseCommand = { orderId, supplierOrderId };
    return [
      { kind: 'command', service: 'suppliers', verb: question, id: supplierOrderId, data },
      ...wait(question)(context),
    ];
  };

export const stopWaiting = (deadline: DeadlineName) => emit(endWait(deadline));
export const waitAgain = (deadline: DeadlineName) => emit(wait(deadline));
export const askAgain = (question: Question) => emit(ask(question));

/** Whoever releases the order or asks to try again does now what the deadline would do later. */
export const askEvents = (question: Question) => ({
  'order.resumed': { actions: askAgain(question) },
  'supplier_order.retry_requested': { actions: askAgain(question) },
});
