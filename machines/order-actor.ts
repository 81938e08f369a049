import type { OrderEvent } from '../contracts/events/order-event.ts';
import {
  type Decision,
  decideOrder,
  decideSupplierOrder,
  type OrderState,
  type SupplierOrderState,
  startOrder,
  startSupplierOrder,
} from './decide.ts';
import type { Effect, ToOrder, ToSupplierOrder } from './effect.ts';
import { assertConserved } from './invariants.ts';
import type { OrderContext } from './order-context.ts';
import { unitsOfPart } from './purchase-units.ts';

/** One customer order with its supplier orders: what is stepped together and stored in one transaction. */
export interface OrderActor {
  readonly order: OrderState | null;
  readonly supplierOrders: ReadonlyMap<string, SupplierOrderState>;
}

/** What the host has to carry out; what the machines told each other is already done. */
export type OutwardEffect = Exclude<Effect, { kind: 'tell_order' | 'tell_supplier_order' }>;

export interface Step {
  readonly actor: OrderActor;
  /** False: late, repeated, out of turn, or for something that does not exist (yet). */
  readonly accepted: boolean;
  readonly effects: readonly OutwardEffect[];
}

type Told =
  | { to: 'order'; event: Parameters<typeof decideOrder>[1] | ToOrder }
  | { to: string; event: Parameters<typeof decideSupplierOrder>[1] | ToSupplierOrder };

const addressOf = (event: OrderEvent): string => {
  if (event.type.startsWith('notification.')) return 'order';
  const { data } = event;
  return 'supplierOrderId' in data && data.supplierOrderId !== undefined ? data.supplierOrderId : 'order';
};

/** The purchase that its order has planned. */
function begin(
  { orderId, isWithoutShop }: OrderContext,
  { supplierOrderId, part }: Extract<Effect, { kind: 'create_supplier_order' }>,
): Decision<SupplierOrderState> {
  const { deliveryDays } = part;
  return startSupplierOrder({
    orderId,
    supplierOrderId,
    units: unitsOfPart(part),
    ...(isWithoutShop === undefined ? {} : { isWithoutShop }),
    ...(deliveryDays === undefined ? {} : { deliveryDays }),
  });
}

/**
 * Steps the order and, through the messages between them, its supplier orders.
 * @throws AppError `conservation_violated` when the step would lose or invent a unit; nothing may be stored then.
 */
export function stepOrderActor(before: OrderActor, event: OrderEvent): Step {
  let order = before.order;
  const supplierOrders = new Map(before.supplierOrders);
  const effects: OutwardEffect[] = [];
  const queue: Told[] = [];

  const take = (emitted: readonly Effect[]): void => {
    for (const effect of emitted) {
      if (effect.kind === 'tell_order') queue.push({ to: 'order', event: effect.event });
      else if (effect.kind === 'tell_supplier_order')
        queue.push({ to: effect.supplierOrderId, event: effect.event });
      else {
        effects.push(effect);
        if (effect.kind === 'create_supplier_order' && order !== null) {
          const { supplierOrderId } = effect;
          const started = begin(order.context, effect);
          supplierOrders.set(supplierOrderId, started.state);
          // Said here and not on the entry to its first state, which it may come back to.
          const data = { supplierOrderId, state: started.state.value };
          effects.push({ kind: 'fact', type: 'supplier_order.created', data });
          take(started.effects);
        }
      }
    }
  };

  const tell = (told: Told): boolean => {
    if (told.to === 'order') {
      if (order === null) {
        if (told.event.type !== 'order.received' && told.event.type !== 'order.updated') return false;
        const started = startOrder(told.event.data);
        order = started.state;
        take(started.effects);
        return true;
      }
      const decision = decideOrder(order, told.event as Parameters<typeof decideOrder>[1]);
      order = decision.state;
      take(decision.effects);
      return decision.accepted;
    }
    const known = supplierOrders.get(told.to);
    if (known === undefined) return false;
    const decision = decideSupplierOrder(known, told.event as Parameters<typeof decideSupplierOrder>[1]);
    supplierOrders.set(told.to, decision.state);
    take(decision.effects);
    return decision.accepted;
  };

  const accepted = tell({ to: addressOf(event), event } as Told);
  for (let told = queue.shift(); told !== undefined; told = queue.shift()) tell(told);
  if (order !== null) assertConserved((order as OrderState).context);
  return { actor: { order, supplierOrders }, accepted, effects };
}
