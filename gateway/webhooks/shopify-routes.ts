import type { H3Event } from 'h3';
import { AppError } from '../../contracts/errors.ts';
import { ORDER_RECEIVED, ORDER_UPDATED } from '../../contracts/events/order-received.ts';
import { ShopifyOrderBody } from '../../contracts/shopify-order-body.ts';
import { eventRow } from '../../services/bus/commit-and-publish.ts';
import type { Metrics } from '../metrics.ts';
import { fieldsOf, readText } from '../read-input.ts';
import type { Route } from '../route.ts';
import type { Delivery, Intake } from './intake.ts';
import { toOrderFacts } from './order-facts.ts';
import { parseOrderJson } from './order-json.ts';
import { verdictOf } from './verdict.ts';
import {
  ORDER_TOPICS,
  type OrderTopic,
  type VerifiedDelivery,
  type VerifyDelivery,
} from './verify-delivery.ts';

/** Orders with hundreds of lines pass 100 kB; nothing real comes near this. */
const BODY_LIMIT_BYTES = 5_000_000;

function toDelivery(raw: string, topic: OrderTopic, verified: VerifiedDelivery): Delivery {
  const json = parseOrderJson(raw);
  const body = ShopifyOrderBody.safeParse(json);
  if (!body.success) {
    throw new AppError('body_invalid', 'the order lacks what is needed', {
      retryable: false,
      fields: fieldsOf(body.error, 'body'),
    });
  }
  const { shop, deliveryId, eventId, apiVersion, triggeredAt } = verified;
  const { received, customer } = toOrderFacts(body.data, shop);
  const { orderId } = received;
  return {
    webhook: {
      source: `shopify:${shop}`,
      delivery_id: deliveryId,
      event_id: eventId,
      topic,
      api_version: apiVersion,
      triggered_at: triggeredAt,
      order_id: orderId,
      body: JSON.stringify(json),
    },
    customer,
    event: eventRow({
      // Two subscriptions on one topic deliver one event under two delivery ids: the order hears of it once.
      messageId: `shopify:${topic}:${eventId ?? deliveryId}:${orderId}`,
      source: '/gateway',
      type: topic === 'orders/create' ? ORDER_RECEIVED : ORDER_UPDATED,
      orderId,
      data: received,
    }),
  };
}

/** A webhook is a hint: verified, committed, answered. What follows from it happens elsewhere. */
export function shopifyRoutes(ports: {
  readonly verify: VerifyDelivery;
  readonly intake: Intake;
  readonly metrics: Metrics;
}): Route[] {
  const { verify, intake, metrics } = ports;
  const receive = async (event: H3Event, topic: OrderTopic): Promise<{ result: string }> => {
    const raw = await readText(event, BODY_LIMIT_BYTES);
    const verified = await verify(event.req, raw, topic);
    return { result: await intake.take(toDelivery(raw, topic, verified)) };
  };
  return ORDER_TOPICS.map((topic) => ({
    method: 'POST',
    path: `/webhooks/shopify/${topic}`,
    isOpen: true,
    handle: async (event) => {
      try {
        const answer = await receive(event, topic);
        metrics.countWebhook(topic, answer.result);
        return answer;
      } catch (error) {
        metrics.countWebhook(topic, verdictOf(error));
        throw error;
      }
    },
  }));
}
