import {
  HoldList,
  HoldListQuery,
  HoldReceipt,
  PostHold,
  ReleaseByReason,
  ReleaseReceipt,
} from '../../contracts/resources/hold.ts';
import { json, ORDER_ID } from './described.ts';
import type { RouteDoc } from './route-doc.ts';

export const HOLD_DOCS: Readonly<Record<string, RouteDoc>> = {
  'GET /holds': {
    tag: 'Holds',
    summary: 'List what waits for a person, newest first',
    query: HoldListQuery,
    answers: { 200: json(HoldList) },
  },
  'POST /holds/release': {
    tag: 'Holds',
    summary: 'Release all holds of one reason',
    body: json(ReleaseByReason, { reason: 'supplier_paused' }),
    answers: { 202: json(ReleaseReceipt) },
  },
  'POST /holds/:holdId/release': {
    tag: 'Holds',
    summary: 'Release a hold',
    description: 'The order goes on from where it is when none is left.',
    params: { holdId: 'Id of a hold, like `hld_20wmtjkdkoioc`.' },
    answers: { 202: json(ReleaseReceipt) },
    problems: [404],
  },
  'POST /orders/:orderId/holds': {
    tag: 'Holds',
    summary: 'Hold an order, or one of its lines',
    params: { orderId: ORDER_ID },
    body: json(PostHold, { note: 'the customer called' }),
    answers: { 202: json(HoldReceipt) },
    problems: [404, 409],
  },
};
