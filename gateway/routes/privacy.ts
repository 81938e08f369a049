import type { H3Event, HTTPResponse } from 'h3';
import { AppError } from '../../contracts/errors.ts';
import { NO_SHOP } from '../../contracts/events/order-received.ts';
import {
  CustomerData,
  ErasureReceipt,
  PrivacyRequest,
  type PrivacyRequestList,
  PrivacyRequestQuery,
} from '../../contracts/resources/privacy.ts';
import { ordersOfPerson } from '../../services/store/customers.ts';
import { exportOrders } from '../../services/store/export-orders.ts';
import {
  askErasure,
  closeErased,
  closeExported,
  closeRequest,
  eraseAsked,
  leftOf,
  listRequests,
  waitingOf,
} from '../../services/store/privacy.ts';
import type { Store } from '../../services/store/store.ts';
import { accepted } from '../answer.ts';
import { conflict } from '../problem.ts';
import { readParam, readQuery } from '../read-input.ts';
import type { Route } from '../route.ts';

/** Everything that is known by that name. @throws AppError `not_found`, which does not repeat it: it may be a mail address. */
async function ordersIn(store: Store, event: H3Event): Promise<string[]> {
  const person = readParam(event, 'customerId').trim();
  const orderIds = person === '' || person.includes('\0') ? [] : await ordersOfPerson(store, person);
  if (orderIds.length > 0) return orderIds;
  const message =
    'nobody is known by this: it must be the shop’s number of a customer, a mail address, or the id of one of their orders';
  throw new AppError('not_found', message, { retryable: false });
}

/** The request of the path. @throws AppError `not_found`. */
async function requestIn(store: Store, event: H3Event): Promise<PrivacyRequest> {
  const id = readParam(event, 'requestId');
  const [row] = /^[1-9]\d{0,14}$/.test(id) ? await listRequests(store, { id: Number(id), limit: 1 }) : [];
  if (row !== undefined) return PrivacyRequest.parse(row);
  throw new AppError('not_found', 'there is no such privacy request', { retryable: false });
}

export const privacyRoutes = (store: Store): Route[] => [
  {
    method: 'GET',
    path: '/customers/:customerId/data',
    scope: 'admin',
    handle: async (event): Promise<CustomerData> => {
      const orderIds = await ordersIn(store, event);
      const data = await exportOrders(store, orderIds);
      // A look at the headers hands nothing over.
      if (event.req.method === 'GET') await closeExported(store, orderIds);
      return CustomerData.parse({ orderIds, exportedAt: new Date().toISOString(), data });
    },
  },
  {
    method: 'DELETE',
    path: '/customers/:customerId/data',
    scope: 'admin',
    handle: async (event): Promise<HTTPResponse> => {
      const orderIds = await ordersIn(store, event);
      const requestId = await store.transaction((sql) => askErasure(sql, NO_SHOP, orderIds));
      // What is cut short here the sweep finds.
      const known = await eraseAsked(store, orderIds.length, orderIds);
      await closeErased(store, [requestId]);
      const [request] = await listRequests(store, { id: requestId, limit: 1 });
      const waiting = await waitingOf(store, orderIds);
      const isWaiting = new Set(waiting.map(({ orderId }) => orderId));
      const erased = orderIds.filter((orderId) => !isWaiting.has(orderId));
      const found = await leftOf(store, known);
      return accepted(ErasureReceipt.parse({ requestId, erased, waiting, dueAt: request?.dueAt, found }));
    },
  },
  {
    method: 'GET',
    path: '/privacy-requests',
    scope: 'admin',
    handle: async (event): Promise<PrivacyRequestList> => {
      const rows = await listRequests(store, readQuery(event, PrivacyRequestQuery));
      return { items: rows.map((row) => PrivacyRequest.parse(row)) };
    },
  },
  {
    method: 'POST',
    path: '/privacy-requests/:requestId/close',
    scope: 'admin',
    handle: async (event): Promise<PrivacyRequest> => {
      const { id, kind } = await requestIn(store, event);
      if (kind !== 'data_requested')
        throw conflict('a request to be forgotten closes by itself, when nobody is left to be erased');
      await closeRequest(store, id);
      return requestIn(store, event);
    },
  },
];
