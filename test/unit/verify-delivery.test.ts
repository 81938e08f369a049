import { createHmac } from 'node:crypto';
import '@shopify/shopify-api/adapters/web-api';
import { ApiVersion, shopifyApi } from '@shopify/shopify-api';
import { HTTPError } from 'h3';
import { expect, test } from 'vitest';
import { readSettings } from '../../contracts/settings.ts';
import { WEBHOOK_DOCS } from '../../gateway/documents/webhook-docs.ts';
import { createVerifier } from '../../gateway/webhooks/verify-delivery.ts';

const SHOP = 'lantern.myshopify.com';
const [SECRET, OLD_SECRET] = ['a secret of the shop', 'the secret before'];
const settings = readSettings({
  SHOPIFY_SHOP_URL: SHOP,
  SHOPIFY_API_SECRET: SECRET,
  SHOPIFY_API_SECRET_PREVIOUS: OLD_SECRET,
});
const verify = createVerifier(settings);

const BODY = '{"id":1,"note":"Größe 42 — 🏮"}';
const signatureOf = (body: string, secret = SECRET): string =>
  createHmac('sha256', secret).update(body).digest('base64');

type Headers_ = Readonly<Record<string, string | undefined>>;
const headersWith = (changes: Headers_): [string, string][] =>
  Object.entries({
    'X-Shopify-Hmac-Sha256': signatureOf(BODY),
    'X-Shopify-Topic': 'orders/create',
    'X-Shopify-Shop-Domain': SHOP,
    'X-Shopify-API-Version': '2026-10',
    'X-Shopify-Webhook-Id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
    'X-Shopify-Event-Id': '98880550-7158-44d4-b7cd-2c97c8a091b5',
    'X-Shopify-Triggered-At': '2026-11-22T10:00:00.123456789Z',
    ...changes,
  }).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]]));

const requestWith = (changes: Headers_): Request =>
  new Request('https://orders.lantern.example/', { method: 'POST', headers: headersWith(changes) });

/** Its details, or the status and words of the refusal. */
const verdictOn = (changes: Headers_, body = BODY) =>
  verify(requestWith(changes), Buffer.from(body), 'orders/create').catch((error: unknown) => {
    if (!HTTPError.isError(error)) throw error;
    return [error.status, error.message];
  });

test('a delivery that the shop signed is told with what its headers say', async () => {
  const told = {
    shop: SHOP,
    deliveryId: 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
    eventId: '98880550-7158-44d4-b7cd-2c97c8a091b5',
    apiVersion: '2026-10',
    triggeredAt: '2026-11-22T10:00:00.123456789Z',
  };
  expect(await verdictOn({})).toEqual(told);
  expect(await verdictOn({ 'X-Shopify-Hmac-Sha256': signatureOf(BODY, OLD_SECRET) })).toEqual(told);
  expect(await verdictOn({ 'X-Shopify-Event-Id': undefined, 'X-Shopify-Triggered-At': undefined })).toEqual({
    ...told,
    eventId: null,
    triggeredAt: null,
  });
  expect(await verdictOn({ 'X-Shopify-Shop-Domain': SHOP.toUpperCase() })).toEqual(told);
});

test('the signature is held against the very bytes, whatever they spell', async () => {
  const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0xff, 0x7d]);
  const signature = createHmac('sha256', SECRET).update(bytes).digest('base64');
  const request = requestWith({ 'X-Shopify-Hmac-Sha256': signature });
  expect(await verify(request, bytes, 'orders/create')).toMatchObject({ shop: SHOP });
});

const library = shopifyApi({
  apiKey: 'order-manager',
  apiSecretKey: SECRET,
  apiVersion: ApiVersion.October26,
  hostName: 'order-manager.invalid',
  isEmbeddedApp: false,
  logger: { log: () => {} },
});

test.each<[string, { changes: Headers_; body?: string }]>([
  ['as it is', { changes: {} }],
  ['another body', { changes: {}, body: `${BODY} ` }],
  ['no body', { changes: { 'X-Shopify-Hmac-Sha256': signatureOf('') }, body: '' }],
  ['a signature with another secret', { changes: { 'X-Shopify-Hmac-Sha256': signatureOf(BODY, 'x') } }],
  ['a signature cut short', { changes: { 'X-Shopify-Hmac-Sha256': signatureOf(BODY).slice(0, -1) } }],
  ['a signature with something behind it', { changes: { 'X-Shopify-Hmac-Sha256': `${signatureOf(BODY)}=` } }],
  [
    'a signature in hexadecimal',
    { changes: { 'X-Shopify-Hmac-Sha256': Buffer.from(signatureOf(BODY), 'base64').toString('hex') } },
  ],
  ['a signature that is no ASCII', { changes: { 'X-Shopify-Hmac-Sha256': 'ÿ'.repeat(44) } }],
  ['no signature', { changes: { 'X-Shopify-Hmac-Sha256': undefined } }],
  ['an empty signature', { changes: { 'X-Shopify-Hmac-Sha256': '' } }],
  ['no topic', { changes: { 'X-Shopify-Topic': undefined } }],
  ['no shop', { changes: { 'X-Shopify-Shop-Domain': undefined } }],
  ['no version', { changes: { 'X-Shopify-API-Version': undefined } }],
  ['no id', { changes: { 'X-Shopify-Webhook-Id': '' } }],
])('our verdict is that of the Shopify library: %s', async (_case, { changes, body = BODY }) => {
  const theirs = await library.webhooks.validate({ rawBody: body, rawRequest: requestWith(changes) });
  const ours = await verdictOn(changes, body);
  expect(Array.isArray(ours)).toBe(!theirs.valid);
  if (!theirs.valid) expect(ours).toMatchObject([theirs.reason === 'missing_headers' ? 400 : 401, {}]);
});

test.each<[string, { changes: Headers_; status: number; says: RegExp }]>([
  ['of another shop', { changes: { 'X-Shopify-Shop-Domain': 'x.myshopify.com' }, status: 401, says: /shop/ }],
  ['on another topic', { changes: { 'X-Shopify-Topic': 'orders/paid' }, status: 400, says: /topic/ }],
  ['with an id that is none', { changes: { 'X-Shopify-Webhook-Id': 'a b' }, status: 400, says: /no id/ }],
  [
    'of the other kind',
    {
      changes: { 'X-Shopify-Hmac-Sha256': undefined, 'Shopify-Hmac-Sha256': signatureOf(BODY) },
      status: 400,
      says: /classic/,
    },
  ],
])('a signed delivery %s is refused', async (_case, { changes, status, says }) => {
  expect(await verdictOn(changes)).toEqual([status, expect.stringMatching(says)]);
});

test('the documents demand the headers without which a delivery is refused, and no others', async () => {
  const { headers = {} } = WEBHOOK_DOCS['POST /webhooks/shopify/orders/create'] ?? {};
  expect(Object.keys(headers).sort()).toEqual(
    headersWith({})
      .map(([name]) => name)
      .sort(),
  );
  for (const [name, { required = false }] of Object.entries(headers)) {
    const verdict = await verdictOn({ [name]: undefined });
    expect([name, Array.isArray(verdict)]).toEqual([name, required]);
  }
});
