import '@shopify/shopify-api/adapters/web-api';
import { ApiVersion, type Shopify, shopifyApi } from '@shopify/shopify-api';
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
export type VerifyDelivery = (request: Request, raw: string, topic: string) => Promise<VerifiedDelivery>;

const refuse = (
  status: number,
  detail: string,
  code: ProblemCode = 'webhook_unverified',
  fields: ProblemDetails['fields'] = [],
): Error => refusal({ status, code, detail, fields, title: 'Webhook verification failed' });

/** Ids become parts of keys and message ids. */
const isId = (text: string): boolean => /^[\x21-\x7e]{1,80}$/.test(text);

const SIGNATURE_REASONS: Readonly<Record<string, string>> = {
  missing_body: 'there is no body',
  missing_hmac: 'the header X-Shopify-Hmac-Sha256 is missing',
  invalid_hmac: 'the signature does not fit the body and SHOPIFY_API_SECRET',
};

/** Only the secret matters for signatures, but the library insists on an app, its host and a version. */
const libraryFor = (apiSecretKey: string): Shopify =>
  shopifyApi({
    apiKey: 'order-manager',
    apiSecretKey,
    apiVersion: ApiVersion.October26,
    hostName: 'order-manager.invalid',
    isEmbeddedApp: false,
    logger: { log: () => {} },
  });

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
  const current = libraryFor(secret);
  const previous = settings.SHOPIFY_API_SECRET_PREVIOUS;
  const old = previous === undefined ? undefined : libraryFor(previous);
  return async (request, raw, topic) => {
    const signed = { rawBody: raw, rawRequest: request };
    let result = await current.webhooks.validate(signed);
    if (!result.valid && result.reason === 'invalid_hmac' && old !== undefined)
      result = await old.webhooks.validate(signed);
    if (!result.valid) {
      if (result.reason !== 'missing_headers')
        throw refuse(401, SIGNATURE_REASONS[result.reason] ?? 'the signature is not right');
      const names = 'missingHeaders' in result ? result.missingHeaders : [];
      const fields = names.map((name) => ({ path: name, message: 'the header is missing' }));
      throw refuse(400, `headers are missing: ${names.join(', ')}`, 'webhook_unverified', fields);
    }
    if (result.domain.toLowerCase() !== shop) throw refuse(401, 'the webhook comes from another shop');
    if (result.webhookType !== 'webhooks')
      throw refuse(400, 'this path takes classic webhooks, with X-Shopify headers');
    if (result.topic !== topicEnumOf(topic))
      throw refuse(400, `this path takes the topic ${topic}, and X-Shopify-Topic says another`);
    const eventId = result.eventId ?? null;
    if (!isId(result.webhookId) || (eventId !== null && !isId(eventId)))
      throw refuse(400, 'X-Shopify-Webhook-Id or X-Shopify-Event-Id is no id');
    return {
      shop,
      deliveryId: result.webhookId,
      eventId,
      apiVersion: result.apiVersion,
      triggeredAt: result.triggeredAt ?? null,
    };
  };
}
