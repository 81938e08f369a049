import { type EntityManager, IsolationLevel } from '@mikro-orm/postgresql';
import { AppError } from '../../contracts/errors.ts';
import { ListQuery, type OrderList, type OrderView } from '../../contracts/resources/order.ts';
import { Order } from '../../services/store/entities/order.ts';
import type { Store } from '../../services/store/store.ts';
import { after, fromCursor, NEWEST_FIRST, toPage } from '../page.ts';
import { readParam, readQuery } from '../read-input.ts';
import type { Route } from '../route.ts';
import { ORDER_SUMMARY_FIELDS, readOrderView, toOrderSummaries } from '../views/order-view.ts';

/** The units of lines and of supplier orders must not come from different moments. */
const inOneSnapshot = <T>(store: Store, read: (em: EntityManager) => Promise<T>): Promise<T> =>
  store.em().transactional(read, { isolationLevel: IsolationLevel.REPEATABLE_READ, readOnly: true });

export const orderRoutes = (store: Store): Route[] => [
  {
    method: 'GET',
    path: '/orders',
    handle: async (event): Promise<OrderList> => {
      const { limit, cursor } = readQuery(event, ListQuery);
      const em = store.em();
      const found = await em.find(Order, cursor === undefined ? {} : after(fromCursor(cursor)), {
        fields: ORDER_SUMMARY_FIELDS,
        orderBy: NEWEST_FIRST,
        limit: limit + 1,
      });
      const { items, nextCursor } = toPage(found, limit);
      return { items: await toOrderSummaries(em, items), nextCursor };
    },
  },
  {
    method: 'GET',
    path: '/orders/:orderId',
    handle: async (event): Promise<OrderView> => {
      const orderId = readParam(event, 'orderId');
      const isId = /^ord_\w{1,60}$/.test(orderId);
      const view = isId ? await inOneSnapshot(store, (em) => readOrderView(em, orderId)) : null;
      if (view !== null) return view;
      throw new AppError('order_not_found', `there is no order ${JSON.stringify(orderId.slice(0, 80))}`, {
        retryable: false,
      });
    },
  },
];
