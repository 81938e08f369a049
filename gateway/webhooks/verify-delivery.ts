import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Settings } from '../../contracts/settings.ts';
import { topicEnumOf } from '../../contracts/webhook-topics.ts';
import { type ProblemCode, type ProblemDetails, refusal } from '../problem.ts';

export interface VerifiedDelivery {
  readonly shop: string;
  readonly deliveryId: string;
  /** One deed of the merchant or buyer; shared by all deliveries it caused. */
  readonly eventId: string | null;
  readonly apiVersion: string;
  /** As Shopify wrote it, with nanoseconds. */
  readonly triggeredAt: string | null;
}

/**
 * Checks that the shop sent exactly these bytes to this topic's path.
 * @param raw body as received, read before anything parsed it.
 */
export type VerifyDelivery = (request: Request, raw: Buffer, topic: string) => Promise<VerifiedDelivery>;

const refuse = (
  status: number,
  detail: string,
  code: ProblemCode = 'webhook_unverified',
  fields: ProblemDetails['fields'] = [],
): Error => refusal({ status, code, detail, fields, title: 'Webhook verification failed' });

/** Ids become parts of keys and message ids. */
const isId = (text: string): boolean => /^[\x21-\x7e]{1,80}$/.test(text);

const SIGNATURE = 'X-Shopify-Hmac-Sha256';
const REQUIRED = {
  topic: 'X-Shopify-Topic',
  domain: 'X-Shopify-Shop-Domain',
  apiVersion: 'X-Shopify-API-Version',
  deliveryId: 'X-Shopify-Webhook-Id',
} as const;

/**
 * By Node's own HMAC, at once: the Shopify library does the same in two jobs of a thread pool, which were a quarter of a
 * webhook's processor time and wait for a core when there is none.
 */
function isSigned(raw: Buffer, signature: string, secret: string): boolean {
  const given = Buffer.from(signature);
  const right = Buffer.from(createHmac('sha256', secret).update(raw).digest('base64'));
  return given.length === right.length && timingSafeEqual(given, right);
}

/** Without SHOPIFY_SHOP_URL and SHOPIFY_API_SECRET everything is refused with 503: Shopify tries again for hours. */
export function createVerifier(settings: Settings): VerifyDelivery {
  const { SHOPIFY_SHOP_URL: shop, SHOPIFY_API_SECRET: secret } = settings;
  const missing = [
    ...(shop === undefined ? ['SHOPIFY_SHOP_URL'] : []),
    ...(secret === undefined ? ['SHOPIFY_API_SECRET'] : []),
  ];
  if (shop === undefined || secret === undefined) {
    const detail = `webhooks are off here: ${missing.join(' and ')} not set`;
    return () => Promise.reject(refuse(503, detail, 'webhooks_off'));
  }
  const previous = settings.SHOPIFY_API_SECRET_PREVIOUS;
  const secrets = [secret, ...(previous === undefined ? [] : [previous])];
  return async ({ headers }, raw, topic) => {
    // The other kind that Shopify sends, whose headers are named otherwise.
    if (headers.has('Shopify-Hmac-Sha256'))
      throw refuse(400, 'this path takes classic webhooks, with X-Shopify headers');
    if (raw.length === 0) throw refuse(401, 'there is no body');
    const signature = headers.get(SIGNATURE);
    if (!signature) throw refuse(401, `the header ${SIGNATURE} is missing`);
    if (!secrets.some((one) => isSigned(raw, signature, one)))
      throw refuse(401, 'the signature does not fit the body and SHOPIFY_API_SECRET');
    const names = Object.values(REQUIRED).filter((name) => !headers.get(name));
    if (names.length > 0) {
      const fields = names.map((name) => ({ path: name, message: 'the header is missing' }));
      throw refuse(400, `headers are missing: ${names.join(', ')}`, 'webhook_unverified', fields);
    }
    const textOf = (name: keyof typeof REQUIRED): string => headers.get(REQUIRED[name]) ?? '';
    if (textOf('domain').toLowerCase() !== shop) throw refuse(401, 'the webhook comes from another shop');
    if (topicEnumOf(textOf('topic')) !== topicEnumOf(topic))
      throw refuse(400, `this path takes the topic ${topic}, and X-Shopify-Topic says another`);
    const deliveryId = textOf('deliveryId');
    const eventId = headers.get('X-Shopify-Event-Id') || null;
    if (!isId(deliveryId) || (eventId !== null && !isId(eventId)))
      throw refuse(400, 'X-Shopify-Webhook-Id or X-Shopify-Event-Id is no id');
    return {
      shop,
      deliveryId,
      eventId,
      apiVersion: textOf('apiVersion'),
      triggeredAt: headers.get('X-Shopify-Triggered-At') || null,
    };
  };
}
