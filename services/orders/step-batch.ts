import { isDeepStrictEqual } from 'node:util';
import { type DeadlineName, TIMER_ELAPSED } from '../../contracts/deadlines.ts';
import {
  DEAD_LETTER_SETTLE_REQUESTED,
  type DeadLetterSettleRequested,
} from '../../contracts/events/dead-letter-settlement.ts';
import type { OrderEvent } from '../../contracts/events/order-event.ts';
import { ORDER_RECEIVED, ORDER_UPDATED, type OrderReceived } from '../../contracts/events/order-received.ts';
import { type OrderRules, orderRules, USUAL_RULES } from '../../contracts/order-rules.ts';
import type { Settings } from '../../contracts/settings.ts';
import type { SupplierOrderStateName } from '../../contracts/vocabulary.ts';
import type { OrderState, SupplierOrderState } from '../../machines/decide.ts';
import { type OrderActor, stepOrderActor } from '../../machines/order-actor.ts';
import { describeError } from '../logger.ts';
import { type BatchWrites, noWrites } from '../store/batch-writes.ts';
import type { DeadLetterRow } from '../store/dead-letters.ts';
import type { LoadedBatch } from '../store/load-batch.ts';
import { type Carry, carryOut, lineRows, setTimer } from './carry-out.ts';
import type { DecodedMessage } from './decode-message.ts';
import {
  entryIdOf,
  type Failure,
  type LetterEntry,
  letterRow,
  SETTLED,
  settlementRow,
} from './letter-entries.ts';
import { unitChanges } from './unit-changes.ts';
import { type Waiting, type WaitingLines, withData } from './waiting-line.ts';

/** Whose status is asked for until they arrive; one that waits for its payment may be paid on the supplier's own site. */
const WATCHED: readonly SupplierOrderStateName[] = [
  'awaiting_payment',
  'accepted',
  'processing',
  'partially_shipped',
  'shipped',
  'cancelling',
];

interface Actor {
  order: OrderState | null;
  supplierOrders: Map<string, SupplierOrderState>;
  /** Steps so far, on top of the stored version. */
  changes: number;
  received: OrderReceived | null;
}

export interface BatchContext {
  readonly loaded: LoadedBatch;
  readonly lines: WaitingLines;
  readonly delays: Readonly<Record<DeadlineName, number>>;
  readonly settings: Settings;
  /** ISO instant of the batch, for the messages it sends. */
  readonly now: string;
}

/**
 * Steps the machines of a batch in stream order and collects everything that has to be written. Pure but for what it
 * is given; an event that throws becomes a dead letter, and its order's later events wait behind it until somebody
 * settles it.
 */
