import type { H3Event } from 'h3';
import { AppError } from '../../contracts/errors.ts';
import { WEBHOOK_TOPICS, type WebhookTopic } from '../../contracts/webhook-topics.ts';
import { readBytes, textOf } from '../read-input.ts';
import type { Route } from '../route.ts';
import type { Delivery, Intake, Verdict } from './intake.ts';
import { parseOrderJson } from './order-json.ts';
import { setAside } from './set-aside.ts';
import { type BodySource, TOPICS } from './topics.ts';
import type { VerifiedDelivery, VerifyDelivery } from './verify-delivery.ts';
import type { WatchWebhook } from './watch-webhooks.ts';
import { webhookRow } from './webhook-row.ts';

/** Orders with hundreds of lines pass 100 kB; nothing real comes near this. */
const BODY_LIMIT_BYTES = 5_000_000;

/** @throws AppError `body_malformed`, `body_invalid`. */
export function toDelivery(
  raw: string,
  topic: WebhookTopic,
  verified: VerifiedDelivery,
  { canBeReread, buysAuthorized }: Pick<BodySource, 'canBeReread' | 'buysAuthorized'>,
): Delivery {
  const { shop, deliveryId, eventId, triggeredAt } = verified;
  const source = { shop, topic, causeId: eventId ?? deliveryId, triggeredAt, canBeReread, buysAuthorized };
  const { orderId, kept, customer, message, news } = TOPICS[topic](parseOrderJson(raw), source);
  return {
    webhook: webhookRow(verified, topic, orderId, kept),
    shop,
    customer,
    message,
    news,
    letter: null,
  };
}

/** A webhook is a hint: verified, committed, answered. What follows from it happens elsewhere. */
export function shopifyRoutes(ports: {
  readonly verify: VerifyDelivery;
  readonly intake: Intake;
  readonly watch: WatchWebhook;
  /** There is a login for the shop. */
  readonly canBeReread: boolean;
  /** Authorised money counts as paid. */
  readonly buysAuthorized: boolean;
}): Route[] {
  const { verify, intake, watch } = ports;
  /** Told of a failure, the shop sends the same again, and after eight in a row deletes its subscription. */
  const take = async (raw: Buffer, topic: WebhookTopic, verified: VerifiedDelivery): Promise<Verdict> => {
    let reason: 'unreadable' | 'unstorable' = 'unreadable';
    let text = '';
    try {
      text = textOf(raw);
      const delivery = toDelivery(text, topic, verified, ports);
      reason = 'unstorable';
      return await intake.take(delivery);
    } catch (error) {
      if (!(error instanceof AppError) || error.retryable) throw error;
      return intake.take(setAside(text, topic, verified, reason, error));
    }
  };
  const receive = async (event: H3Event, topic: WebhookTopic): Promise<{ result: string }> => {
    const raw = await readBytes(event, BODY_LIMIT_BYTES);
    const verified = await verify(event.req, raw, topic);
    return { result: await take(raw, topic, verified) };
  };
  return WEBHOOK_TOPICS.map((topic) => ({
    method: 'POST',
    path: `/webhooks/shopify/${topic}`,
    isOpen: true,
    handle: (event) => watch(topic, () => receive(event, topic)),
  }));
}
