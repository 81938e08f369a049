import {
  SupplierOrderList,
  SupplierOrderListQuery,
  SupplierOrderView,
} from '../../contracts/resources/supplier-order.ts';
import {
  AdoptSupplierOrder,
  NotBought,
  ParcelContents,
  PostSupplierOrder,
  PutSupplierOrder,
  SupplierOrderReceipt,
} from '../../contracts/resources/supplier-order-requests.ts';
import { IDEMPOTENCY, json, SUPPLIER_ORDER_ID } from './described.ts';
import { EXAMPLE_ADDRESS } from './order-docs.ts';
import type { RouteDoc } from './route-doc.ts';

const params = { supplierOrderId: SUPPLIER_ORDER_ID };
const about = (summary: string, description: string): RouteDoc => ({
  tag: 'Supplier orders',
  summary,
  description,
  params,
  answers: { 202: json(SupplierOrderReceipt) },
  problems: [404, 409],
});

export const SUPPLIER_ORDER_DOCS: Readonly<Record<string, RouteDoc>> = {
  'GET /supplier-orders': {
    tag: 'Supplier orders',
    summary: 'List supplier orders, newest first',
    query: SupplierOrderListQuery,
    answers: { 200: json(SupplierOrderList) },
  },
  'POST /supplier-orders': {
    tag: 'Supplier orders',
    summary: 'Buy outside sourcing',
    description:
      'Takes units that are not bought yet from the lines of the SKU, or from the line of `line_id`. An order id that is not known makes an order of that id, paid and with no shop behind it.',
    headers: IDEMPOTENCY,
    body: json(PostSupplierOrder, {
      order_id: 'ord_12345',
      supplier: 'cj_dropshipping',
      items: [
        {
          sku: 'SKU001',
          quantity: 1,
          supplier_product_id: 'CJ123456',
          properties: { color: 'blue', size: 'M' },
        },
      ],
      shipping_address: EXAMPLE_ADDRESS,
    }),
    answers: { 201: json(SupplierOrderReceipt) },
    problems: [409],
  },
  'GET /supplier-orders/:supplierOrderId': {
    tag: 'Supplier orders',
    summary: 'Get a supplier order with its parcels',
    params,
    answers: { 200: json(SupplierOrderView) },
    problems: [404],
  },
  'PUT /supplier-orders/:supplierOrderId': {
    ...about(
      'Change a draft',
      'Articles and method while it is a draft, which is then quoted anew; its note at any time. Of another article as many pieces are bought as of the one before: see `supplierUnits`.',
    ),
    body: json(PutSupplierOrder, { note: 'the blue one' }),
  },
  'DELETE /supplier-orders/:supplierOrderId': about(
    'Give a supplier order up',
    'It is `cancelled` when nothing was bought or the supplier says so, and `cancelling` until then.',
  ),
  'POST /supplier-orders/:supplierOrderId/retry': about(
    'Try again now',
    'Does at once what its deadline would do later.',
  ),
  'POST /supplier-orders/:supplierOrderId/refresh': about(
    'Read its state at the supplier now',
    'News follow in a moment.',
  ),
  'POST /supplier-orders/:supplierOrderId/parcel-contents': {
    ...about(
      'Say what is in a parcel',
      'Of a purchase whose parcels cannot be told apart. Your word goes before what the supplier says; other parcels have what it leaves. Without items the number is no box of this purchase, or one that another number has replaced. The supplier is looked at anew in a moment, and shop and customer follow; then release the hold that asked.',
    ),
    body: json(ParcelContents, {
      tracking_number: 'CJPKL7100009999YQ',
      items: [{ line_id: '1', quantity: 1 }],
    }),
  },
  'POST /supplier-orders/:supplierOrderId/adopt': {
    ...about(
      'Name the order that a purchase in doubt has become',
      'Of a purchase in `outcome_unknown`. The order is read at the supplier: it must hold the same articles, be of the time of the purchase and nobody else’s; what differs stands in the problem, and nothing changes. Safe to repeat.',
    ),
    body: json(AdoptSupplierOrder, { supplier_reference: '8190000000000001' }),
    problems: [404, 409, 502, 504],
  },
  'POST /supplier-orders/:supplierOrderId/not-bought': {
    ...about(
      'Say that a purchase in doubt was never made',
      'Of a purchase in `outcome_unknown`, once nothing of its calls can come to pass any more. It is bought anew through all its gates, under another number where the supplier refuses its own, or given up when nobody wants it.',
    ),
    body: json(NotBought, { note: 'no order of that number in the list of the supplier’s site' }),
    problems: [404, 409, 502, 504],
  },
};
