import { defineEntity, p } from '@mikro-orm/core';
import type { ShippingAddress } from '../../../contracts/resources/order.ts';
import type { Evidence, HoldReason, OrderStateName, UnitChangeCause } from '../../../contracts/vocabulary.ts';
import type { OrderContext } from '../../../machines/order-context.ts';

const OrderSchema = defineEntity({
  name: 'Order',
  tableName: 'orders',
  indexes: [
    {
      name: 'orders_listing',
      expression: 'create index orders_listing on orders (created_at, id) where archived_at is null',
    },
    {
      name: 'orders_archived',
      expression: 'create index orders_archived on orders (created_at, id) where archived_at is not null',
    },
    {
      name: 'orders_by_state',
      expression: 'create index orders_by_state on orders (state, created_at, id) where archived_at is null',
    },
    {
      name: 'orders_waiting',
      expression:
        "create index orders_waiting on orders (state, entered_at) where state not in ('delivered', 'cancelled', 'refunded')",
    },
    {
      name: 'orders_name',
      expression: 'create index orders_name on orders (lower(name) text_pattern_ops)',
    },
    {
      name: 'orders_to_erase',
      expression: `create index orders_to_erase on orders (created_at)
        where erased_at is null and state in ('delivered', 'cancelled', 'refunded')`,
    },
  ],
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
    /** Of the machines that it was begun by; its timeline names those that went on with it. */
    machineVersion: p.integer().default(2),
    /** Counts changes; the hot statement checks it, so MikroORM's own optimistic lock is not used. */
    version: p.integer().default(1),
    createdAt: p.datetime(3).defaultRaw('now()'),
    updatedAt: p.datetime(3).defaultRaw('now()'),
    /** When it came into its state. */
    enteredAt: p.datetime(3).defaultRaw('now()'),
    /** Put away: lists leave it out unless asked. */
    archivedAt: p.datetime(3).nullable(),
    /** Since then nothing about it names its customer. */
    erasedAt: p.datetime(3).nullable(),
  },
});
export class Order extends OrderSchema.class {}
OrderSchema.setClass(Order);

const OrderLineSchema = defineEntity({
  name: 'OrderLine',
  tableName: 'order_lines',
  indexes: [
    { name: 'order_lines_variant', properties: ['variantId'] },
    { name: 'order_lines_sku', expression: 'create index order_lines_sku on order_lines (lower(sku))' },
  ],
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
  indexes: [
    {
      name: 'customer_details_customer',
      expression:
        'create index customer_details_customer on customer_details (customer_id) where customer_id is not null',
    },
    {
      name: 'customer_details_email',
      expression:
        'create index customer_details_email on customer_details (lower(email)) where email is not null',
    },
    {
      name: 'customer_details_to_erase',
      expression: `create index customer_details_to_erase on customer_details (erase_request, order_id)
        where erase_request is not null and redacted_at is null`,
    },
  ],
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
    /** The privacy request by which the person is to be forgotten, once the order has ended. */
    eraseRequest: p.bigint('number').nullable(),
    /** The shop's own, where its bodies say it. */
    customerId: p.text().nullable(),
    note: p.text().nullable(),
    /** Put in here by the API: later bodies of the shop do not replace it. */
    isAddressOurs: p.boolean().default(false),
    isContactOurs: p.boolean().default(false),
    /** The number is for the parcel, before the one of the address. */
    isPhoneOurs: p.boolean().default(false),
    /** ISO date. */
    birthday: p.text().nullable(),
    nationalAddress: p.text().nullable(),
    /** Tax number and the two above were put in here by the API. */
    isCustomsOurs: p.boolean().default(false),
    /** Of whoever bought, as the bill has it. */
    name: p.text().nullable(),
    /** What they were asked for, in their own currency. */
    totalMinor: p.bigint('number').nullable(),
    totalCurrency: p.text().nullable(),
  },
});
export class CustomerDetails extends CustomerDetailsSchema.class {}
CustomerDetailsSchema.setClass(CustomerDetails);

const HoldSchema = defineEntity({
  name: 'Hold',
  tableName: 'holds',
  indexes: [
    { name: 'holds_order', properties: ['orderId'] },
    {
      name: 'holds_open',
      expression: 'create index holds_open on holds (order_id) where released_at is null',
    },
    {
      name: 'holds_by_reason',
      expression:
        'create index holds_by_reason on holds (reason, order_created_at, order_id) where released_at is null',
    },
    {
      name: 'holds_listing',
      expression: 'create index holds_listing on holds (opened_at, id) where released_at is null',
    },
    {
      name: 'holds_reason_listing',
      expression:
        'create index holds_reason_listing on holds (reason, opened_at, id) where released_at is null',
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
    /** A copy, so that the lists of orders by hold reason run along an index in their own order. */
    orderCreatedAt: p.datetime(3).defaultRaw('now()'),
  },
});
export class Hold extends HoldSchema.class {}
HoldSchema.setClass(Hold);

/** What people wrote when they held something. May name persons, so it is neither evidence nor an event. */
const HoldNoteSchema = defineEntity({
  name: 'HoldNote',
  tableName: 'hold_notes',
  indexes: [
    { name: 'hold_notes_hold', properties: ['holdId'] },
    { name: 'hold_notes_order', properties: ['orderId'] },
  ],
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    holdId: p.text(),
    /** Also of a note whose hold never came to be; null only in rows older than this column. */
    orderId: p.text().nullable(),
    note: p.text(),
    at: p.datetime(3).defaultRaw('now()'),
  },
});
export class HoldNote extends HoldNoteSchema.class {}
HoldNoteSchema.setClass(HoldNote);

/** Edits, refunds and cancels, unit by unit: how `ordered` and `cancelled` of a line changed, and by what. */
const UnitChangeSchema = defineEntity({
  name: 'UnitChange',
  tableName: 'unit_changes',
  indexes: [{ name: 'unit_changes_order', properties: ['orderId', 'id'] }],
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    orderId: p.text(),
    lineId: p.text(),
    messageId: p.text(),
    cause: p.text().$type<UnitChangeCause>(),
    ordered: p.integer(),
    cancelled: p.integer(),
    at: p.datetime(3).defaultRaw('now()'),
  },
});
export class UnitChange extends UnitChangeSchema.class {}
UnitChangeSchema.setClass(UnitChange);

/** Append-only: which message moved the order from where to where, and what it said: enough to tell it all again. */
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
    supplierFrom: p.text().nullable(),
    supplierTo: p.text().nullable(),
    /** Who said it: the path of a service, as its messages name their source. */
    actor: p.text().default('unknown'),
    /** Message that led to this one. */
    cause: p.text().nullable(),
    /** Of an accepted event; null for what changed nothing, and for entries older than this column. */
    data: p.json<object>().columnType('json').nullable(),
    /** Of the order host that wrote it; null for entries of others, and for those older than this column. */
    machineVersion: p.integer().nullable(),
  },
});
export class TimelineEntry extends TimelineEntrySchema.class {}
TimelineEntrySchema.setClass(TimelineEntry);
