import { defineEntity, p } from '@mikro-orm/core';
import type { FieldProblem } from '../../../contracts/errors.ts';
import type { PrivacyRequestEnd, PrivacyRequestKind } from '../../../contracts/resources/privacy.ts';

/** Who may write to the shop for an order just now; a lease, since a killed process gives nothing back. */
const ShopLeaseSchema = defineEntity({
  name: 'ShopLease',
  tableName: 'shop_leases',
  properties: { orderId: p.text().primary(), owner: p.text(), until: p.datetime(3) },
});
export class ShopLease extends ShopLeaseSchema.class {}
ShopLeaseSchema.setClass(ShopLease);

/** Whether the shop's fulfilment orders carry our hold; compared with the order's own open holds. */
const ShopHoldSchema = defineEntity({
  name: 'ShopHold',
  tableName: 'shop_holds',
  indexes: [
    {
      name: 'shop_holds_placed',
      expression: 'create index shop_holds_placed on shop_holds (order_id) where placed',
    },
  ],
  properties: {
    orderId: p.text().primary(),
    placed: p.boolean(),
    /** Until then nobody tries to bring them together. */
    checkAfter: p.datetime(3).defaultRaw('now()'),
  },
});
export class ShopHold extends ShopHoldSchema.class {}
ShopHoldSchema.setClass(ShopHold);

/** How far the catch-up of a shop, or a backfill, has come: every order changed before the mark was seen. */
const ShopSweepSchema = defineEntity({
  name: 'ShopSweep',
  tableName: 'shop_sweeps',
  properties: {
    name: p.text().primary(),
    mark: p.datetime(3),
    /** Of a backfill that is through. */
    endedAt: p.datetime(3).nullable(),
  },
});
export class ShopSweep extends ShopSweepSchema.class {}
ShopSweepSchema.setClass(ShopSweep);

/** Orders that the catch-up saw in the shop, for the daily comparison with what the webhooks brought. */
const SweptOrderSchema = defineEntity({
  name: 'SweptOrder',
  tableName: 'swept_orders',
  indexes: [{ name: 'swept_orders_first', properties: ['firstSeenAt'] }],
  properties: {
    orderId: p.text().primary(),
    shop: p.text(),
    shopUpdatedAt: p.datetime(3),
    firstSeenAt: p.datetime(3).defaultRaw('now()'),
  },
});
export class SweptOrder extends SweptOrderSchema.class {}
SweptOrderSchema.setClass(SweptOrder);

/** What the webhooks of a day (UTC) brought of the orders that the catch-up first saw on it. */
const GapReportSchema = defineEntity({
  name: 'GapReport',
  tableName: 'gap_reports',
  properties: {
    shop: p.text().primary(),
    day: p.date().primary(),
    seen: p.integer(),
    byWebhook: p.integer(),
    onlyBySweep: p.integer(),
    /** Seen in the shop and still not among our orders. */
    missing: p.integer(),
    /** From the shop's deed to our commit; null on a day without webhooks. */
    meanDelaySeconds: p.double().nullable(),
  },
});
export class GapReport extends GapReportSchema.class {}
GapReportSchema.setClass(GapReport);

/** How the shop's app stands; the start-up check and the app's own webhooks write it. */
const ShopStatusSchema = defineEntity({
  name: 'ShopStatus',
  tableName: 'shop_status',
  properties: {
    shop: p.text().primary(),
    /** What the app is allowed, as last heard. */
    scopes: p.json<string[]>().columnType('json').nullable(),
    /** What the last check found wrong; empty: nothing. */
    problems: p.json<FieldProblem[]>().columnType('json').nullable(),
    /** In which its days begin, as `Europe/Paris`. */
    timeZone: p.text().nullable(),
    checkedAt: p.datetime(3).nullable(),
    uninstalledAt: p.datetime(3).nullable(),
  },
});
export class ShopStatus extends ShopStatusSchema.class {}
ShopStatusSchema.setClass(ShopStatus);

/** The shop's variants as its product webhooks told of them last. */
const ShopVariantSchema = defineEntity({
  name: 'ShopVariant',
  tableName: 'shop_variants',
  indexes: [{ name: 'shop_variants_product', properties: ['productId'] }],
  properties: {
    variantId: p.text().primary(),
    productId: p.text(),
    seenAt: p.datetime(3),
    goneAt: p.datetime(3).nullable(),
  },
});
export class ShopVariant extends ShopVariantSchema.class {}
ShopVariantSchema.setClass(ShopVariant);

/** What persons, through the shop or the API, asked us to show or to forget. */
const PrivacyRequestSchema = defineEntity({
  name: 'PrivacyRequest',
  tableName: 'privacy_requests',
  indexes: [
    {
      name: 'privacy_requests_open',
      expression: 'create index privacy_requests_open on privacy_requests (due_at) where closed_at is null',
    },
  ],
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    shop: p.text(),
    kind: p.text().$type<PrivacyRequestKind>(),
    /** Ours; empty for a whole shop. */
    orderIds: p.json<string[]>().columnType('json'),
    receivedAt: p.datetime(3).defaultRaw('now()'),
    /** Until when it has to be answered, or done. */
    dueAt: p.datetime(3),
    closedAt: p.datetime(3).nullable(),
    closedBy: p.text().$type<PrivacyRequestEnd>().nullable(),
  },
});
export class PrivacyRequest extends PrivacyRequestSchema.class {}
PrivacyRequestSchema.setClass(PrivacyRequest);
