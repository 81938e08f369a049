import { defineEntity, p } from '@mikro-orm/core';
import type {
  DeadLetterAction,
  DeadLetterKind,
  DeadLetterReason,
  DeadLetterState,
} from '../../../contracts/dead-letters.ts';

/** Who reads a partition of the event log, and how far its events are in the state. */
const EventPartitionSchema = defineEntity({
  name: 'EventPartition',
  tableName: 'event_partitions',
  properties: {
    part: p.integer().primary().autoincrement(false),
    owner: p.text().nullable(),
    /** Grows with each change of owner: a writer with an older one is fenced off. */
    epoch: p.bigint('number').default(0),
    leaseUntil: p.datetime(3).defaultRaw("'-infinity'"),
    seq: p.bigint('number').default(0),
    /** When the stream that `seq` counts in was made. */
    streamCreated: p.text().nullable(),
    /** A message that was applied, at or before `seq`, and when the stream took it. */
    markedSeq: p.bigint('number').nullable(),
    markedMs: p.bigint('number').nullable(),
    /** Why nobody may read on: the stream lost what stood behind `seq`. */
    halted: p.text().nullable(),
  },
});
export class EventPartition extends EventPartitionSchema.class {}
EventPartitionSchema.setClass(EventPartition);

/** Heartbeat of each process that shares the partitions. */
const CopySchema = defineEntity({
  name: 'Copy',
  tableName: 'copies',
  properties: { id: p.text().primary(), seenAt: p.datetime(3) },
});
export class Copy extends CopySchema.class {}
CopySchema.setClass(Copy);

const InboxSchema = defineEntity({
  name: 'InboxMessage',
  tableName: 'inbox',
  indexes: [{ name: 'inbox_age', properties: ['at'] }],
  properties: { messageId: p.text().primary(), at: p.datetime(3).defaultRaw('now()') },
});
export class InboxMessage extends InboxSchema.class {}
InboxSchema.setClass(InboxMessage);

const OutboxSchema = defineEntity({
  name: 'OutboxMessage',
  tableName: 'outbox',
  indexes: [
    {
      name: 'outbox_unpublished',
      expression: 'create index outbox_unpublished on outbox (id) where published_at is null',
    },
    { name: 'outbox_archive', properties: ['publishedAt'] },
  ],
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    messageId: p.text(),
    subject: p.text(),
    payload: p.text(),
    createdAt: p.datetime(3).defaultRaw('now()'),
    /** When it was written, or when the sweeper published it later; null only in rows of the release before. */
    publishedAt: p.datetime(3).nullable(),
  },
});
export class OutboxMessage extends OutboxSchema.class {}
OutboxSchema.setClass(OutboxMessage);

/** Messages of one transaction that are not known to be published. */
const OutboxPendingSchema = defineEntity({
  name: 'OutboxPending',
  tableName: 'outbox_pending',
  properties: {
    firstId: p.bigint('number').primary().autoincrement(false),
    ids: p.array<number>().columnType('bigint[]'),
    createdAt: p.datetime(3).defaultRaw('now()'),
  },
});
export class OutboxPending extends OutboxPendingSchema.class {}
OutboxPendingSchema.setClass(OutboxPending);

const TimerSchema = defineEntity({
  name: 'Timer',
  tableName: 'timers',
  indexes: [{ name: 'timers_due', properties: ['dueAt'] }],
  properties: {
    orderId: p.text().primary(),
    key: p.text().primary(),
    /** New with each setting, so that the elapsed event of an earlier setting has another message id. */
    setting: p.bigint('number'),
    deadline: p.text(),
    supplierOrderId: p.text().nullable(),
    parcelId: p.text().nullable(),
    dueAt: p.datetime(3),
    attempt: p.integer().default(0),
    /** Of the event that set it. */
    traceparent: p.text().nullable(),
  },
});
export class Timer extends TimerSchema.class {}
TimerSchema.setClass(Timer);

/** A message set aside after its last try, and the later ones of its order that wait behind it. */
const DeadLetterSchema = defineEntity({
  name: 'DeadLetter',
  tableName: 'dead_letters',
  indexes: [
    {
      name: 'dead_letters_open',
      expression:
        "create index dead_letters_open on dead_letters (order_id, id) where state in ('open', 'parked')",
    },
    {
      name: 'dead_letters_by_reason',
      expression:
        "create index dead_letters_by_reason on dead_letters (reason, attempts, id) where state = 'open'",
    },
    {
      name: 'dead_letters_command',
      expression: "create index dead_letters_command on dead_letters (subject) where kind = 'command'",
    },
    { name: 'dead_letters_order', properties: ['orderId', 'id'] },
  ],
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    orderId: p.text().nullable(),
    messageId: p.text(),
    subject: p.text(),
    seq: p.bigint('number'),
    payload: p.text(),
    kind: p.text().$type<DeadLetterKind>().default('event'),
    state: p.text().$type<DeadLetterState>(),
    reason: p.text().$type<DeadLetterReason>().default('impossible'),
    failure: p.text().nullable(),
    attempts: p.integer().default(1),
    openedAt: p.datetime(3).defaultRaw('now()'),
    settledAt: p.datetime(3).nullable(),
  },
});
export class DeadLetter extends DeadLetterSchema.class {}
DeadLetterSchema.setClass(DeadLetter);

/** What people asked for about a dead letter. Notes may name persons, so they are on no bus. */
const DeadLetterRequestSchema = defineEntity({
  name: 'DeadLetterRequest',
  tableName: 'dead_letter_requests',
  indexes: [{ name: 'dead_letter_requests_letter', properties: ['letterId'] }],
  properties: {
    /** The id of its message: the same request at the same attempt is the same row. */
    id: p.text().primary(),
    letterId: p.bigint('number'),
    action: p.text().$type<DeadLetterAction>(),
    by: p.text(),
    note: p.text().nullable(),
    /** Of an edit. */
    data: p.json<Record<string, unknown>>().columnType('json').nullable(),
    at: p.datetime(3).defaultRaw('now()'),
  },
});
export class DeadLetterRequest extends DeadLetterRequestSchema.class {}
DeadLetterRequestSchema.setClass(DeadLetterRequest);
/** Times at which the database was put back to an earlier one, and how much earlier. */
const RestorationSchema = defineEntity({
  name: 'Restoration',
  tableName: 'restorations',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    /** The last moment that the backup knows. */
    backupOf: p.datetime(3),
    restoredAt: p.datetime(3).defaultRaw('now()'),
  },
});
export class RestorationRow extends RestorationSchema.class {}
RestorationSchema.setClass(RestorationRow);
