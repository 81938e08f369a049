/** Topics of the shop that are taken; each is also the end of its path, `/webhooks/shopify/<topic>`. */
export const WEBHOOK_TOPICS = [
  'orders/create',
  'orders/updated',
  'orders/paid',
  'orders/cancelled',
  'orders/edited',
  'orders/delete',
  'orders/risk_assessment_changed',
  'refunds/create',
  'fulfillments/create',
  'fulfillments/update',
  'fulfillment_orders/order_routing_complete',
  'fulfillment_orders/placed_on_hold',
  'fulfillment_orders/hold_released',
  'fulfillment_orders/cancelled',
  'fulfillment_orders/split',
  'fulfillment_orders/merged',
  'fulfillment_orders/moved',
  'fulfillment_orders/rescheduled',
  'fulfillment_orders/scheduled_fulfillment_order_ready',
  'products/update',
  'products/delete',
  'app/uninstalled',
  'app/scopes_update',
  'customers/data_request',
  'customers/redact',
  'shop/redact',
] as const;
export type WebhookTopic = (typeof WEBHOOK_TOPICS)[number];

/** Set in the app's own configuration only: the API makes no subscription on them. */
const PRIVACY: readonly WebhookTopic[] = ['customers/data_request', 'customers/redact', 'shop/redact'];

export const SUBSCRIBED_TOPICS: readonly WebhookTopic[] = WEBHOOK_TOPICS.filter(
  (topic) => !PRIVACY.includes(topic),
);

/** The name of a topic in the Admin API: `ORDERS_CREATE`. */
export const topicEnumOf = (topic: string): string => topic.replace('/', '_').toUpperCase();
