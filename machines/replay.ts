import type { OrderEvent } from '../contracts/events/order-event.ts';
import { INTENT_WRITTEN } from './intent-written.ts';
import { type OrderActor, stepOrderActor } from './order-actor.ts';

/**
 * Stands in the row of each order from its beginning. Raise it with a change of the machines that would tell an old
 * timeline differently: orders begun before it are then not told again.
 */
export const MACHINE_VERSION = 5;

export type Told = OrderEvent | { type: typeof INTENT_WRITTEN; data: { supplierOrderId: string } };

/** The state that the accepted events of an order's timeline lead to, oldest first. */
export function replay(told: Iterable<Told>): OrderActor {
  let actor: OrderActor = { order: null, supplierOrders: new Map() };
  for (const event of told) {
    if (event.type !== INTENT_WRITTEN) {
      actor = stepOrderActor(actor, event).actor;
      continue;
    }
    const { supplierOrderId } = event.data;
    const known = actor.supplierOrders.get(supplierOrderId);
    if (known === undefined) continue;
    const supplierOrders = new Map(actor.supplierOrders);
    supplierOrders.set(supplierOrderId, { ...known, value: 'placing' });
    actor = { ...actor, supplierOrders };
  }
  return actor;
}
