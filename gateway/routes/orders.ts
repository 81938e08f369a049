import { randomUUID } from 'node:crypto';
import { type EntityManager, IsolationLevel } from '@mikro-orm/postgresql';
import type { HTTPResponse } from 'h3';
import { NO_SHOP } from '../../contracts/events/order-received.ts';
import { orderIdOf } from '../../contracts/ids.ts';
import type { Explanation } from '../../contracts/resources/explanation.ts';
import { type OrderList, OrderListQuery, type OrderView } from '../../contracts/resources/order.ts';
import { PostOrder, PutOrder } from '../../contracts/resources/order-requests.ts';
import { type Timeline, TimelineQuery } from '../../contracts/resources/timeline.ts';
import type { Bus } from '../../services/bus/bus.ts';
import { commitAndPublish } from '../../services/bus/commit-and-publish.ts';
import { DeadLetter, Timer } from '../../services/store/entities/log.ts';
import { Hold, Order, TimelineEntry } from '../../services/store/entities/order.ts';
import { SupplierOrder } from '../../services/store/entities/supplier-order.ts';
import type { Store } from '../../services/store/store.ts';
import { accepted, created } from '../answer.ts';
import { explain } from '../explain.ts';
import { doOnce, idempotencyKeyOf } from '../idempotency.ts';
import { noSuchOrder, orderIdIn } from '../locked-order.ts';
import { orderListStatement } from '../order-list.ts';
import { cancelOrder, changeOrder, createOrder } from '../order-requests.ts';
import { toPage } from '../page.ts';
import { readJson, readQuery } from '../read-input.ts';
import type { Route } from '../route.ts';
import { toHoldViews } from '../views/hold-view.ts';
import { readOrderView, type SummaryRow, toSummary } from '../views/order-view.ts';
import { toTimelineView } from '../views/timeline-view.ts';

/** The units of lines and of supplier orders must not come from different moments. */
const inOneSnapshot = <T>(store: Store, read: (em: EntityManager) => Promise<T>): Promise<T> =>
  store.em().transactional(read, { isolationLevel: IsolationLevel.REPEATABLE_READ, readOnly: true });

async function readList(store: Store, query: OrderListQuery): Promise<OrderList> {
  const { text, values } = await orderListStatement(store, query);
  const rows = await store.query<SummaryRow>(text, values);
  const found = rows.map((row) => ({ ...row, createdAt: new Date(row.createdAt) }));
  const { items, nextCursor } = toPage(found, query.limit);
  return { items: items.map(toSummary), nextCursor };
}

async function readExplanation(em: EntityManager, orderId: string): Promise<Explanation> {
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
  return explain({
    id: orderId,
    status: order.state,
    isArchived: order.archivedAt != null,
    isTest: order.context.test,
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
  });
}

async function readTimeline(
  store: Store,
  orderId: string,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
) {
  const em = store.em();
  const found = await em.find(
    TimelineEntry,
    { orderId, ...(cursor === undefined ? {} : { id: { $gt: Number(cursor) } }) },
    { orderBy: { id: 'asc' }, limit: limit + 1 },
  );
  if (found.length === 0 && (await em.findOne(Order, { id: orderId }, { fields: ['id'] })) === null)
    throw noSuchOrder(orderId);
  const items = found.slice(0, limit).map(toTimelineView);
  return { items, nextCursor: found.length > limit ? (items.at(-1)?.id ?? null) : null };
}

export const orderRoutes = (store: Store, bus: Bus): Route[] => [
  {
    method: 'GET',
    path: '/orders',
    handle: (event): Promise<OrderList> => readList(store, readQuery(event, OrderListQuery)),
  },
  {
    method: 'POST',
    path: '/orders',
    handle: async (event): Promise<HTTPResponse> => {
      const body = await readJson(event, PostOrder);
      const key = idempotencyKeyOf(event);
      const orderId = orderIdOf(NO_SHOP, key ?? randomUUID());
      const receipt = await doOnce({ store, bus }, { route: 'POST /orders', key, body }, (sql, say) =>
        createOrder(sql, say, orderId, body),
      );
      return created(`/orders/${receipt.id}`, receipt);
    },
  },
  {
    method: 'GET',
    path: '/orders/:orderId',
    handle: async (event): Promise<OrderView> => {
      const orderId = orderIdIn(event);
      const view = await inOneSnapshot(store, (em) => readOrderView(em, orderId));
      if (view !== null) return view;
      throw noSuchOrder(orderId);
    },
  },
  {
    method: 'PUT',
    path: '/orders/:orderId',
    handle: async (event): Promise<HTTPResponse> => {
      const orderId = orderIdIn(event);
      const body = await readJson(event, PutOrder);
      return accepted(await commitAndPublish(store, bus, (sql, say) => changeOrder(sql, say, orderId, body)));
    },
  },
  {
    method: 'DELETE',
    path: '/orders/:orderId',
    handle: async (event): Promise<HTTPResponse> => {
      const orderId = orderIdIn(event);
      return accepted(await commitAndPublish(store, bus, (sql, say) => cancelOrder(sql, say, orderId)));
    },
  },
  {
    method: 'GET',
    path: '/orders/:orderId/timeline',
    handle: (event): Promise<Timeline> =>
      readTimeline(store, orderIdIn(event), readQuery(event, TimelineQuery)),
  },
  {
    method: 'GET',
    path: '/orders/:orderId/explain',
    handle: (event): Promise<Explanation> => {
      const orderId = orderIdIn(event);
      return inOneSnapshot(store, (em) => readExplanation(em, orderId));
    },
  },
];
