import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { CATALOGUE } from '../../deploy/sandbox/catalogue.ts';
import type { Sandbox } from '../../deploy/sandbox/sandbox.ts';
import type { Quote, QuoteRequest } from '../../services/suppliers/adapter.ts';
import { byFetch } from '../fixtures/by-fetch.ts';
import { cjAdapter, ledgerOf, never, PLAIN_SETTINGS, put, startCjWorld } from '../fixtures/cj-world.ts';
import { memoryTokens } from '../fixtures/memory-tokens.ts';

const [LAMP, MUG] = CATALOGUE;
const FROM_CHINA = CATALOGUE.filter(({ shipsFrom }) => shipsFrom.includes('CN'));
const IN_STOCK = { priceMinor: 690, stock: 50_000, isOnSale: true };

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startCjWorld();
});
afterAll(() => sandbox.stop());
beforeEach(async () => {
  await put(sandbox, 'settings', PLAIN_SETTINGS);
  await put(sandbox, `articles/${LAMP!.supplierVariantId}`, IN_STOCK);
});

const quoteOf = (articles: readonly (typeof CATALOGUE)[number][]): QuoteRequest => ({
  destination: { countryCode: 'US', zip: '90001' },
  shipsFrom: 'CN',
  articles: articles.map(({ supplierProductId, supplierVariantId }) => ({
    supplierProductId,
    supplierVariantId,
    units: 1,
  })),
});

async function productsReadDuring(act: () => Promise<unknown>): Promise<number> {
  const before = (await ledgerOf(sandbox)).calls['cj.product'] ?? 0;
  await act();
  return ((await ledgerOf(sandbox)).calls['cj.product'] ?? 0) - before;
}

/** An adapter for which CJ answers no question about that product the first time. */
function withoutAnswerFor(supplierProductId: string) {
  let isAnswering = false;
  const send: typeof fetch = (input, init) => {
    const { pathname, searchParams } = new URL(String(input));
    if (isAnswering || !pathname.endsWith('/product/query') || searchParams.get('pid') !== supplierProductId)
      return fetch(input, init);
    isAnswering = true;
    return Promise.reject(new TypeError('fetch failed'));
  };
  return cjAdapter(sandbox, memoryTokens(), { send: byFetch(send) });
}

test('an order of more articles than can be read within one patience is quoted all the same', async () => {
  const callsOfPatience = 10;
  let calls = 0;
  let patience = new AbortController();
  const cj = cjAdapter(sandbox, memoryTokens(), {
    reserve: async () => {
      calls += 1;
      if (calls > callsOfPatience) patience.abort();
    },
  });
  const tryOnce = async (): Promise<Quote | undefined> => {
    calls = 0;
    patience = new AbortController();
    return cj.quote(quoteOf(FROM_CHINA), patience.signal).catch((error: unknown) => {
      if (patience.signal.aborted) return undefined;
      throw error;
    });
  };
  // Two calls for a product, after a login and beside the call for the freight.
  const needed = Math.ceil((2 * FROM_CHINA.length) / (callsOfPatience - 2));
  let quote: Quote | undefined;
  for (let tries = 0; quote === undefined && tries <= needed; tries += 1) quote = await tryOnce();
  expect([...(quote?.articles.keys() ?? [])]).toEqual(
    FROM_CHINA.map(({ supplierVariantId }) => supplierVariantId),
  );
  expect(quote?.goodsMinor).toBe(FROM_CHINA.reduce((sum, one) => sum + one.supplierPriceMinor, 0));
});

test('a quote that got no answer goes on from there, and what it was finished with is asked anew', async () => {
  const request = quoteOf([LAMP!, MUG!]);
  const cj = withoutAnswerFor(MUG!.supplierProductId);
  await expect(cj.quote(request, never)).rejects.toMatchObject({ failureClass: 'transient' });
  expect(await productsReadDuring(() => cj.quote(request, never))).toBe(1);
  expect(await productsReadDuring(() => cj.quote(request, never))).toBe(2);
});

test('what is refused for good is not remembered with what was read before it', async () => {
  const request = quoteOf([MUG!, LAMP!]);
  const cj = cjAdapter(sandbox, memoryTokens());
  await put(sandbox, `articles/${LAMP!.supplierVariantId}`, { stock: 0 });
  await expect(cj.quote(request, never)).rejects.toMatchObject({ failureClass: 'unavailable' });
  await put(sandbox, `articles/${LAMP!.supplierVariantId}`, IN_STOCK);
  expect(await productsReadDuring(() => cj.quote(request, never))).toBe(2);
});

test('what was quoted stays what it was while another quote of the same articles is under way', async () => {
  const request = quoteOf([LAMP!, MUG!]);
  const pricesOf = ({ articles }: Quote): number[] =>
    [...articles.values()].map(({ unitPriceMinor }) => unitPriceMinor);
  const [first, otherAsks, firstEnds] = [
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
  ];
  let asked = 0;
  const send: typeof fetch = async (input, init) => {
    const { pathname, searchParams } = new URL(String(input));
    const isOfLamp = searchParams.get('pid') === LAMP!.supplierProductId;
    if (isOfLamp && pathname.endsWith('/product/query')) {
      asked += 1;
      if (asked === 2) {
        otherAsks.resolve();
        await firstEnds.promise;
      }
    } else if (isOfLamp && asked === 1) {
      first.resolve();
      await otherAsks.promise;
    }
    return fetch(input, init);
  };
  const cj = cjAdapter(sandbox, memoryTokens(), { send: byFetch(send) });
  const quoting = cj.quote(request, never);
  await first.promise;
  const other = cj.quote(request, never);
  const quote = await quoting;
  const quoted = pricesOf(quote);
  await put(sandbox, `articles/${LAMP!.supplierVariantId}`, { ...IN_STOCK, priceMinor: 990 });
  firstEnds.resolve();
  expect(pricesOf(await other)).not.toEqual(quoted);
  expect(pricesOf(quote)).toEqual(quoted);
});
