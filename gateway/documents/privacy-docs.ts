import {
  CustomerData,
  ErasureReceipt,
  PrivacyRequest,
  PrivacyRequestList,
  PrivacyRequestQuery,
} from '../../contracts/resources/privacy.ts';
import { json } from './described.ts';
import type { RouteDoc } from './route-doc.ts';

const params = {
  customerId:
    'The shop’s number of the customer, their mail address (`%40` for the @), or the id of one of their orders. All orders under the same number or address are meant.',
};

export const PRIVACY_DOCS: Readonly<Record<string, RouteDoc>> = {
  'GET /customers/:customerId/data': {
    tag: 'Privacy',
    summary: 'Export everything that is stored about a customer',
    description: 'Open requests for the data of these orders are closed by it.',
    params,
    answers: {
      200: json(CustomerData, {
        orderIds: ['ord_20wmtjkdkoioc'],
        exportedAt: '2026-11-02T14:15:01.123Z',
        data: { customer_details: [{ order_id: 'ord_20wmtjkdkoioc', email: 'ada@mail.example' }] },
      }),
    },
    problems: [404],
  },
  'DELETE /customers/:customerId/data': {
    tag: 'Privacy',
    summary: 'Erase a customer, and keep the books',
    description:
      'Orders that have ended are erased at once. Those on their way wait for their end, as `waiting` says, and not beyond `dueAt`. To ask again does no harm.',
    params,
    answers: {
      202: json(ErasureReceipt, {
        requestId: 7,
        erased: ['ord_20wmtjkdkoioc'],
        waiting: [{ orderId: 'ord_25uy1tqo7yl4g', status: 'shipped' }],
        dueAt: '2026-12-02T14:15:01.123Z',
        found: [],
      }),
    },
    problems: [404],
  },
  'GET /privacy-requests': {
    tag: 'Privacy',
    summary: 'List who asked for their data, or to be forgotten; the open ones first',
    query: PrivacyRequestQuery,
    answers: { 200: json(PrivacyRequestList) },
  },
  'POST /privacy-requests/:requestId/close': {
    tag: 'Privacy',
    summary: 'Close a request for data that was answered another way',
    description: 'A request to be forgotten closes by itself, when nobody is left to be erased.',
    params: { requestId: 'Number of the request.' },
    answers: { 200: json(PrivacyRequest) },
    problems: [404, 409],
  },
};
