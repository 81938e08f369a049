import { defineEntity, p } from '@mikro-orm/core';
import type {
  Evidence,
  ParcelStateName,
  SupplierName,
  SupplierOrderStateName,
} from '../../../contracts/vocabulary.ts';
import type { SupplierOrderContext } from '../../../machines/supplier-order-context.ts';

const SupplierOrderSchema = defineEntity({
  name: 'SupplierOrder',
  tableName: 'supplier_orders',
  indexes: [
    { name: 'supplier_orders_order', properties: ['orderId'] },
    { name: 'supplier_orders_listing', properties: ['createdAt', 'id'] },
    { name: 'supplier_orders_by_state', properties: ['state', 'createdAt', 'id'] },
    { name: 'supplier_orders_by_supplier', properties: ['supplier', 'createdAt', 'id'] },
    { name: 'supplier_orders_along_orders', properties: ['supplier', 'orderCreatedAt', 'orderId'] },
    {
      name: 'supplier_orders_waiting',
      expression: `create index supplier_orders_waiting on supplier_orders (state, entered_at)
        where state not in ('delivered', 'rejected', 'cancelled', 'lapsed')`,
    },
    {
      name: 'supplier_orders_reference',
      expression:
        'create index supplier_orders_reference on supplier_orders (supplier_reference) where supplier_reference is not null',
    },
    {
      name: 'supplier_orders_watched',
      expression:
        'create index supplier_orders_watched on supplier_orders (supplier, next_check_at) where next_check_at is not null',
    },
    {
      name: 'supplier_orders_references',
      expression:
        "create index supplier_orders_references on supplier_orders using gin (string_to_array(supplier_reference, ',')) with (fastupdate = off)",
    },
  ],
  properties: {
    id: p.text().primary(),
    orderId: p.text(),
    supplier: p.text().$type<SupplierName>(),
    /** The machine's state value; the purchase intent moves it from draft to placing, all else is the host's. */
    state: p.text().$type<SupplierOrderStateName>(),
    context: p.json<SupplierOrderContext>().columnType('json'),
    machineVersion: p.integer().default(1),
    version: p.integer().default(1),
    shippingMethod: p.text(),
    shipsFrom: p.text(),
    expectedCostMinor: p.bigint('number'),
    currency: p.text(),
    /** The supplier's own order id that its other calls want; several, separated by commas, where one call made several. */
    supplierReference: p.text().nullable(),
    /** The reference of ours that the supplier has it under; null: its id. It took over a purchase that lived again. */
    placedAs: p.text().nullable(),
    amountMinor: p.bigint('number').nullable(),
    /** The longest that was quoted, from the supplier's door; null: nothing was promised. */
    deliveryDays: p.integer().nullable(),
    /** When its status is asked for next; null: nobody waits for news. */
    nextCheckAt: p.datetime(3).nullable(),
    observation: p.text().nullable(),
    observations: p.integer().default(0),
    /** False: articles, method or cost are still to be found before it may be bought. */
    isQuoted: p.boolean().default(true),
    /** How often its draft was changed: a quote of it as it was before counts no more. */
    edits: p.integer().default(0),
    /** Mark of the address that it was quoted for; null: the release before did not say. */
    quotedFor: p.text().nullable(),
    note: p.text().nullable(),
    /** A copy, so that the lists of orders by supplier run along an index in their own order. */
    orderCreatedAt: p.datetime(3).defaultRaw('now()'),
    createdAt: p.datetime(3).defaultRaw('now()'),
    updatedAt: p.datetime(3).defaultRaw('now()'),
    /** When it came into its state. */
    enteredAt: p.datetime(3).defaultRaw('now()'),
  },
});
export class SupplierOrder extends SupplierOrderSchema.class {}
SupplierOrderSchema.setClass(SupplierOrder);

const SupplierOrderLineSchema = defineEntity({
  name: 'SupplierOrderLine',
  tableName: 'supplier_order_lines',
  properties: {
    supplierOrderId: p.text().primary(),
    lineId: p.text().primary(),
    /** Of the order line; 0 for the further articles of a bundle. */
    units: p.integer(),
    supplierProductId: p.text().primary(),
    /** Empty until the purchase is quoted. */
    supplierVariantId: p.text().primary(),
    /** By which its mapping names the article, where the supplier's own id is another. */
    mappedVariantId: p.text().nullable(),
    supplierUnits: p.integer(),
    /** Names and values by which the variant is found, of what a person asked for; null: sourcing chose it. */
    properties: p.json<Record<string, string>>().columnType('json').nullable(),
  },
});
export class SupplierOrderLine extends SupplierOrderLineSchema.class {}
SupplierOrderLineSchema.setClass(SupplierOrderLine);

