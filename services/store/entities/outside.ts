import { defineEntity, p } from '@mikro-orm/core';
import type { MappingCandidate } from '../../../contracts/resources/product-mapping.ts';
import type { Evidence, NotificationKind, SupplierName } from '../../../contracts/vocabulary.ts';

/** Every delivery from outside, committed before it was answered. */
const WebhookSchema = defineEntity({
  name: 'Webhook',
  tableName: 'webhooks',
  indexes: [{ name: 'webhooks_event', properties: ['eventId'] }],
  uniques: [{ name: 'webhooks_delivery', properties: ['source', 'deliveryId'] }],
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    /** `shopify:<shop domain>`. */
    source: p.text(),
    deliveryId: p.text(),
    eventId: p.text().nullable(),
    topic: p.text(),
    apiVersion: p.text(),
    triggeredAt: p.text().nullable(),
    orderId: p.text().nullable(),
    /** Without the buyer's page secrets; ids beyond 2^53 as text. */
    body: p.text(),
    receivedAt: p.datetime(3).defaultRaw('now()'),
  },
});
export class Webhook extends WebhookSchema.class {}
WebhookSchema.setClass(Webhook);

/** One row per order, fact and parcel, decided in the order's own transaction and sent at most once. */
const NotificationSchema = defineEntity({
  name: 'Notification',
  tableName: 'notifications',
  indexes: [
    { name: 'notifications_order', properties: ['orderId'] },
    {
      name: 'notifications_waiting',
      expression:
        "create index notifications_waiting on notifications (next_try_at) where state in ('pending', 'sending')",
    },
  ],
  properties: {
    id: p.text().primary(),
    orderId: p.text(),
    kind: p.text().$type<NotificationKind>(),
    parcelId: p.text().nullable(),
    state: p.text().$type<'pending' | 'sending' | 'sent' | 'failed' | 'doubt' | 'skipped'>(),
    attempt: p.integer().default(0),
    nextTryAt: p.datetime(3).defaultRaw('now()'),
    evidence: p.json<Evidence>().columnType('json').nullable(),
    createdAt: p.datetime(3).defaultRaw('now()'),
    sentAt: p.datetime(3).nullable(),
  },
});
export class Notification extends NotificationSchema.class {}
NotificationSchema.setClass(Notification);

const MappingSchema = defineEntity({
  name: 'Mapping',
  tableName: 'product_mappings',
  properties: {
    variantId: p.text().primary(),
    candidates: p.json<MappingCandidate[]>(),
    updatedAt: p.datetime(3),
  },
});
export class Mapping extends MappingSchema.class {}
MappingSchema.setClass(Mapping);

/** A supplier's credential as all copies share it: its token pair, and when it may call next. */
const SupplierAccountSchema = defineEntity({
  name: 'SupplierAccount',
  tableName: 'supplier_accounts',
  properties: {
    supplier: p.text().$type<SupplierName>().primary(),
    accessToken: p.text().nullable(),
    accessExpiresAt: p.text().nullable(),
    refreshToken: p.text().nullable(),
    refreshExpiresAt: p.text().nullable(),
    accountId: p.text().nullable(),
    nextCallAt: p.datetime(3).defaultRaw("'-infinity'"),
    callIntervalMs: p.double().default(1000),
  },
});
export class SupplierAccount extends SupplierAccountSchema.class {}
SupplierAccountSchema.setClass(SupplierAccount);

/** Who may write to the shop for an order just now; a lease, since a killed process gives nothing back. */
const ShopLeaseSchema = defineEntity({
  name: 'ShopLease',
  tableName: 'shop_leases',
  properties: { orderId: p.text().primary(), owner: p.text(), until: p.datetime(3) },
});
export class ShopLease extends ShopLeaseSchema.class {}
ShopLeaseSchema.setClass(ShopLease);

/** Requests under an Idempotency-Key, with their answers; bodies may name persons, so only their hash is kept. */
const ApiRequestSchema = defineEntity({
  name: 'ApiRequest',
  tableName: 'api_requests',
  indexes: [{ name: 'api_requests_age', properties: ['at'] }],
  properties: {
    route: p.text().primary(),
    key: p.text().primary(),
    bodyHash: p.text(),
    answer: p.json<object>().columnType('json'),
    at: p.datetime(3).defaultRaw('now()'),
  },
});
export class ApiRequest extends ApiRequestSchema.class {}
ApiRequestSchema.setClass(ApiRequest);
