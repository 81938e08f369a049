import type { EntityManager } from '@mikro-orm/postgresql';
import type { OrderView } from '../../contracts/resources/order.ts';
import type { SupplierOrderView } from '../../contracts/resources/supplier-order.ts';
import { cancelCostOf } from '../../machines/cancel-cost.ts';
import { isLive } from '../../machines/hold-scope.ts';
import { unitsOnSupplierOrders } from '../../machines/order-units.ts';
import { CustomerDetails, Hold, Order, OrderLine, UnitChange } from '../../services/store/entities/order.ts';
import { SupplierOrder } from '../../services/store/entities/supplier-order.ts';
import type { Store } from '../../services/store/store.ts';
import { toHoldViews } from './hold-view.ts';
import { inOneSnapshot } from './one-snapshot.ts';
import { toSummary } from './order-summary.ts';
import { SUPPLIER_ORDER_FIELDS, toSupplierOrderViews } from './supplier-order-view.ts';

/** What the purchases that live cost, by the suppliers' currencies. */
function purchaseTotals(order: Order, purchases: readonly SupplierOrderView[]): OrderView['totals'] {
  const totals = new Map<string, { currency: string; expectedMinor: number; amountMinor: number }>();
  for (const { id, currency, expectedCostMinor, amountMinor } of purchases) {
    const known = order.context.supplierOrders[id];
    if (known === undefined || !isLive(known)) continue;
    const total = totals.get(currency) ?? { currency, expectedMinor: 0, amountMinor: 0 };
    totals.set(currency, {
      currency,
      expectedMinor: total.expectedMinor + (expectedCostMinor ?? 0),
      amountMinor: total.amountMinor + (amountMinor ?? 0),
    });
  }
  return { orderMinor: order.totalMinor, currency: order.currency, purchases: [...totals.values()] };
}

const lineView = (
  { context }: Order,
  line: OrderLine,
  changes: readonly UnitChange[],
): OrderView['lines'][number] => {
  const units = context.lines[line.lineId];
  return {
    lineId: line.lineId,
    variantId: line.variantId ?? null,
    sku: line.sku ?? null,
    title: line.title,
    unitPriceMinor: line.unitPriceMinor,
    units: {
      ordered: units?.ordered ?? 0,
      outside: units?.outside ?? 0,
      unallocated: units?.unallocated ?? 0,
      held: units?.held ?? 0,
      onSupplierOrders: unitsOnSupplierOrders(context, line.lineId),
      cancelled: units?.cancelled ?? 0,
    },
    cancellable: { ...cancelCostOf(context, line.lineId) },
    allocations: Object.entries(context.supplierOrders).flatMap(([supplierOrderId, part]) => {
      const count = part.units[line.lineId] ?? 0;
      return isLive(part) && count > 0 ? [{ supplierOrderId, units: count }] : [];
    }),
    changes: changes.map(({ cause, ordered, cancelled, at }) => ({
      cause,
      ordered,
      cancelled,
      at: at.toISOString(),
    })),
  };
};

async function orderViewOf(em: EntityManager, orderId: string): Promise<OrderView | null> {
  const order = await em.findOne(Order, { id: orderId });
  if (order === null) return null;
  const holds = await em.find(
    Hold,
    { orderId, releasedAt: null },
    { orderBy: { openedAt: 'asc', id: 'asc' } },
  );
  const lines = await em.find(OrderLine, { orderId }, { orderBy: { position: 'asc' } });
  const customer = await em.findOne(CustomerDetails, { orderId });
  const supplierOrders = await em.find(
    SupplierOrder,
    { orderId },
    { fields: SUPPLIER_ORDER_FIELDS, orderBy: { createdAt: 'asc', id: 'asc' } },
  );
  const changes = await em.find(UnitChange, { orderId }, { orderBy: { id: 'asc' } });
  const changesOf = Map.groupBy(changes, ({ lineId }) => lineId);
  const holdReasons = [...new Set(holds.map(({ reason }) => reason))].sort();
  const purchases = await toSupplierOrderViews(em, supplierOrders);
  return {
    ...toSummary({ ...order, holdReasons }),
    customer: {
      email: customer?.email ?? null,
      phone: customer?.phone ?? null,
      locale: customer?.locale ?? null,
      shippingAddress: customer?.shippingAddress ?? null,
      note: customer?.note ?? null,
    },
    lines: lines.map((line) => lineView(order, line, changesOf.get(line.lineId) ?? [])),
    holds: await toHoldViews(em, holds),
    supplierOrders: purchases,
    totals: purchaseTotals(order, purchases),
  };
}

/** Everything about one order as it stands at one moment; null when there is none of that id. */
export const readOrderView = (store: Store, orderId: string): Promise<OrderView | null> =>
  inOneSnapshot(store, (em) => orderViewOf(em, orderId));
