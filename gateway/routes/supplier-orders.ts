import { randomUUID } from 'node:crypto';
import type { H3Event, HTTPResponse } from 'h3';
import type { z } from 'zod';
import type { Answer } from '../../contracts/requests/request.ts';
import {
  ADOPT_PURCHASE,
  SETTLE_NOT_BOUGHT,
  type WordAnswered,
} from '../../contracts/requests/settle-doubt.ts';
import {
  type SupplierOrderList,
  SupplierOrderListQuery,
  type SupplierOrderView,
} from '../../contracts/resources/supplier-order.ts';
import {
  AdoptSupplierOrder,
  NotBought,
  ParcelContents,
  PostSupplierOrder,
  PutSupplierOrder,
} from '../../contracts/resources/supplier-order-requests.ts';
import type { Bus } from '../../services/bus/bus.ts';
import { commitAndPublish } from '../../services/bus/commit-and-publish.ts';
import type { Store } from '../../services/store/store.ts';
import { accepted, created } from '../answer.ts';
import { createSupplierOrder } from '../create-supplier-order.ts';
import { doOnce, idempotencyKeyOf } from '../idempotency.ts';
import { readPlaces, supplierOrderListStatement } from '../order-list.ts';
import { toPage } from '../page.ts';
import { conflict } from '../problem.ts';
import { readJson, readParam, readQuery } from '../read-input.ts';
import type { Route } from '../route.ts';
import {
  cancelSupplierOrder,
  changeSupplierOrder,
  noSuchSupplierOrder,
  refreshSupplierOrder,
  requireSupplierOrder,
  retrySupplierOrder,
  tellParcelContents,
} from '../supplier-order-requests.ts';
import { answerOf, creating } from '../supplier-problem.ts';

/** @throws AppError `supplier_order_not_found` for what can be no id of ours. */
function idIn(event: H3Event): string {
  const id = readParam(event, 'supplierOrderId');
  if (/^sup_ord_\w{1,60}$/.test(id)) return id;
  throw noSuchSupplierOrder(id);
}

async function readViews(store: Store, ids: readonly string[]): Promise<SupplierOrderView[]> {
  const { readSupplierOrderViews } = await import('../views/supplier-order-view.ts');
  return readSupplierOrderViews(store, ids);
}

/** A request about one supplier order, without a body. */
const command =
  (store: Store, bus: Bus, ask: typeof cancelSupplierOrder) =>
  async (event: H3Event): Promise<HTTPResponse> => {
    const id = idIn(event);
    return accepted(await commitAndPublish(store, bus, (sql, say) => ask(sql, say, id)));
  };

/** Longer than the suppliers service itself waits for a supplier. */
const WORD_MS = 25_000;

/** A person's word about a purchase in doubt. The suppliers service compares it with what there is, or refuses it. */
const word =
  <Body extends z.ZodObject>(
    store: Store,
    body: Body,
    tell: (word: z.output<Body> & { supplierOrderId: string }) => Promise<Answer<WordAnswered>>,
  ) =>
  async (event: H3Event): Promise<HTTPResponse> => {
    const supplierOrderId = idIn(event);
    const said = await readJson(event, body);
    await requireSupplierOrder(store, supplierOrderId);
    const answer = await answerOf(tell({ ...said, supplierOrderId }), 'order');
    if (answer.result === 'refused') throw conflict(answer.detail, answer.differs);
    return accepted(answer.receipt);
  };

export const supplierOrderRoutes = (store: Store, bus: Bus): Route[] => [
  {
    method: 'GET',
    path: '/supplier-orders',
    handle: async (event): Promise<SupplierOrderList> => {
      const query = readQuery(event, SupplierOrderListQuery);
      const places = await readPlaces(store, supplierOrderListStatement(query));
      const { items, nextCursor } = toPage(places, query.limit);
      return {
        items: await readViews(
          store,
          items.map(({ id }) => id),
        ),
        nextCursor,
      };
    },
  },
  {
    method: 'POST',
    path: '/supplier-orders',
    handle: creating(async (event): Promise<HTTPResponse> => {
      const body = await readJson(event, PostSupplierOrder);
      const key = idempotencyKeyOf(event);
      const request = { route: 'POST /supplier-orders', key, body };
      const receipt = await doOnce({ store, bus }, request, (sql, say) =>
        createSupplierOrder(sql, say, body, key ?? randomUUID()),
      );
      return created(`/supplier-orders/${receipt.id}`, receipt);
    }),
  },
  {
    method: 'GET',
    path: '/supplier-orders/:supplierOrderId',
    handle: async (event): Promise<SupplierOrderView> => {
      const id = idIn(event);
      const [view] = await readViews(store, [id]);
      if (view !== undefined) return view;
      throw noSuchSupplierOrder(id);
    },
  },
  {
    method: 'PUT',
    path: '/supplier-orders/:supplierOrderId',
    handle: async (event): Promise<HTTPResponse> => {
      const id = idIn(event);
      const body = await readJson(event, PutSupplierOrder);
      return accepted(
        await commitAndPublish(store, bus, (sql, say) => changeSupplierOrder(sql, say, id, body)),
      );
    },
  },
  {
    method: 'DELETE',
    path: '/supplier-orders/:supplierOrderId',
    handle: command(store, bus, cancelSupplierOrder),
  },
  {
    method: 'POST',
    path: '/supplier-orders/:supplierOrderId/retry',
    handle: command(store, bus, retrySupplierOrder),
  },
  {
    method: 'POST',
    path: '/supplier-orders/:supplierOrderId/refresh',
    handle: command(store, bus, refreshSupplierOrder),
  },
  {
    method: 'POST',
    path: '/supplier-orders/:supplierOrderId/parcel-contents',
    handle: async (event): Promise<HTTPResponse> => {
      const id = idIn(event);
      const body = await readJson(event, ParcelContents);
      return accepted(
        await commitAndPublish(store, bus, (sql, say) => tellParcelContents(sql, say, id, body)),
      );
    },
  },
  {
    method: 'POST',
    path: '/supplier-orders/:supplierOrderId/adopt',
    handle: word(store, AdoptSupplierOrder, (said) => bus.request(ADOPT_PURCHASE, said, WORD_MS)),
  },
  {
    method: 'POST',
    path: '/supplier-orders/:supplierOrderId/not-bought',
    handle: word(store, NotBought, (said) => bus.request(SETTLE_NOT_BOUGHT, said, WORD_MS)),
  },
];
