import { z } from 'zod';
import { pushPathOf } from '../../contracts/push-path.ts';
import { signatureHeadersOf } from '../../contracts/supplier-variables.ts';
import { SUPPLIERS } from '../../contracts/vocabulary.ts';
import { WEBHOOK_TOPICS } from '../../contracts/webhook-topics.ts';
import { json } from './described.ts';
import type { RouteDoc } from './route-doc.ts';

const taken = json(z.object({ result: z.string() }));

const SHOP_WEBHOOK: RouteDoc = {
  tag: 'Webhooks',
  summary: 'Take a webhook of the shop',
  description:
    'Signed by Shopify over the raw bytes; answered after the commit, also where it cannot be read: then it is a dead letter. Title of a refusal: "Webhook verification failed".',
  headers: {
    'X-Shopify-Hmac-Sha256': { description: 'Signature of the body.', required: true },
    'X-Shopify-Topic': { description: 'The topic of the path.', required: true },
    'X-Shopify-Shop-Domain': { description: 'The shop.', required: true },
    'X-Shopify-API-Version': { description: 'The version of the body.', required: true },
    'X-Shopify-Webhook-Id': { description: 'Id of this delivery.', required: true },
    'X-Shopify-Event-Id': { description: 'Of the deed, which other deliveries may share.' },
    'X-Shopify-Triggered-At': { description: 'When that was.' },
  },
  body: json(z.looseObject({}).describe('As Shopify sends it.')),
  answers: { 200: taken },
  problems: [401],
};

const supplierPush = (signatureHeaders: readonly string[]): RouteDoc => ({
  tag: 'Webhooks',
  summary: 'Take a push of the supplier',
  description:
    'A signed hint: what it is about is read from the supplier afterwards. One that cannot be read gets its yes too.',
  headers: Object.fromEntries(
    signatureHeaders.map((header) => [header, { description: 'Signature of the body.' }]),
  ),
  body: json(z.looseObject({}).describe('As the supplier sends it.')),
  answers: { 200: taken },
  problems: [401],
});

const SUPPLIER_TRY: RouteDoc = {
  tag: 'Webhooks',
  summary: 'Answer a supplier that tries the address',
  answers: { 200: taken },
};

export const WEBHOOK_DOCS: Readonly<Record<string, RouteDoc>> = {
  ...Object.fromEntries(WEBHOOK_TOPICS.map((topic) => [`POST /webhooks/shopify/${topic}`, SHOP_WEBHOOK])),
  ...Object.fromEntries(
    SUPPLIERS.flatMap((supplier) => [
      [`GET /webhooks/${pushPathOf(supplier)}`, SUPPLIER_TRY],
      [`POST /webhooks/${pushPathOf(supplier)}`, supplierPush(signatureHeadersOf(supplier))],
    ]),
  ),
};
