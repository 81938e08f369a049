import { z } from 'zod';
import { SETTLED } from '../contracts/dead-letters.ts';
import { AppError } from '../contracts/errors.ts';
import { WEBHOOK_TOPICS } from '../contracts/webhook-topics.ts';
import type { Bus } from '../services/bus/bus.ts';
import { commitAndPublish } from '../services/bus/commit-and-publish.ts';
import type { Sql, Store } from '../services/store/store.ts';
import { type FoundLetter, keepRequest, noteSettled, type Wish } from './letter-request.ts';
import { applyDeliveries, toRefusal } from './webhooks/intake.ts';
import { parseOrderJson } from './webhooks/order-json.ts';
import { failureOf } from './webhooks/set-aside.ts';
import { messagesOf } from './webhooks/tell-deleted.ts';
import { type BodySource, type Taken, TOPICS } from './webhooks/topics.ts';

export type Reading = Pick<BodySource, 'canBeReread' | 'buysAuthorized'>;

const Place = z.object({ source: z.string(), deliveryId: z.string() });
const Topic = z.enum(WEBHOOK_TOPICS);

interface Kept {
  readonly source: string;
  readonly deliveryId: string;
  readonly eventId: string | null;
  readonly triggeredAt: string | null;
  readonly body: string;
}

async function readKept(sql: Sql, { id, payload }: FoundLetter): Promise<Kept> {
  const { source, deliveryId } = Place.parse(JSON.parse(payload));
  const [kept] = await sql.query<Kept>(
    `select source, delivery_id as "deliveryId", event_id as "eventId", triggered_at as "triggeredAt", body
       from webhooks
      where source = $1 and delivery_id = $2`,
    [source, deliveryId],
  );
  if (kept === undefined) throw new TypeError(`the webhook of the letter ${id} is not there`);
  return kept;
}

/** @throws AppError `body_invalid`; `body_malformed` where there is no body to read. */
function take({ subject, orderId }: FoundLetter, kept: Kept, { data }: Wish, reading: Reading): Taken {
  if (data === undefined && kept.body === '{}')
    throw new AppError('body_malformed', 'the body is not kept, or not any more: edit it, or skip it', {
      retryable: false,
    });
  const topic = Topic.parse(subject);
  const taken = TOPICS[topic](parseOrderJson(data === undefined ? kept.body : JSON.stringify(data)), {
    ...reading,
    shop: kept.source.slice('shopify:'.length),
    topic,
    causeId: kept.eventId ?? kept.deliveryId,
    triggeredAt: kept.triggeredAt,
  });
  if (orderId === null || taken.orderId === orderId) return taken;
  const fields = [{ path: 'id', message: 'the order stays as it is' }];
  throw new AppError('body_invalid', 'the body is of another order', { retryable: false, fields });
}

/** One more attempt that came to nothing; that there was no body to read takes the place of no other failure. */
const keepFailure = (
  store: Store,
  { id }: FoundLetter,
  reason: 'unreadable' | 'unstorable',
  error: AppError,
): Promise<number> =>
  store.run(
    `update dead_letters set attempts = attempts + 1, reason = $2, failure = coalesce($3, failure)
      where id = $1 and state = 'open'`,
    [id, reason, error.code === 'body_malformed' ? null : failureOf(error)],
  );

/**
 * Settles the letter of a webhook at once, in a transaction of its own: what it says is taken as if it had just come.
 * @returns why a replay came to nothing, which is one attempt more; `body_malformed` where there is no body to read.
 * @throws AppError `body_invalid` for an edit that cannot be read or stored.
 */
export async function settleWebhook(
  store: Store,
  bus: Bus,
  letter: FoundLetter,
  wish: Wish,
  reading: Reading,
): Promise<AppError | null> {
  const { id, orderId } = letter;
  const { action } = wish;
  let reason: 'unreadable' | 'unstorable' = 'unreadable';
  try {
    await commitAndPublish(store, bus, async (sql, say) => {
      const kept = await readKept(sql, letter);
      const taken = action === 'skip' ? null : take(letter, kept, wish, reading);
      reason = 'unstorable';
      const state = SETTLED[action];
      const settled = await sql.run(
        `update dead_letters set state = $2, settled_at = now(), order_id = coalesce(order_id, $3),
                attempts = attempts + case $2 when 'skipped' then 0 else 1 end
          where id = $1 and state = 'open'`,
        [id, state, taken?.orderId ?? null],
      );
      // Somebody else was faster.
      if (settled === 0) return;
      // The data of an edit are kept as the body, which stays empty for who was erased.
      const requestId = await keepRequest(sql, letter, wish, undefined);
      if (taken !== null) {
        await sql.run(
          `update webhooks set body = $3, order_id = coalesce(order_id, $4) where source = $1 and delivery_id = $2`,
          [kept.source, kept.deliveryId, JSON.stringify(taken.kept), taken.orderId],
        );
        await applyDeliveries(sql, [{ ...taken, shop: kept.source.slice('shopify:'.length) }]);
        for (const message of await messagesOf(sql, [taken])) say(message);
      }
      await noteSettled(sql, { ...letter, orderId: taken?.orderId ?? orderId }, wish, requestId);
    });
  } catch (cause) {
    const error = toRefusal(cause);
    if (action === 'replay' && error instanceof AppError && !error.retryable) {
      await keepFailure(store, letter, reason, error);
      return error;
    }
    throw error;
  }
  return null;
}