const ParcelSchema = defineEntity({
  name: 'Parcel',
  tableName: 'parcels',
  indexes: [
    { name: 'parcels_supplier_order', properties: ['supplierOrderId'] },
    { name: 'parcels_order', properties: ['orderId'] },
    {
      name: 'parcels_waiting',
      expression:
        "create index parcels_waiting on parcels (state, entered_at) where state not in ('delivered', 'lost', 'returned')",
    },
    {
      name: 'parcels_delivered',
      expression: "create index parcels_delivered on parcels (entered_at) where state = 'delivered'",
    },
    {
      name: 'parcels_to_fulfill',
      expression: `create index parcels_to_fulfill on parcels (left_at)
        where left_at is not null and coalesce(fulfillment_state, '') not in ('done', 'withheld')`,
    },
    {
      name: 'parcels_to_show',
      expression: `create index parcels_to_show on parcels (show_after) where fulfillment_state = 'done'
        and (shown_state is distinct from state or shown_last_mile is distinct from last_mile_tracking_number)`,
    },
  ],
  properties: {
    id: p.text().primary(),
    orderId: p.text(),
    supplierOrderId: p.text(),
    state: p.text().$type<ParcelStateName>(),
    trackingNumber: p.text(),
    /** Those that it replaced; null for none. */
    earlierNumbers: p.json<string[]>().columnType('json').nullable(),
    lastMileTrackingNumber: p.text().nullable(),
    carrier: p.text().nullable(),
    trackingUrl: p.text().nullable(),
    units: p.json<Record<string, number>>().columnType('json'),
    /** Of the write-back: null nothing asked yet, then sending, unknown, done or withheld. */
    fulfillmentState: p.text().$type<'sending' | 'unknown' | 'done' | 'withheld'>().nullable(),
    /** Units by line that the shop still had to fulfil when a write-back ended in doubt. */
    fulfillmentDoubt: p.json<Record<string, number>>().columnType('json').nullable(),
    shopFulfillmentId: p.text().nullable(),
    /** When it was first seen to have left the supplier. */
    leftAt: p.datetime(3).nullable(),
    /** What the shop's fulfilment says by now: where the parcel is, and its second number. */
    shownState: p.text().$type<ParcelStateName>().nullable(),
    shownLastMile: p.text().nullable(),
    /** What somebody set out to show, until it is known to be shown: the shop may have it. */
    showing: p.text().$type<ParcelStateName>().nullable(),
    /** Whether the fulfilment is ours, new, and the only one of this parcel. */
    isSoleFulfillment: p.boolean().default(false),
    /** Until then nobody tries to show it. */
    showAfter: p.datetime(3).defaultRaw('now()'),
    createdAt: p.datetime(3).defaultRaw('now()'),
    updatedAt: p.datetime(3).defaultRaw('now()'),
    /** When it came into its state. */
    enteredAt: p.datetime(3).defaultRaw('now()'),
  },
});
export class Parcel extends ParcelSchema.class {}
ParcelSchema.setClass(Parcel);

/** The purchase ledger: one row per supplier order and deed, written before the call. */
const PurchaseIntentSchema = defineEntity({
  name: 'PurchaseIntent',
  tableName: 'purchase_intents',
  indexes: [
    { name: 'purchase_intents_spending', properties: ['supplier', 'createdAt'] },
    {
      name: 'purchase_intents_open',
      expression: `create index purchase_intents_open on purchase_intents (supplier)
        where kind = 'create' and (state in ('calling', 'unknown') or (state = 'done' and repeats > 0))`,
    },
    {
      name: 'purchase_intents_refused',
      expression: `create index purchase_intents_refused on purchase_intents (supplier, updated_at)
                    where kind = 'create' and state = 'refused'`,
    },
  ],
  properties: {
    supplierOrderId: p.text().primary(),
    kind: p.text().$type<'create' | 'pay'>().primary(),
    orderId: p.text(),
    supplier: p.text().$type<SupplierName>(),
    callerRef: p.text(),
    attempt: p.integer(),
    state: p.text().$type<'calling' | 'unknown' | 'done' | 'refused' | 'absent'>(),
    requestHash: p.text(),
    expectedCostMinor: p.bigint('number'),
    currency: p.text(),
    callDeadline: p.datetime(3),
    lookUps: p.integer().default(0),
    firstAbsentAt: p.datetime(3).nullable(),
    /** Times that the very same call was sent again to end a doubt. */
    repeats: p.integer().default(0),
    /** Attempts that the supplier put off before anything was bought. */
    deferrals: p.integer().default(0),
    evidence: p.json<Evidence>().columnType('json').nullable(),
    createdAt: p.datetime(3).defaultRaw('now()'),
    updatedAt: p.datetime(3).defaultRaw('now()'),
  },
});
export class PurchaseIntent extends PurchaseIntentSchema.class {}
PurchaseIntentSchema.setClass(PurchaseIntent);

/** More money that a supplier wants for a purchase, as its pushes have told; a person pays it on the supplier's site. */
const SupplierBillSchema = defineEntity({
  name: 'SupplierBill',
  tableName: 'supplier_bills',
  indexes: [
    {
      name: 'supplier_bills_pending',
      expression:
        'create index supplier_bills_pending on supplier_bills (supplier_order_id, bill_id) where is_pending',
    },
  ],
  properties: {
    supplierOrderId: p.text().primary(),
    /** The supplier's own. */
    billId: p.text().primary(),
    amountMinor: p.bigint('number').nullable(),
    currency: p.text(),
    /** False once it is paid or withdrawn, and for ever then. */
    isOpen: p.boolean(),
    /** It may still have to raise, renew or release the hold of its purchase. */
    isPending: p.boolean().default(true),
    /** When it was first heard of, or settled. */
    changedAt: p.datetime(3).defaultRaw('now()'),
  },
});
export class SupplierBill extends SupplierBillSchema.class {}
SupplierBillSchema.setClass(SupplierBill);
