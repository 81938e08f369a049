import { randomUUID } from 'node:crypto';
import type { HTTPResponse } from 'h3';
import { NO_SHOP } from '../../contracts/events/order-received.ts';
import { orderIdOf } from '../../contracts/ids.ts';
import type { Explanation } from '../../contracts/resources/explanation.ts';
import { type OrderList, OrderListQuery, type OrderView } from '../../contracts/resources/order.ts';
import { PostOrder, PutOrder } from '../../contracts/resources/order-requests.ts';
import { type Timeline, TimelineQuery } from '../../contracts/resources/timeline.ts';
import type { Bus } from '../../services/bus/bus.ts';
import { commitAndPublish } from '../../services/bus/commit-and-publish.ts';
import type { Store } from '../../services/store/store.ts';
import { accepted, created } from '../answer.ts';
import { doOnce, idempotencyKeyOf } from '../idempotency.ts';
import { absentOrder, orderIdIn } from '../locked-order.ts';
import { orderListStatement } from '../order-list.ts';
import { cancelOrder, changeOrder, createOrder } from '../order-requests.ts';
import { toPage } from '../page.ts';
import { readJson, readQuery } from '../read-input.ts';
import type { Route } from '../route.ts';
import { creating } from '../supplier-problem.ts';
import { type SummaryRow, toSummary } from '../views/order-summary.ts';

async function readList(store: Store, query: OrderListQuery): Promise<OrderList> {
  const { text, values } = await orderListStatement(store, query);
  const rows = await store.query<SummaryRow>(text, values);
  const found = rows.map((row) => ({ ...row, createdAt: new Date(row.createdAt) }));
  const { items, nextCursor } = toPage(found, query.limit);
  return { items: items.map(toSummary), nextCursor };
}

/** What was read of the order. @throws AppError `order_not_found`. */
async function known<View>(store: Store, orderId: string, view: View | null): Promise<View> {
  if (view !== null) return view;
  throw await absentOrder(store, orderId);
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
    handle: creating(async (event): Promise<HTTPResponse> => {
      const body = await readJson(event, PostOrder);
      const key = idempotencyKeyOf(event);
      const orderId = orderIdOf(NO_SHOP, key ?? randomUUID());
      const receipt = await doOnce({ store, bus }, { route: 'POST /orders', key, body }, (sql, say) =>
        createOrder(sql, say, orderId, body),
      );
      return created(`/orders/${receipt.id}`, receipt);
    }),
  },
  {
    method: 'GET',
    path: '/orders/:orderId',
    handle: async (event): Promise<OrderView> => {
      const orderId = orderIdIn(event);
      const { readOrderView } = await import('../views/order-view.ts');
      return known(store, orderId, await readOrderView(store, orderId));
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
    handle: async (event): Promise<Timeline> => {
      const orderId = orderIdIn(event);
      const query = readQuery(event, TimelineQuery);
      const { readTimeline } = await import('../views/timeline-view.ts');
      return known(store, orderId, await readTimeline(store, orderId, query));
    },
  },
  {
    method: 'GET',
    path: '/orders/:orderId/explain',
    handle: async (event): Promise<Explanation> => {
      const orderId = orderIdIn(event);
      const { readExplanation } = await import('../views/explanation-view.ts');
      return known(store, orderId, await readExplanation(store, orderId));
    },
  },
];
