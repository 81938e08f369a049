import { defineEntity, p } from '@mikro-orm/core';
import type { ShippingAddress } from '../../../contracts/resources/order.ts';
import type { Evidence, HoldReason, OrderStateName } from '../../../contracts/vocabulary.ts';
import type { OrderContext } from '../../../machines/order-units.ts';

const OrderSchema = defineEntity({
  name: 'Order',
  tableName: 'orders',
  indexes: [{ name: 'orders_listing', properties: ['createdAt', 'id'] }],
  uniques: [{ name: 'orders_shop_order', properties: ['shop', 'shopOrderId'] }],
  properties: {
    id: p.text().primary(),
    shop: p.text(),
    shopOrderId: p.text(),
    name: p.text(),
    currency: p.text(),
    totalMinor: p.bigint('number'),
    placedAt: p.text(),
    /** The machine's state value. */
    state: p.text().$type<OrderStateName>(),
    context: p.json<OrderContext>().columnType('json'),
    machineVersion: p.integer().default(1),
    /** Counts changes; the hot statement checks it, so MikroORM's own optimistic lock is not used. */
    version: p.integer().default(1),
    createdAt: p.datetime(3).defaultRaw('now()'),
    updatedAt: p.datetime(3).defaultRaw('now()'),
  },
});
export class Order extends OrderSchema.class {}
OrderSchema.setClass(Order);

const OrderLineSchema = defineEntity({
  name: 'OrderLine',
  tableName: 'order_lines',
  indexes: [{ name: 'order_lines_variant', properties: ['variantId'] }],
  properties: {
    orderId: p.text().primary(),
    lineId: p.text().primary(),
    position: p.integer(),
    variantId: p.text().nullable(),
    productId: p.text().nullable(),
    sku: p.text().nullable(),
    title: p.text(),
    unitPriceMinor: p.bigint('number'),
  },
});
export class OrderLine extends OrderLineSchema.class {}
OrderLineSchema.setClass(OrderLine);

/** The only table that says who the customer is and where they live. */
const CustomerDetailsSchema = defineEntity({
  name: 'CustomerDetails',
  tableName: 'customer_details',
  properties: {
    orderId: p.text().primary(),
    sourceUpdatedAt: p.datetime(3),
    email: p.text().nullable(),
    phone: p.text().nullable(),
    locale: p.text().nullable(),
    taxId: p.text().nullable(),
    shippingAddress: p.json<ShippingAddress>().nullable(),
    /** The person asked to be forgotten: nothing is written here again. */
    redactedAt: p.datetime(3).nullable(),
  },
});
export class CustomerDetails extends CustomerDetailsSchema.class {}
CustomerDetailsSchema.setClass(CustomerDetails);

const HoldSchema = defineEntity({
  name: 'Hold',
  tableName: 'holds',
  indexes: [
    {
      name: 'holds_open',
      expression: 'create index holds_open on holds (order_id) where released_at is null',
    },
  ],
  properties: {
    id: p.text().primary(),
    orderId: p.text(),
    reason: p.text().$type<HoldReason>(),
    lineId: p.text().nullable(),
    supplierOrderId: p.text().nullable(),
    evidence: p.json<Evidence>().columnType('json'),
    openedAt: p.datetime(3).defaultRaw('now()'),
    releasedAt: p.datetime(3).nullable(),
  },
});
export class Hold extends HoldSchema.class {}
HoldSchema.setClass(Hold);

/** Append-only: which message moved the order from where to where. */
const TimelineEntrySchema = defineEntity({
  name: 'TimelineEntry',
  tableName: 'timeline',
  indexes: [{ name: 'timeline_order', properties: ['orderId', 'id'] }],
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    orderId: p.text(),
    at: p.datetime(3).defaultRaw('now()'),
    messageId: p.text(),
    type: p.text(),
    accepted: p.boolean(),
    fromState: p.text().nullable(),
    toState: p.text().nullable(),
    supplierOrderId: p.text().nullable(),
  },
});
export class TimelineEntry extends TimelineEntrySchema.class {}
TimelineEntrySchema.setClass(TimelineEntry);
