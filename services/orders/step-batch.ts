import { SETTLED } from '../../contracts/dead-letters.ts';
import {
  DEAD_LETTER_SETTLE_REQUESTED,
  type DeadLetterSettleRequested,
} from '../../contracts/events/dead-letter-settlement.ts';
import type { SupplierOrderState } from '../../machines/decide.ts';
import { type BatchWrites, noWrites } from '../store/batch-writes.ts';
import type { DeadLetterRow } from '../store/dead-letters.ts';
import { carryOut } from './carry-out.ts';
import type { DecodedMessage } from './decode-message.ts';
import { entryIdOf, type Failure, type LetterEntry, letterRow, settlementRow } from './letter-entries.ts';
import { type Actor, type BatchContext, carryOf, stepActor, writeActors } from './step-actor.ts';
import { type Waiting, withData } from './waiting-line.ts';

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
  const purchasesOf = new Map<string, Map<string, SupplierOrderState>>();
  for (const [id, { orderId, state }] of loaded.supplierOrders) {
    const purchases = purchasesOf.get(orderId) ?? new Map<string, SupplierOrderState>();
    purchasesOf.set(orderId, purchases.set(id, state));
  }

  const actorOf = (orderId: string): Actor => {
    const known = actors.get(orderId);
    if (known !== undefined) return known;
    const actor = {
      order: loaded.orders.get(orderId)?.state ?? null,
      supplierOrders: purchasesOf.get(orderId) ?? new Map<string, SupplierOrderState>(),
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
    const thrown = stepActor(actorOf(event.data.orderId), message, event, writes, context);
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