export function stepBatch(messages: readonly DecodedMessage[], context: BatchContext): BatchWrites {
  const { loaded, lines, now } = context;
  const writes = noWrites();
  const actors = new Map<string, Actor>();
  const blocked = new Set(loaded.blocked);
  /** What waits of each order, and what of the batch's own messages has failed. */
  const waitingOf = new Map([...lines.byOrder].map(([orderId, line]) => [orderId, [...line]]));
  const failures = new Map<DecodedMessage, Failure>();

  const actorOf = (orderId: string): Actor => {
    const known = actors.get(orderId);
    if (known !== undefined) return known;
    const supplierOrders = new Map<string, SupplierOrderState>();
    for (const [id, row] of loaded.supplierOrders)
      if (row.orderId === orderId) supplierOrders.set(id, row.state);
    const actor = {
      order: loaded.orders.get(orderId)?.state ?? null,
      supplierOrders,
      changes: 0,
      received: null,
    };
    actors.set(orderId, actor);
    return actor;
  };

  /** Null: it is taken. */
  const step = (message: DecodedMessage): Failure | null => {
    const { event, failure, reason = 'unreadable' } = message;
    if (event === null) return { reason, failure };
    const thrown = tryStep(
      actorOf(event.data.orderId),
      message,
      withRules(event, orderRules(context.settings)),
      writes,
      context,
    );
    return thrown === null ? null : { reason: 'impossible', failure: thrown };
  };

  const tell = (message: DecodedMessage, orderId: string, entry: LetterEntry): void => {
    const actor = actorOf(orderId);
    writes.timeline.push(letterRow(message, orderId, actor.order?.value ?? null, entry));
    const carry = carryOf(actor, orderId, entryIdOf(message, entry), writes, context);
    carryOut({ kind: 'fact', type: entry.type, data: {} }, 0, carry);
  };

  /** The letter fails, for the first time or again, and keeps the line behind it waiting. */
  const fail = (orderId: string, { message, letter }: Waiting, failure: Failure): void => {
    const attempt = (letter?.attempts ?? 0) + 1;
    if (letter === null) failures.set(message, failure);
    else writes.changedLetters.push({ id: letter.id, state: 'open', ...failure });
    tell(message, orderId, { type: 'dead_letter.opened', attempt, ...failure });
  };

  const settle = (message: DecodedMessage, wish: DeadLetterSettleRequested): void => {
    const { orderId, letterId, requestId } = wish;
    const line = waitingOf.get(orderId) ?? [];
    const request = lines.requests.get(requestId);
    const isDue = request?.letterId === letterId && line[0]?.letter?.id === letterId;
    writes.timeline.push(settlementRow(message, wish, actorOf(orderId).order?.value ?? null, isDue));
    if (!isDue) return;
    for (let place = 0; ; place += 1) {
      const [first] = line;
      if (first === undefined) break;
      const action = place === 0 ? request.action : 'replay';
      const again = action === 'edit' ? withData(first, orderId, request.data ?? {}, now) : first.message;
      if (action !== 'skip' && !first.isRepeat) {
        const refused =
          place === message.refusedAt ? { reason: 'unstorable' as const, failure: message.failure } : null;
        const failure = refused ?? step(again);
        if (failure !== null) {
          fail(orderId, first, failure);
          return;
        }
      }
      line.shift();
      const { letter } = first;
      if (letter === null) continue;
      const state = SETTLED[action];
      writes.changedLetters.push({ id: letter.id, state, reason: null, failure: null });
      const type = action === 'skip' ? 'dead_letter.skipped' : 'dead_letter.replayed';
      tell(first.message, orderId, { type, attempt: letter.attempts + 1 });
    }
    blocked.delete(orderId);
  };

  for (const message of messages) {
    const { orderId, event } = message;
    if (event?.type === DEAD_LETTER_SETTLE_REQUESTED) {
      settle(message, event.data);
      continue;
    }
    const isBlocked = orderId !== null && blocked.has(orderId);
    const failure = isBlocked ? null : step(message);
    if (!isBlocked && failure === null) continue;
    const waiting = { message, letter: null, isRepeat: false };
    if (orderId === null) {
      writes.deadLetters.push(deadLetter(message, failure));
      continue;
    }
    blocked.add(orderId);
    waitingOf.set(orderId, [...(waitingOf.get(orderId) ?? []), waiting]);
    if (failure !== null) fail(orderId, waiting, failure);
  }
  const laidDown = [...waitingOf.values()].flat().filter(({ letter }) => letter === null);
  for (const { message } of laidDown.toSorted((a, b) => a.message.log.seq - b.message.log.seq))
    writes.deadLetters.push(deadLetter(message, failures.get(message) ?? null));
  writeActors(actors, loaded, now, writes);
  return writes;
}

/** The rules of the shop go into each body that is taken, but for the usual ones. */
const withRules = (event: OrderEvent, rules: OrderRules): OrderEvent =>
  (event.type === ORDER_RECEIVED || event.type === ORDER_UPDATED) && !isDeepStrictEqual(rules, USUAL_RULES)
    ? { ...event, data: { ...event.data, rules } }
    : event;

/** Without a failure of its own it is parked. */
const deadLetter = (message: DecodedMessage, failed: Failure | null): DeadLetterRow => ({
  order_id: message.orderId,
  message_id: message.messageId,
  subject: message.log.subject,
  seq: message.log.seq,
  payload: message.log.payload,
  kind: 'event',
  state: failed === null ? 'parked' : 'open',
  reason: failed?.reason ?? message.reason ?? 'impossible',
  failure: failed?.failure ?? message.failure,
  attempts: failed === null ? 0 : 1,
});

