import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { fraction } from '../faults.ts';
import type { Journal } from '../journal.ts';
import type { LiveSettings } from '../settings.ts';

const Subscription = z.object({ id: z.string(), topic: z.string(), uri: z.string(), createdAt: z.string() });
export type Subscription = z.infer<typeof Subscription>;

const API_VERSION = '2026-10';
/** Shopify tries eight times more over four hours; this world is in a hurry. */
const TRIES = 9;
const FIRST_WAIT_MS = 200;
const PATIENCE_MS = 5_000;

export interface Webhooks {
  subscriptions(): Subscription[];
  /** Undefined when the same topic goes to the same address already. */
  subscribe(topic: string, uri: string): Subscription | undefined;
  /** @param topic in the API's words: `ORDERS_CREATE`. The body is only made when somebody listens. */
  tell(topic: string, body: () => object): void;
  /** What became of them so far. */
  counts(): { readonly sent: number; readonly dropped: number; readonly answered: number };
  stop(): void;
}

/** `ORDERS_CREATE` as the header writes it. Only the first part may have two words. */
export const topicTextOf = (topic: string): string =>
  topic.replace(/^(FULFILLMENT_ORDERS|[A-Z]+)_/, '$1/').toLowerCase();

/**
 * Tells subscribers what happened, signed as the shop signs: at least once, in no order, and as late, doubled and
 * lost as the settings want it.
 */
export function createWebhooks(
  journal: Journal,
  settings: LiveSettings,
  app: { readonly shop: string; readonly secret: string },
  nextId: () => string,
): Webhooks {
  const kept = journal.collection('shop_subscription', Subscription);
  const ending = new AbortController();
  let deed: string | undefined;
  /** What is told in one go is one deed of the merchant, and shares its id. */
  const deedId = (): string => {
    if (deed === undefined) queueMicrotask(() => (deed = undefined));
    deed ??= randomUUID();
    return deed;
  };
  let told = 0;
  let sent = 0;
  let dropped = 0;
  let answered = 0;

  const post = async (uri: string, raw: string, headers: Record<string, string>): Promise<boolean> => {
    const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(PATIENCE_MS)]);
    return fetch(uri, { method: 'POST', headers, body: raw, signal }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.ok;
      },
      () => false,
    );
  };

  const deliver = async (
    uri: string,
    raw: string,
    headers: Record<string, string>,
    waitMs: number,
  ): Promise<void> => {
    const options = { signal: ending.signal, ref: false };
    await delay(waitMs, undefined, options);
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      sent += 1;
      if (await post(uri, raw, headers)) {
        answered += 1;
        return;
      }
      await delay(FIRST_WAIT_MS * 2 ** attempt, undefined, options);
    }
  };

  return {
    subscriptions: () => kept.all(),
    subscribe(topic, uri) {
      if (kept.all().some((one) => one.topic === topic && one.uri === uri)) return undefined;
      const subscription = { id: nextId(), topic, uri, createdAt: new Date().toISOString() };
      kept.put(subscription.id, subscription);
      return subscription;
    },
    tell(topic, body) {
      const listeners = kept.all().filter((one) => one.topic === topic);
      if (listeners.length === 0) return;
      const raw = JSON.stringify(body());
      const eventId = deedId();
      const { webhookCopies, webhookDropShare, webhookMaxDelayMs } = settings.current();
      for (const { uri } of listeners) {
        const headers = {
          'content-type': 'application/json',
          'x-shopify-topic': topicTextOf(topic),
          'x-shopify-hmac-sha256': createHmac('sha256', app.secret).update(raw, 'utf8').digest('base64'),
          'x-shopify-shop-domain': app.shop,
          'x-shopify-webhook-id': randomUUID(),
          'x-shopify-event-id': eventId,
          'x-shopify-triggered-at': new Date().toISOString(),
          'x-shopify-api-version': API_VERSION,
        };
        told += 1;
        if (fraction(1, told) < webhookDropShare) {
          dropped += 1;
          continue;
        }
        for (let copy = 0; copy < webhookCopies; copy += 1) {
          const waitMs = fraction(copy + 2, told) * webhookMaxDelayMs;
          deliver(uri, raw, headers, waitMs).catch(() => {});
        }
      }
    },
    counts: () => ({ sent, dropped, answered }),
    stop: () => ending.abort(),
  };
}
