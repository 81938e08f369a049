import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { QuoteRequest } from '../../services/suppliers/adapter.ts';
import type { Offer } from '../../services/suppliers/aliexpress/offer.ts';
import { createRecentOffers } from '../../services/suppliers/aliexpress/recent-offers.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const MUG = { supplierProductId: '1005000000000001', supplierVariantId: '12000031234567891', units: 2 };
const REQUEST: QuoteRequest = {
  destination: { countryCode: 'FR', zip: '69003' },
  shipsFrom: 'CN',
  articles: [MUG],
};
const anOffer = (goodsMinor: number): Offer => ({
  currency: 'USD',
  goodsMinor,
  options: [],
  articles: new Map(),
  offered: [],
});

test('an offer is taken once, whatever else of the question names no goods and no way to them', () => {
  const recent = createRecentOffers();
  const offer = anOffer(880);
  recent.keep(REQUEST, offer);
  const lines = [{ lineId: 'line-1', ...MUG }];
  expect(recent.take({ ...REQUEST, articles: lines })).toBe(offer);
  expect(recent.take(REQUEST)).toBeUndefined();
});

test('an offer is taken by the ids that its articles are bought under', () => {
  const recent = createRecentOffers();
  const byWords = { ...MUG, supplierVariantId: '14:10#Red' };
  const now = { unitPriceMinor: 440, stock: null, optionLabels: [], variantId: MUG.supplierVariantId };
  const offer = { ...anOffer(880), articles: new Map([[byWords.supplierVariantId, now]]) };
  recent.keep({ ...REQUEST, articles: [byWords] }, offer);
  expect(recent.take(REQUEST)).toBe(offer);
});

test.each<[string, Partial<QuoteRequest>]>([
  ['country', { destination: { countryCode: 'DE', zip: '69003' } }],
  ['postcode', { destination: { countryCode: 'FR', zip: '13001' } }],
  ['origin', { shipsFrom: 'DE' }],
  ['number of units', { articles: [{ ...MUG, units: 3 }] }],
  ['variant', { articles: [{ ...MUG, supplierVariantId: '12000031234567892' }] }],
  ['set of articles', { articles: [MUG, { ...MUG, supplierVariantId: '12000031234567892' }] }],
])('an offer is not taken for another %s', (_, change) => {
  const recent = createRecentOffers();
  recent.keep(REQUEST, anOffer(880));
  expect(recent.take({ ...REQUEST, ...change })).toBeUndefined();
  expect(recent.take(REQUEST)).toBeDefined();
});

test('the later of two offers counts, and after half a minute none', () => {
  const recent = createRecentOffers();
  recent.keep(REQUEST, anOffer(880));
  vi.advanceTimersByTime(20_000);
  const later = anOffer(990);
  recent.keep(REQUEST, later);
  vi.advanceTimersByTime(30_000);
  expect(recent.take(REQUEST)).toBe(later);
  recent.keep(REQUEST, later);
  vi.advanceTimersByTime(30_001);
  expect(recent.take(REQUEST)).toBeUndefined();
});

test('of very many offers the oldest are let go', () => {
  const recent = createRecentOffers();
  const to = (zip: number): QuoteRequest => ({
    ...REQUEST,
    destination: { countryCode: 'FR', zip: String(zip) },
  });
  for (let zip = 0; zip < 2_001; zip += 1) recent.keep(to(zip), anOffer(zip));
  expect(recent.take(to(0))).toBeUndefined();
  expect(recent.take(to(1))?.goodsMinor).toBe(1);
  expect(recent.take(to(2_000))?.goodsMinor).toBe(2_000);
});
