import { ListQuery, OrderList, OrderView } from '../../contracts/resources/order.ts';
import { SupplierOrderList, SupplierOrderView } from '../../contracts/resources/supplier-order.ts';
import { json, ORDER_ID, SUPPLIER_ORDER_ID } from './described.ts';
import type { RouteDoc } from './route-doc.ts';

export const ORDER_DOCS: Readonly<Record<string, RouteDoc>> = {
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
};
