import { AppError } from '../../contracts/errors.ts';
import type { Bus } from '../../services/bus/bus.ts';
import { publishQueued } from '../../services/bus/commit-and-publish.ts';
import { gathering } from '../../services/gathering.ts';
import { moment } from '../../services/moments.ts';
import { type CustomerRow, emptyRedactedBodies, saveCustomers } from '../../services/store/customers.ts';
import { type DeadLetterRow, layDown } from '../../services/store/dead-letters.ts';
import { isOutage } from '../../services/store/outage.ts';
import { type OutboxRow, type QueuedRow, queue } from '../../services/store/outbox.ts';
import { inOrderOf, insertRows } from '../../services/store/rows.ts';
import { applyShopNews, type ShopNews } from '../../services/store/shop-news.ts';
import type { Sql, Store } from '../../services/store/store.ts';
import { withPatience } from '../../services/with-patience.ts';
import { messagesOf } from './tell-deleted.ts';

export interface WebhookRow {
  /** `shopify:<shop domain>`. */
  readonly source: string;
  readonly delivery_id: string;
  readonly event_id: string | null;
  readonly topic: string;
  readonly api_version: string;
  readonly triggered_at: string | null;
  /** Null where the delivery is about no order, or does not say about which. */
  readonly order_id: string | null;
  readonly body: string;
}

export interface Delivery {
  readonly webhook: WebhookRow;
  readonly shop: string;
  readonly customer: CustomerRow | null;
  readonly message: OutboxRow | null;
  readonly news: ShopNews | null;
  /** For a person, where the body cannot be taken as it is; then nothing follows from it. */
  readonly letter: DeadLetterRow | null;
}

export type Verdict = 'accepted' | 'repeated' | 'set_aside';

export interface Intake {
  /**
   * Resolves when the delivery is committed, or was already: only then may it be answered.
   * @throws AppError `store_unavailable` when it is not known to be committed, `body_invalid` when the database
   * refuses this delivery's data.
   */
  take(delivery: Delivery): Promise<Verdict>;
  /** Waits for what was taken to be committed and published. */
  stop(): Promise<void>;
}

/** 256 rows a transaction and two of them at once were the best of what was measured (facts, section 5). */
const BATCH = 256;
const FLIGHTS = 2;
/** Within Shopify's five seconds; what commits after all is found by the repeat and published by the sweeper. */
const PATIENCE_MS = 4_000;
/** Some seconds of work: who comes later would not be answered within Shopify's five seconds anyway. */
const MOST_TAKEN = 8_192;

const WEBHOOK_COLUMNS = {
  source: 'text',
  delivery_id: 'text',
  event_id: 'text',
  topic: 'text',
  api_version: 'text',
  triggered_at: 'text',
  order_id: 'text',
  body: 'text',
};
const keyOf = ({ source, delivery_id }: Pick<WebhookRow, 'source' | 'delivery_id'>): string =>
  `${source} ${delivery_id}`;

const verdictOn = (delivery: Delivery, fresh: ReadonlySet<Delivery>): Verdict => {
  if (!fresh.has(delivery)) return 'repeated';
  return delivery.letter === null ? 'accepted' : 'set_aside';
};

/** Writes what deliveries say, but for their messages. Their webhooks are written. */
export async function applyDeliveries(
  sql: Sql,
  deliveries: readonly (Pick<Delivery, 'shop' | 'customer' | 'news'> & { readonly orderId: string | null })[],
): Promise<void> {
  await saveCustomers(
    sql,
    deliveries.flatMap(({ customer }) => customer ?? []),
  );
  await emptyRedactedBodies(
    sql,
    deliveries.flatMap(({ orderId }) => orderId ?? []),
  );
  for (const { shop, news } of deliveries) if (news !== null) await applyShopNews(sql, shop, news);
}

/** Writes what is new of the batch and returns it, each delivery once. */
async function insertNew(sql: Sql, batch: readonly Delivery[]): Promise<Delivery[]> {
  const rows = await insertRows<Pick<WebhookRow, 'source' | 'delivery_id'>>(
    sql,
    'webhooks',
    WEBHOOK_COLUMNS,
    inOrderOf(
      batch.map(({ webhook }) => webhook),
      keyOf,
    ),
    'on conflict (source, delivery_id) do nothing returning source, delivery_id',
  );
  const unclaimed = new Set(rows.map(keyOf));
  const fresh = batch.filter(({ webhook }) => unclaimed.delete(keyOf(webhook)));
  await applyDeliveries(
    sql,
    fresh.map((delivery) => ({ ...delivery, orderId: delivery.webhook.order_id })),
  );
  await layDown(
    sql,
    fresh.flatMap(({ letter }) => letter ?? []),
  );
  return fresh;
}

function sqlStateOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if ('code' in error && typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code))
    return error.code;
  return sqlStateOf(error.cause);
}

/** What a caller is told of an error of the database. */
export function toRefusal(error: unknown): unknown {
  if (isOutage(error)) {
    const message = 'the database is away or too slow: send it again';
    return new AppError('store_unavailable', message, { retryable: true, cause: error });
  }
  // 22: a value that its column cannot hold; 23: a constraint; 54: more than an index holds.
  if (!/^(2[23]|54)/.test(sqlStateOf(error))) return error;
  return new AppError('body_invalid', 'the database cannot hold a value of this body', {
    retryable: false,
    cause: error,
  });
}

/**
 * Commits deliveries in small batches: inbox row, what it says and outbox row together, then the answer, then the bus.
 * A batch that the database refuses is taken apart, so that one bad delivery fails alone.
 */
export function createIntake(store: Store, bus: Bus): Intake {
  const taking = new Set<Promise<Verdict>>();
  const publishing = new Set<Promise<void>>();

  const publish = (queued: readonly QueuedRow[]): void => {
    const published = publishQueued(store, bus, queued).finally(() => publishing.delete(published));
    publishing.add(published);
  };

  const write = (deliveries: readonly Delivery[]): Promise<{ fresh: Set<Delivery>; queued: QueuedRow[] }> =>
    store.transaction(async (sql) => {
      const fresh = await insertNew(sql, deliveries);
      const messages = await messagesOf(
        sql,
        fresh.map((delivery) => ({ ...delivery, orderId: delivery.webhook.order_id })),
      );
      const queued = await queue(sql, messages);
      moment('intake: before commit');
      return { fresh: new Set(fresh), queued };
    });

  const commit = gathering(
    async (batch: readonly Delivery[]) => {
      const { fresh, queued } = await withPatience(write(batch), PATIENCE_MS);
      moment('intake: after commit before publish');
      publish(queued);
      return batch.map((delivery) => verdictOn(delivery, fresh));
    },
    { most: BATCH, rounds: FLIGHTS },
  );

  return {
    async take(delivery) {
      if (taking.size >= MOST_TAKEN) {
        const message = 'too many deliveries wait already: send it again later';
        throw new AppError('store_unavailable', message, { retryable: true });
      }
      const taken = commit(delivery);
      taking.add(taken);
      try {
        return await taken;
      } catch (error) {
        throw toRefusal(error);
      } finally {
        taking.delete(taken);
      }
    },
    async stop() {
      while (taking.size > 0) await Promise.allSettled(taking);
      await Promise.all(publishing);
    },
  };
}
