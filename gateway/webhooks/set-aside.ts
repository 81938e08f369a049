import { z } from 'zod';
import type { AppError } from '../../contracts/errors.ts';
import { orderIdOf } from '../../contracts/ids.ts';
import type { WebhookTopic } from '../../contracts/webhook-topics.ts';
import type { Delivery } from './intake.ts';
import { parseOrderJson } from './order-json.ts';
import { Id } from './topics.ts';
import type { VerifiedDelivery } from './verify-delivery.ts';
import { webhookRow } from './webhook-row.ts';

/** More would hide the first ones. */
const MOST_PATHS = 20;
const OfId = z.object({ id: Id });

/** What a body that cannot be taken lacks, as JSON: paths of fields, never their values. */
export function failureOf({ code, message, fields = [] }: AppError): string {
  const paths = [...new Set(fields.map(({ path }) => path))].slice(0, MOST_PATHS);
  const where = paths.length === 0 ? '' : `: ${paths.join(', ')}`;
  return JSON.stringify({ name: 'AppError', code, message: `${message}${where}` });
}

/** Undefined where it is no JSON: the buyer's page secrets cannot be cut out of a text. */
function parsed(raw: string): unknown {
  try {
    return parseOrderJson(raw);
  } catch {
    return undefined;
  }
}

/** A verified delivery that cannot be taken as it is: its body is kept, and a letter shows it to a person. */
export function setAside(
  raw: string,
  topic: WebhookTopic,
  verified: VerifiedDelivery,
  reason: 'unreadable' | 'unstorable',
  error: AppError,
): Delivery {
  const { shop, deliveryId } = verified;
  const json = parsed(raw);
  const named = topic.startsWith('orders/') ? OfId.safeParse(json) : undefined;
  const order_id = named?.success ? orderIdOf(shop, named.data.id) : null;
  const webhook = webhookRow(verified, topic, order_id, json ?? {});
  const { source } = webhook;
  return {
    webhook: webhook,
    shop,
    customer: null,
    message: null,
    news: null,
    letter: {
      order_id,
      message_id: deliveryId,
      subject: topic,
      seq: 0,
      payload: JSON.stringify({ source, deliveryId }),
      kind: 'webhook',
      state: 'open',
      reason,
      failure: failureOf(error),
      attempts: 1,
    },
  };
}