function carryOf(
  actor: Actor,
  orderId: string,
  cause: string,
  writes: BatchWrites,
  { loaded, delays, settings, now }: BatchContext,
): Carry {
  const stored = loaded.orders.get(orderId);
  const version = (stored?.version ?? 0) + actor.changes;
  return { writes, orderId, cause, version, delays, settings, now, orderCreatedAt: stored?.createdAt ?? now };
}

function tryStep(
  actor: Actor,
  message: DecodedMessage,
  event: OrderEvent,
  writes: BatchWrites,
  context: BatchContext,
): string | null {
  const { orderId } = event.data;
  const before: OrderActor = { order: actor.order, supplierOrders: actor.supplierOrders };
  try {
    const isBody = event.type === ORDER_RECEIVED || event.type === ORDER_UPDATED;
    const stored = context.loaded.orders.get(orderId);
    if (isBody && stored !== undefined && stored.shopOrderId !== event.data.shopOrderId) {
      throw new RangeError(`two shop orders share the id ${orderId}`);
    }
    const step = stepOrderActor(before, event);
    const supplierOrderId = 'supplierOrderId' in event.data ? (event.data.supplierOrderId ?? null) : null;
    const purchaseIn = ({ supplierOrders }: OrderActor) =>
      supplierOrderId === null ? null : (supplierOrders.get(supplierOrderId)?.value ?? null);
    writes.timeline.push({
      order_id: orderId,
      message_id: message.messageId,
      type: event.type,
      accepted: step.accepted,
      from_state: before.order?.value ?? null,
      to_state: step.actor.order?.value ?? null,
      supplier_order_id: supplierOrderId,
      supplier_from: purchaseIn(before),
      supplier_to: purchaseIn(step.actor),
      actor: message.source,
      cause: message.causationId,
      data: step.accepted ? event.data : null,
    });
    if (!step.accepted) {
      // A timer that nobody waits for any more would otherwise elapse for ever.
      if (event.type === TIMER_ELAPSED) setTimer(writes, orderId, event.data, null);
      return null;
    }
    writes.unitChanges.push(...unitChanges(event, message.messageId, before.order, step.actor.order));
    if (isBody && before.order === null) actor.received = event.data;
    actor.order = step.actor.order;
    actor.supplierOrders = new Map(step.actor.supplierOrders);
    actor.changes += 1;
    const told = carryOf(actor, orderId, message.messageId, writes, context);
    const carry = { ...told, traceparent: message.traceparent };
    for (const [index, effect] of step.effects.entries()) carryOut(effect, index, carry);
    return null;
  } catch (error) {
    return JSON.stringify(describeError(error));
  }
}

function writeActors(
  actors: ReadonlyMap<string, Actor>,
  loaded: LoadedBatch,
  now: string,
  writes: BatchWrites,
): void {
  const created = new Map(writes.newSupplierOrders.map((row) => [row.id, row]));
  for (const [orderId, { order, supplierOrders, received, changes }] of actors) {
    if (order === null || changes === 0) continue;
    const stored = loaded.orders.get(orderId);
    if (stored === undefined && received !== null) {
      writes.newOrders.push({
        id: orderId,
        shop: received.shop,
        shop_order_id: received.shopOrderId,
        name: received.name,
        currency: received.currency,
        total_minor: received.totalMinor,
        placed_at: received.placedAt,
        created_at: now,
        state: order.value,
        context: order.context,
        version: changes,
      });
      // Before what later bodies of the same batch say about them: the last word counts.
      writes.orderLines.unshift(...lineRows(orderId, received.lines));
    } else if (stored !== undefined && stored.state !== order) {
      writes.changedOrders.push({
        id: orderId,
        version: stored.version,
        changes,
        state: order.value,
        context: order.context,
      });
    }
    for (const [id, state] of supplierOrders) {
      const before = loaded.supplierOrders.get(id);
      const fresh = created.get(id);
      if (fresh !== undefined) Object.assign(fresh, { state: state.value, context: state.context });
      else if (before !== undefined && before.state !== state) {
        writes.changedSupplierOrders.push({
          id,
          version: before.version,
          state: state.value,
          context: state.context,
          watched: WATCHED.includes(state.value),
        });
      }
    }
  }
}
