import type { EntityManager } from '@mikro-orm/postgresql';
import type { Explanation } from '../../contracts/resources/explanation.ts';
import { isHeld } from '../../machines/hold-scope.ts';
import { hasHeldUnits, hasUnitsToSource } from '../../machines/order-units.ts';
import { isRiskAwaited } from '../../machines/risk.ts';
import { isOff } from '../../machines/wanted-units.ts';
import { DeadLetter, EventPartition, Timer } from '../../services/store/entities/log.ts';
import { Hold, Order } from '../../services/store/entities/order.ts';
import { SupplierAccount } from '../../services/store/entities/outside.ts';
import { Parcel, SupplierOrder } from '../../services/store/entities/supplier-order.ts';
import type { Store } from '../../services/store/store.ts';
import { explain } from '../explain.ts';
import { wantedOf } from '../wanted-of.ts';
import { toHoldViews } from './hold-view.ts';
import { inOneSnapshot } from './one-snapshot.ts';

async function explanationOf(em: EntityManager, orderId: string): Promise<Explanation | null> {
  const order = await em.findOne(Order, { id: orderId });
  if (order === null) return null;
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
  const parcels = await em.find(Parcel, { orderId }, { fields: ['supplierOrderId', 'state'] });
  const now = new Date();
  const paused = await em.find(
    SupplierAccount,
    { $or: [{ pausedUntil: { $gt: now } }, { budgetPausedUntil: { $gt: now } }] },
    { fields: ['supplier', 'pausedUntil', 'budgetPausedUntil'], orderBy: { supplier: 'asc' } },
  );
  const stopped = await em.findOne(
    EventPartition,
    { halted: { $ne: null } },
    { fields: ['halted'], orderBy: { part: 'asc' } },
  );
  return explain({
    id: orderId,
    halted: stopped?.halted ?? null,
    status: order.state,
    isArchived: order.archivedAt != null,
    isTest: order.context.test,
    isErased: order.erasedAt != null,
    isOff: isOff(order.context),
    isCancelledHere: order.context.cancelledHere === true,
    isStopped: isHeld(order.context),
    isRiskAwaited: isRiskAwaited(order.context),
    waiting: { toSource: hasUnitsToSource(order.context), held: hasHeldUnits(order.context) },
    supplierOrders: supplierOrders.map(({ id, supplier, state, context }) => ({
      id,
      supplier,
      status: state,
      compensation: context.compensation ?? null,
      wanted: wantedOf(order.context, id, context),
      parcels: parcels.filter(({ supplierOrderId }) => supplierOrderId === id).map((parcel) => parcel.state),
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
    callPauses: paused.flatMap(({ supplier, pausedUntil, budgetPausedUntil }) =>
      [
        { stops: 'calls' as const, until: pausedUntil },
        { stops: 'budget' as const, until: budgetPausedUntil },
      ].flatMap(({ stops, until }) =>
        until != null && until > now ? [{ supplier, stops, until: until.toISOString() }] : [],
      ),
    ),
  });
}

/** Null when there is no such order. */
export const readExplanation = (store: Store, orderId: string): Promise<Explanation | null> =>
  inOneSnapshot(store, (em) => explanationOf(em, orderId));
