import type { EntityManager } from '@mikro-orm/postgresql';
import type { Explanation } from '../../contracts/resources/explanation.ts';
import { isHeld } from '../../machines/hold-scope.ts';
import { isOff } from '../../machines/wanted-units.ts';
import { DeadLetter, Timer } from '../../services/store/entities/log.ts';
import { Hold, Order } from '../../services/store/entities/order.ts';
import { SupplierAccount } from '../../services/store/entities/outside.ts';
import { SupplierOrder } from '../../services/store/entities/supplier-order.ts';
import type { Store } from '../../services/store/store.ts';
import { explain } from '../explain.ts';
import { noSuchOrder } from '../locked-order.ts';
import { toHoldViews } from './hold-view.ts';
import { inOneSnapshot } from './one-snapshot.ts';

async function explanationOf(em: EntityManager, orderId: string): Promise<Explanation> {
  const order = await em.findOne(Order, { id: orderId });
  if (order === null) throw noSuchOrder(orderId);
  const holds = await em.find(
    Hold,
    { orderId, releasedAt: null },
    { orderBy: { openedAt: 'asc', id: 'asc' } },
  );
  const timers = await em.find(Timer, { orderId });
  const letters = await em.find(
    DeadLetter,
    { orderId, state: { $in: ['open', 'parked'] } },
    { orderBy: { id: 'asc' } },
  );
  const supplierOrders = await em.find(
    SupplierOrder,
    { orderId },
    { orderBy: { createdAt: 'asc', id: 'asc' } },
  );
  const paused = await em.find(
    SupplierAccount,
    { pausedUntil: { $gt: new Date() } },
    { fields: ['supplier', 'pausedUntil'], orderBy: { supplier: 'asc' } },
  );
  return explain({
    id: orderId,
    status: order.state,
    isArchived: order.archivedAt != null,
    isTest: order.context.test,
    isOff: isOff(order.context),
    isStopped: isHeld(order.context),
    supplierOrders: supplierOrders.map(({ id, supplier, state, context }) => ({
      id,
      supplier,
      status: state,
      compensation: context.compensation ?? null,
    })),
    holds: await toHoldViews(em, holds),
    deadLetters: letters
      .filter(({ state }) => state === 'open')
      .map(({ id, kind, reason }) => ({
        id: String(id),
        kind,
        reason,
        waiting: kind === 'event' ? letters.filter(({ state }) => state === 'parked').length : 0,
      })),
    timers: timers.map(({ deadline, supplierOrderId, dueAt }) => ({
      deadline,
      supplierOrderId: supplierOrderId ?? null,
      dueAt: dueAt.toISOString(),
    })),
    callPauses: paused.flatMap(({ supplier, pausedUntil }) =>
      pausedUntil == null ? [] : [{ supplier, until: pausedUntil.toISOString() }],
    ),
  });
}

/** @throws AppError `order_not_found` */
export const readExplanation = (store: Store, orderId: string): Promise<Explanation> =>
  inOneSnapshot(store, (em) => explanationOf(em, orderId));
