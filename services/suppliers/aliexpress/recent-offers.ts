import type { QuoteRequest } from '../adapter.ts';
import type { Offer } from './offer.ts';

/** Between the quote and the purchase that follows it: for so long price, stock and freight count as still the same. */
const KEPT_MS = 30_000;
const MOST = 2_000;

const keyOf = ({ destination, shipsFrom, articles }: QuoteRequest): string =>
  JSON.stringify([
    destination.countryCode,
    destination.zip,
    shipsFrom,
    articles.map(({ supplierProductId, supplierVariantId, units }) => [
      supplierProductId,
      supplierVariantId,
      units,
    ]),
  ]);

/** What this process was offered lately. */
export interface RecentOffers {
  keep(request: QuoteRequest, offer: Offer): void;
  has(request: QuoteRequest): boolean;
  /** The offer for the very same question, once: whoever asks next may not find the same stock. */
  take(request: QuoteRequest): Offer | undefined;
}

export function createRecentOffers(): RecentOffers {
  const offers = new Map<string, { readonly offer: Offer; readonly until: number }>();
  const isOver = ({ until }: { readonly until: number }): boolean => performance.now() > until;
  return {
    keep(request, offer) {
      // What was named in other words is bought under its own id.
      const articles = request.articles.map((article) => {
        const { variantId = article.supplierVariantId } = offer.articles.get(article.supplierVariantId) ?? {};
        return { ...article, supplierVariantId: variantId };
      });
      const key = keyOf({ ...request, articles });
      // The oldest stand first.
      offers.delete(key);
      for (const [old, kept] of offers) {
        if (!isOver(kept) && offers.size < MOST) break;
        offers.delete(old);
      }
      offers.set(key, { offer, until: performance.now() + KEPT_MS });
    },
    has(request) {
      const kept = offers.get(keyOf(request));
      return kept !== undefined && !isOver(kept);
    },
    take(request) {
      const key = keyOf(request);
      const kept = offers.get(key);
      offers.delete(key);
      return kept === undefined || isOver(kept) ? undefined : kept.offer;
    },
  };
}
