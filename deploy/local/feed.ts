import { createHash, createHmac } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ALIEXPRESS_PRODUCTS } from '../sandbox/aliexpress/goods.ts';
import { MAPPED_ARTICLES, type SandboxArticle } from '../sandbox/catalogue.ts';
import { parseExactJson } from '../sandbox/exact-json.ts';
import { SANDBOX_SHOP } from './sandbox-process.ts';
import type { Stack } from './stack.ts';

/** A name in the shape of a version 5 UUID: the same file is the same delivery, so that a second start repeats nothing. */
function deliveryIdOf(name: string, body: Buffer): string {
  const hash = createHash('sha256').update(name).update(body).digest('hex');
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-5${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}

/** What is bought at AliExpress first, where it goes to the United States; all else, and the rest of the world, at CJ. */
const AT_ALIEXPRESS_FIRST: readonly string[] = ['MUG-BLUE'];

/** Best first. */
export function candidatesOf({
  sku,
  supplierProductId,
  supplierVariantId,
  shipsFrom,
}: SandboxArticle): object[] {
  const aliExpress = ALIEXPRESS_PRODUCTS.flatMap(({ productId, skus }) =>
    skus
      .filter(({ shopSku }) => shopSku === sku && AT_ALIEXPRESS_FIRST.includes(shopSku))
      .map((offered) => ({
        supplier: 'aliexpress',
        supplierProductId: productId,
        supplierVariantId: offered.skuId,
        shipsFrom: offered.shipsFrom,
        countries: ['US'],
      })),
  );
  const cj = shipsFrom.map((country) => ({
    supplier: 'cj_dropshipping',
    supplierProductId,
    supplierVariantId,
    shipsFrom: country,
  }));
  return [...aliExpress, ...cj].map((candidate, index) => ({ ...candidate, priority: index + 1 }));
}

/** Tells the order manager which supplier articles stand behind each variant of the sandbox shop. */
export async function mapArticles(stack: Pick<Stack, 'url' | 'apiKey'>): Promise<void> {
  for (const article of MAPPED_ARTICLES) {
    const { shopVariantId } = article;
    const candidates = candidatesOf(article);
    const response = await fetch(`${stack.url}/product-mappings/${shopVariantId}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'x-api-key': stack.apiKey },
      body: JSON.stringify({ candidates }),
    });
    if (!response.ok)
      throw new Error(`mapping ${shopVariantId}: HTTP ${response.status} ${await response.text()}`);
  }
}

export interface Fed {
  readonly file: string;
  /** The shop's order id as text; null when the body has none. */
  readonly shopOrderId: string | null;
  readonly status: number;
  readonly answer: string;
}

/** The topic is the start of a file's name when it names one (`orders-updated.…`), else `orders/create`. */
const topicOf = (file: string): string =>
  /^orders-(create|updated|paid|cancelled)\b/.exec(file)?.[0].replace('-', '/') ?? 'orders/create';

/**
 * Feeds each `*.json` of a folder as the shop would: the order exists there first, then its webhook arrives, signed
 * over the exact bytes of the file.
 */
export async function feed(stack: Pick<Stack, 'url' | 'sandbox'>, folder: string): Promise<Fed[]> {
  const { sandbox } = stack;
  if (sandbox === null) throw new Error('bodies are only fed to a sandbox');
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
  return Promise.all(
    files.map(async (file) => {
      const body = await readFile(join(folder, file));
      await fetch(`${sandbox.origin}/control/shop/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      const topic = topicOf(file);
      const response = await fetch(`${stack.url}/webhooks/shopify/${topic}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-shopify-topic': topic,
          'x-shopify-hmac-sha256': createHmac('sha256', sandbox.apiSecret).update(body).digest('base64'),
          'x-shopify-shop-domain': SANDBOX_SHOP,
          'x-shopify-webhook-id': deliveryIdOf(file, body),
          'x-shopify-event-id': deliveryIdOf(`event ${file}`, body),
          'x-shopify-triggered-at': new Date().toISOString(),
          'x-shopify-api-version': '2026-10',
        },
        body,
      });
      return { file, shopOrderId: idIn(body), status: response.status, answer: await response.text() };
    }),
  );
}

function idIn(body: Buffer): string | null {
  try {
    const parsed = parseExactJson(body.toString('utf8'));
    if (typeof parsed !== 'object' || parsed === null || !('id' in parsed)) return null;
    return String(parsed.id);
  } catch {
    return null;
  }
}
