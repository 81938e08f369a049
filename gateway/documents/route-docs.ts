import { z } from 'zod';
import { ListQuery, OrderList, OrderView } from '../../contracts/resources/order.ts';
import { ProductMapping, PutProductMapping } from '../../contracts/resources/product-mapping.ts';
import { SupplierOrderList, SupplierOrderView } from '../../contracts/resources/supplier-order.ts';
import { ORDER_TOPICS } from '../webhooks/verify-delivery.ts';
import type { Content, RouteDoc } from './route-doc.ts';

const json = (contract: z.ZodType, example?: unknown): readonly Content[] => [
  example === undefined ? { json: contract } : { json: contract, example },
];

const ORDER_ID = 'Id of an order, like `ord_20wmtjkdkoioc`.';
const SUPPLIER_ORDER_ID = 'Id of a supplier order, like `sup_ord_20wmtjkdkoioc`.';
const VARIANT_ID = 'Numeric id of a variant in the shop.';

const WEBHOOK: RouteDoc = {
  tag: 'Webhooks',
  summary: 'Take a webhook of the shop',
  description:
    'Signed by Shopify over the raw bytes; answered after the commit. Title of a refusal: "Webhook verification failed".',
  headers: {
    'X-Shopify-Hmac-Sha256': { description: 'Signature of the body.', required: true },
    'X-Shopify-Shop-Domain': { description: 'The shop.', required: true },
    'X-Shopify-Webhook-Id': { description: 'Id of this delivery.', required: true },
  },
  body: json(z.looseObject({}).describe('As Shopify sends it.')),
  answers: { 200: json(z.object({ result: z.string() })) },
  problems: [401],
};

/** What the documents say of each route; the routes themselves say what is done. */
export const ROUTE_DOCS: Readonly<Record<string, RouteDoc>> = {
  ...Object.fromEntries(ORDER_TOPICS.map((topic) => [`POST /webhooks/shopify/${topic}`, WEBHOOK])),
  'GET /orders': {
    tag: 'Orders',
    summary: 'List orders, newest first',
    query: ListQuery,
    answers: { 200: json(OrderList) },
  },
  'GET /orders/:orderId': {
    tag: 'Orders',
    summary: 'Get an order with its lines, holds, supplier orders and parcels',
    params: { orderId: ORDER_ID },
    answers: { 200: json(OrderView) },
    problems: [404],
  },
  'GET /supplier-orders': {
    tag: 'Supplier orders',
    summary: 'List supplier orders, newest first',
    query: ListQuery,
    answers: { 200: json(SupplierOrderList) },
  },
  'GET /supplier-orders/:supplierOrderId': {
    tag: 'Supplier orders',
    summary: 'Get a supplier order with its parcels',
    params: { supplierOrderId: SUPPLIER_ORDER_ID },
    answers: { 200: json(SupplierOrderView) },
    problems: [404],
  },
  'GET /product-mappings/:variantId': {
    tag: 'Product mappings',
    summary: 'Get the supplier articles behind a variant of the shop',
    params: { variantId: VARIANT_ID },
    answers: { 200: json(ProductMapping) },
    problems: [404],
  },
  'PUT /product-mappings/:variantId': {
    tag: 'Product mappings',
    summary: 'Say which supplier articles stand behind a variant of the shop',
    description: 'Orders that waited for it go on by themselves.',
    params: { variantId: VARIANT_ID },
    body: json(PutProductMapping, {
      candidates: [
        {
          supplier: 'cj_dropshipping',
          supplierProductId: '2601010000000000009',
          supplierVariantId: '2602020000000000009',
          shipsFrom: 'CN',
        },
      ],
    }),
    answers: { 200: json(ProductMapping) },
  },
  'GET /healthz': {
    tag: 'Operation',
    summary: 'Say that the process lives',
    answers: { 200: json(z.object({ status: z.literal('ok') })) },
  },
  'GET /readyz': {
    tag: 'Operation',
    summary: 'Say whether orders are worked on',
    answers: { 200: json(z.object({ status: z.literal('ready') })) },
  },
  'GET /metrics': {
    tag: 'Operation',
    summary: 'Show the measurements',
    answers: { 200: [{ mediaType: 'text/plain', description: 'In the text format of Prometheus.' }] },
  },
  'GET /openapi.json': {
    tag: 'Documents',
    summary: 'Get this description of the API',
    answers: { 200: json(z.looseObject({ openapi: z.string() })) },
  },
  'GET /asyncapi.json': {
    tag: 'Documents',
    summary: 'Get the description of what other agents may hear and ask over NATS',
    answers: { 200: json(z.looseObject({ asyncapi: z.string() })) },
  },
  'GET /docs': {
    tag: 'Documents',
    summary: 'Show this description as a page on which calls can be tried',
    answers: { 200: [{ mediaType: 'text/html', description: 'A page.' }] },
  },
  'GET /docs/:file': {
    tag: 'Documents',
    summary: 'Get a file of that page, or the page for other agents',
    params: { file: 'Name of the file; `agents` for the page about NATS.' },
    answers: {
      200: [
        { mediaType: 'text/javascript', description: 'A script.' },
        { mediaType: 'text/css', description: 'A style sheet.' },
        { mediaType: 'text/html', description: 'The page about NATS.' },
      ],
    },
    problems: [404],
  },
};
