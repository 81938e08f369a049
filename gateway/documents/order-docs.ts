import { Explanation } from '../../contracts/resources/explanation.ts';
import { MailReceipt } from '../../contracts/resources/mail.ts';
import { OrderList, OrderListQuery, OrderView } from '../../contracts/resources/order.ts';
import { OrderReceipt, PostOrder, PutOrder } from '../../contracts/resources/order-requests.ts';
import { Timeline, TimelineQuery } from '../../contracts/resources/timeline.ts';
import { IDEMPOTENCY, json, ORDER_ID } from './described.ts';
import type { RouteDoc } from './route-doc.ts';

const params = { orderId: ORDER_ID };
export const EXAMPLE_ADDRESS = {
  first_name: 'Jean',
  last_name: 'Dupont',
  address1: '123 Rue Exemple',
  city: 'Paris',
  state: 'Île-de-France',
  zip: '75001',
  country: 'FR',
  phone: '+33123456789',
  email: 'jean.dupont@example.com',
};

export const ORDER_DOCS: Readonly<Record<string, RouteDoc>> = {
  'GET /orders': {
    tag: 'Orders',
    summary: 'List orders, newest first',
    description: 'What was put away is left out unless `archived=true` asks for it, and for nothing else.',
    query: OrderListQuery,
    answers: { 200: json(OrderList) },
  },
  'POST /orders': {
    tag: 'Orders',
    summary: 'Make an order that no shop stands behind',
    description: 'It goes the road of every other order: committed now, to be read in a moment.',
    headers: IDEMPOTENCY,
    body: json(PostOrder, {
      currency: 'EUR',
      payment: 'paid',
      items: [{ sku: 'LAMP-MOON', variant_id: '44550000000001', quantity: 1, unit_price_minor: 1_990 }],
      shipping_address: EXAMPLE_ADDRESS,
    }),
    answers: { 201: json(OrderReceipt) },
    problems: [409],
  },
  'GET /orders/:orderId': {
    tag: 'Orders',
    summary: 'Get an order with its lines, holds, supplier orders, parcels and totals',
    params,
    answers: { 200: json(OrderView) },
    problems: [404],
  },
  'PUT /orders/:orderId': {
    tag: 'Orders',
    summary: 'Change address, contact, note or units of an order',
    description:
      'As far as nobody has to be asked; a refusal says what is still possible. `contact.phone` is the number that suppliers get for the parcel, before the one of the address, until an address is put without a `contact.phone`. `contact.email` is where mails go, and can be put after the purchase too.',
    params,
    body: json(PutOrder, { note: 'ring twice' }),
    answers: { 202: json(OrderReceipt) },
    problems: [404, 409],
  },
  'DELETE /orders/:orderId': {
    tag: 'Orders',
    summary: 'Cancel what can be cancelled of an order, and put it away',
    description:
      'Put away when nothing of it moves any more. If it goes on again, as when the shop adds units to it, it is listed again.',
    params,
    answers: { 202: json(OrderReceipt) },
    problems: [404],
  },
  'GET /orders/:orderId/timeline': {
    tag: 'Orders',
    summary: 'Read what happened to an order, oldest first',
    params,
    query: TimelineQuery,
    answers: { 200: json(Timeline) },
    problems: [404],
  },
  'GET /orders/:orderId/explain': {
    tag: 'Orders',
    summary: 'Say where an order is, why, what comes next and when, and what can be done',
    params,
    answers: { 200: json(Explanation) },
    problems: [404],
  },
  'POST /orders/:orderId/mails/send-again': {
    tag: 'Orders',
    summary: 'Send the mails again that the customer may not have',
    description:
      'Those that were refused for good, or of which nobody knows whether they arrived; each goes out once more. Put the right address before, with `PUT /orders/{orderId}` (`contact.email`).',
    params,
    answers: { 202: json(MailReceipt) },
    problems: [404, 409],
  },
};
