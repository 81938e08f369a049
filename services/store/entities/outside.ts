import { defineEntity, p } from '@mikro-orm/core';
import type {
  Evidence,
  FailureClass,
  NotificationKind,
  SupplierName,
} from '../../../contracts/vocabulary.ts';

/** Every delivery from outside, committed before it was answered. */
const WebhookSchema = defineEntity({
  name: 'Webhook',
  tableName: 'webhooks',
  indexes: [
    { name: 'webhooks_event', properties: ['eventId'] },
    { name: 'webhooks_order', properties: ['orderId'] },
    {
      name: 'webhooks_to_empty',
      expression: "create index webhooks_to_empty on webhooks (received_at) where body <> '{}'",
    },
  ],
  uniques: [{ name: 'webhooks_delivery', properties: ['source', 'deliveryId'] }],
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    /** `shopify:<shop domain>`, or the name of a supplier. */
    source: p.text(),
    deliveryId: p.text(),
    eventId: p.text().nullable(),
    topic: p.text(),
    apiVersion: p.text(),
    triggeredAt: p.text().nullable(),
    orderId: p.text().nullable(),
    /** Without the buyer's page secrets; ids beyond 2^53 as text. Empty for a supplier's push: its truth is read anew. */
    body: p.text(),
    receivedAt: p.datetime(3).defaultRaw('now()'),
  },
});
export class Webhook extends WebhookSchema.class {}
WebhookSchema.setClass(Webhook);

/**
 * One row per order, fact, parcel and recipient, whom the kind names. Those for customers are decided in the order's own
 * transaction.
 */
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
    {
      name: 'notifications_about',
      expression: 'create index notifications_about on notifications (about) where about is not null',
    },
    {
      name: 'notifications_bundle',
      expression:
        "create index notifications_bundle on notifications (bundle) where bundle is not null and state = 'pending'",
    },
    {
      name: 'notifications_unsure',
      expression:
        "create index notifications_unsure on notifications (created_at) where state in ('failed', 'doubt')",
    },
  ],
  properties: {
    id: p.text().primary(),
    /** Null for the operator's mails that no order is the cause of. */
    orderId: p.text().nullable(),
    kind: p.text().$type<NotificationKind>(),
    parcelId: p.text().nullable(),
    /** Of the operator's: what it tells of, by id or name. */
    about: p.text().nullable(),
    /** Rows of one bundle that wait at the same time are one mail. */
    bundle: p.text().nullable(),
    /** Ids of other parcels that it tells of, because they have the same number. */
    alsoTells: p.array<string>().columnType('text[]').nullable(),
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
  indexes: [{ name: 'product_mappings_sku', properties: ['sku'] }],
  properties: {
    variantId: p.text().primary(),
    /** The shop's own, where it is known. */
    sku: p.text().nullable(),
    /** As they were stored: to be read by their contract, whose newer fields have defaults. */
    candidates: p.json<unknown>(),
    /** By the shop keeper. */
    updatedAt: p.datetime(3).defaultRaw('now()'),
    /** Nobody reads it. The release before this one writes it still: it goes with the next one. */
    checkWantedAt: p.datetime(3).nullable(),
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
    /** Of the key that they were had for. */
    keyFingerprint: p.text().nullable(),
    nextCallAt: p.datetime(3).defaultRaw("'-infinity'"),
    callIntervalMs: p.double().default(1000),
    /** Of the calls that the supplier counts for themselves as well. */
    nextSpacedCallAt: p.datetime(3).defaultRaw("'-infinity'"),
    /** Of a supplier that is called by one copy at a time: nobody else's turn begins before this. */
    turnUntil: p.datetime(3).defaultRaw("'-infinity'"),
    /** Whose turn it is; null: nobody's, it is the distance to the last call that is kept. */
    turnOf: p.text().nullable(),
    /** It grants few logins, and wants none before this. */
    loginPausedUntil: p.datetime(3).nullable(),
    /** The supplier wants no call before this. */
    pausedUntil: p.datetime(3).nullable(),
    /** Its budget is used up: it answers what is free, and nothing else before this. */
    budgetPausedUntil: p.datetime(3).nullable(),
    /** The supplier's own budget, in its own units. */
    quotaRemaining: p.double().nullable(),
    quotaTotal: p.double().nullable(),
    balanceMinor: p.bigint('number').nullable(),
    balanceCurrency: p.text().nullable(),
    lastSuccessAt: p.datetime(3).nullable(),
    lastFailureAt: p.datetime(3).nullable(),
    lastFailureClass: p.text().$type<FailureClass>().nullable(),
  },
});
export class SupplierAccount extends SupplierAccountSchema.class {}
SupplierAccountSchema.setClass(SupplierAccount);

/** The kill switch: while the row is there, nothing is bought from that supplier, or from any (`all`). */
const PurchasingPauseSchema = defineEntity({
  name: 'PurchasingPause',
  tableName: 'purchasing_pauses',
  properties: {
    scope: p.text().$type<SupplierName | 'all'>().primary(),
    cause: p.text().$type<'operator' | 'account_blocked'>(),
    reason: p.text(),
    pausedAt: p.datetime(3).defaultRaw('now()'),
  },
});
export class PurchasingPause extends PurchasingPauseSchema.class {}
PurchasingPauseSchema.setClass(PurchasingPause);

/** Calls of all copies since the beginning: counters for the metrics. */
const SupplierCallsSchema = defineEntity({
  name: 'SupplierCalls',
  tableName: 'supplier_calls',
  properties: {
    supplier: p.text().$type<SupplierName>().primary(),
    operation: p.text().primary(),
    /** `ok`, `not_sent`, or the class of the failure. */
    outcome: p.text().primary(),
    calls: p.bigint('number'),
    seconds: p.double(),
  },
});
export class SupplierCalls extends SupplierCallsSchema.class {}
SupplierCallsSchema.setClass(SupplierCalls);

/** Each copy's own circuit breaker; a row not seen for a while belongs to a copy that is gone. */
const SupplierBreakerSchema = defineEntity({
  name: 'SupplierBreaker',
  tableName: 'supplier_breakers',
  properties: {
    copy: p.text().primary(),
    supplier: p.text().$type<SupplierName>().primary(),
    state: p.text().$type<'closed' | 'half_open' | 'open'>(),
    seenAt: p.datetime(3).defaultRaw('now()'),
  },
});
export class SupplierBreaker extends SupplierBreakerSchema.class {}
SupplierBreakerSchema.setClass(SupplierBreaker);

/** An order that a supplier's push named and that none of ours answers to; or a refused purchase of ours, by its own id. */
const StraySupplierOrderSchema = defineEntity({
  name: 'StraySupplierOrder',
  tableName: 'stray_supplier_orders',
  properties: {
    supplier: p.text().$type<SupplierName>().primary(),
    reference: p.text().primary(),
    topic: p.text(),
    seenAt: p.datetime(3).defaultRaw('now()'),
    readAt: p.datetime(3).nullable(),
    /** What the supplier says of it: amount, articles, when it was made; null: nothing yet, or it has no such order. */
    found: p.json<object>().columnType('json').nullable(),
    /** When a person was told that a purchase may be there twice because of it. */
    toldAt: p.datetime(3).nullable(),
  },
});
export class StraySupplierOrder extends StraySupplierOrderSchema.class {}
StraySupplierOrderSchema.setClass(StraySupplierOrder);

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
