import type { WebhookTopic } from '../../contracts/webhook-topics.ts';
import type { WebhookRow } from './intake.ts';
import type { VerifiedDelivery } from './verify-delivery.ts';

/** A verified delivery as it is kept. @param kept what of its body is. */
export const webhookRow = (
  { shop, deliveryId, eventId, apiVersion, triggeredAt }: VerifiedDelivery,
  topic: WebhookTopic,
  orderId: string | null,
  kept: unknown,
): WebhookRow => ({
  source: `shopify:${shop}`,
  delivery_id: deliveryId,
  event_id: eventId,
  topic,
  api_version: apiVersion,
  triggered_at: triggeredAt,
  order_id: orderId,
  body: JSON.stringify(kept),
});
