import type { OrderEvent } from '../contracts/events/order-event.ts';
import { INTENT_WRITTEN } from './intent-written.ts';
import { type OrderActor, stepOrderActor } from './order-actor.ts';

/**
 * Stands in the row of each order from its beginning, and in each entry of its timeline. Raise it with a change of the
 * machines that would tell an old timeline differently: orders that heard anything before it, or under the release before
 * on the way back, are then not told again.
 */
export const MACHINE_VERSION = 12;

export type Told = OrderEvent | { type: typeof INTENT_WRITTEN; data: { supplierOrderId: string } };

const NOTHING: OrderActor = { order: null, supplierOrders: new Map() };

function stepTold(actor: OrderActor, event: Told): OrderActor {
  if (event.type !== INTENT_WRITTEN) return stepOrderActor(actor, event).actor;
  const { supplierOrderId } = event.data;
  const known = actor.supplierOrders.get(supplierOrderId);
  if (known === undefined) return actor;
  const supplierOrders = new Map(actor.supplierOrders);
  supplierOrders.set(supplierOrderId, { ...known, value: 'placing' });
  return { ...actor, supplierOrders };
}

/**
 * The state that the accepted events of an order's timeline lead to, oldest first.
 * @param onStep hears of each event what stood before and after it, and the event's place.
 */
export function replay(
  told: Iterable<Told>,
  onStep: (before: OrderActor, after: OrderActor, index: number) => void = () => {},
): OrderActor {
  let actor = NOTHING;
  let index = 0;
  for (const event of told) {
    const after = stepTold(actor, event);
    onStep(actor, after, index);
    actor = after;
    index += 1;
  }
  return actor;
}
