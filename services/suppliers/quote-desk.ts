import { callPatienceMs } from '../../contracts/call-patience.ts';
import type {
  MappedArticle,
  MappingCandidate,
  SeenArticle,
} from '../../contracts/resources/product-mapping.ts';
import type { Settings } from '../../contracts/settings.ts';
import type { SupplierName } from '../../contracts/vocabulary.ts';
import type { Article, Destination, Quote, ShippingOption } from './adapter.ts';
import { type PatientAdapter, REQUESTS_OF } from './policy.ts';
import { noCredentials, type PurchasePorts, toSupplierError } from './purchase-ports.ts';
import { REFUSAL_OF, type Refusal } from './refusal.ts';

/** All that planning needs: it neither reads nor writes anything of ours. */
export type SourcingPorts = Pick<PurchasePorts, 'settings' | 'adapterOf'>;

/** So many units of a line by this candidate. */
export interface Wish {
  readonly lineId: string;
  readonly units: number;
  readonly candidate: MappingCandidate;
}

/** An article of a mapping as the supplier shows it now. */
export interface SeenNow extends Pick<MappedArticle, 'supplierProductId' | 'supplierVariantId'> {
  readonly supplier: SupplierName;
  readonly seen: SeenArticle;
}

export type GroupQuote =
  | { result: 'quoted'; quote: Quote; option: ShippingOption; seen: readonly SeenNow[] }
  | ({ result: 'refused' } & Refusal);

export interface QuoteDesk {
  /**
   * Wishes that go into one purchase: same supplier, warehouse and preferred method.
   * @throws SupplierError of a class that passes by itself: nothing can be said yet.
   */
  quote(wishes: readonly Wish[]): Promise<GroupQuote>;
  /** Units of the wish that its candidate has; 0 also where that cannot be known. */
  available(wish: Wish): Promise<number>;
  /** These are taken: what is quoted later cannot have the same pieces. */
  reserve(wishes: readonly Wish[]): void;
}

export const articlesOf = ({ bundledWith, ...first }: MappingCandidate): MappedArticle[] => [
  first,
  ...bundledWith,
];

const toArticles = ({ candidate, units }: Wish): Article[] =>
  articlesOf(candidate).map(({ supplierProductId, supplierVariantId, unitsPerItem }) => ({
    supplierProductId,
    supplierVariantId,
    units: units * unitsPerItem,
  }));

/** Unknown days come last. */
export const daysOf = ({ deliveryDays }: ShippingOption): number =>
  deliveryDays?.max ?? Number.POSITIVE_INFINITY;

type Strategy = Settings['ORDER_MANAGER_SOURCING_STRATEGY'];

/** People name a method without the blanks that its supplier may write around it. */
export const isSameMethod = (a: string, b: string): boolean => a.trim() === b.trim();

/**
 * The method that the mapping prefers when it is offered, else the fastest or the cheapest in total of those whose
 * parcels can be followed; of the others only where there are no such. One that was refused comes last of its kind.
 */
function pickOption(
  { options }: Quote,
  preferred: string | undefined,
  strategy: Strategy,
  isRefused: (shippingMethod: string) => boolean,
): ShippingOption | undefined {
  const tracked = options.filter(({ isUntracked }) => isUntracked !== true);
  const ofKind = tracked.length > 0 ? tracked : options;
  const open = ofKind.filter(({ shippingMethod }) => !isRefused(shippingMethod));
  const named = options.find(
    ({ shippingMethod }) => preferred !== undefined && isSameMethod(shippingMethod, preferred),
  );
  if (named !== undefined && (open.length === 0 || !isRefused(named.shippingMethod))) return named;
  const byCost = (open.length > 0 ? open : ofKind).toSorted((a, b) => a.costMinor - b.costMinor);
  return (strategy === 'fastest' ? byCost.toSorted((a, b) => daysOf(a) - daysOf(b)) : byCost)[0];
}

const isNamed = (label: string): boolean => label.includes(': ');
const valuesOf = (labels: readonly string[]): string =>
  labels.map((label) => label.slice(isNamed(label) ? label.indexOf(': ') + 2 : 0)).join('-');

/** In whatever order the supplier names them; where it names none, by the values in the order in which they stand. */
export function sameLabels(a: readonly string[], b: readonly string[]): boolean {
  if (JSON.stringify([...a].sort()) === JSON.stringify([...b].sort())) return true;
  return a.every(isNamed) !== b.every(isNamed) && valuesOf(a) === valuesOf(b);
}

/**
 * Asks suppliers for prices, stock and shipping. One desk is one moment: the same question is asked once.
 * @param isRefused whether its supplier has refused to send the wish so.
 */
export function createQuoteDesk(
  { settings, adapterOf }: SourcingPorts,
  destination: Destination,
  isRefused: (wish: Wish, shippingMethod: string) => boolean,
): QuoteDesk {
  const answers = new Map<string, Promise<Quote>>();
  const reserved = new Map<string, number>();

  const keyOf = ({ supplier, shipsFrom }: MappingCandidate, article: Omit<Article, 'units'>): string =>
    [supplier, shipsFrom, article.supplierProductId, article.supplierVariantId].join('/');

  const ask = (adapter: PatientAdapter, shipsFrom: string, articles: readonly Article[]): Promise<Quote> => {
    const key = JSON.stringify([adapter.name, shipsFrom, articles]);
    const known = answers.get(key);
    if (known !== undefined) return known;
    const { countryCode, zip } = destination;
    const signal = AbortSignal.timeout(callPatienceMs(settings) * REQUESTS_OF.quote);
    const answer = adapter.quote({ destination: { countryCode, zip }, shipsFrom, articles }, signal);
    answers.set(key, answer);
    return answer;
  };

  /** Why what the supplier shows is not what the mapping means, or not enough of it; null when all is well. */
  const misfit = (wishes: readonly Wish[], quote: Quote): Refusal | null => {
    const needed = new Map<string, number>();
    for (const wish of wishes) {
      const { supplier } = wish.candidate;
      for (const { supplierVariantId, supplierProductId, seen, unitsPerItem } of articlesOf(wish.candidate)) {
        const now = quote.articles.get(supplierVariantId);
        if (now === undefined) continue;
        const about = { supplier, supplierProductId, supplierVariantId };
        if (seen !== undefined && !sameLabels(seen.optionLabels, now.optionLabels)) {
          const evidence = { ...about, was: seen.optionLabels.join(', '), is: now.optionLabels.join(', ') };
          return { reason: 'mapping_changed', evidence };
        }
        const key = keyOf(wish.candidate, { supplierProductId, supplierVariantId });
        const wanted = (needed.get(key) ?? reserved.get(key) ?? 0) + wish.units * unitsPerItem;
        needed.set(key, wanted);
        if (now.stock !== null && now.stock < wanted) {
          return { reason: 'out_of_stock', evidence: { ...about, stock: now.stock, wanted }, isShort: true };
        }
      }
    }
    return null;
  };

  const seenIn = (wishes: readonly Wish[], quote: Quote): SeenNow[] =>
    wishes.flatMap(({ candidate }) =>
      articlesOf(candidate).flatMap(({ supplierProductId, supplierVariantId }) => {
        const now = quote.articles.get(supplierVariantId);
        if (now === undefined) return [];
        const { unitPriceMinor, optionLabels } = now;
        const seen = { optionLabels: [...optionLabels], unitPriceMinor, currency: quote.currency };
        return [{ supplier: candidate.supplier, supplierProductId, supplierVariantId, seen }];
      }),
    );

  const quote = async (wishes: readonly Wish[]): Promise<GroupQuote> => {
    const candidate = wishes[0]?.candidate;
    if (candidate === undefined) throw new RangeError('a quote without wishes');
    const { supplier, shipsFrom, shippingMethod } = candidate;
    const adapter = adapterOf(supplier);
    if (adapter === undefined) return { result: 'refused', ...noCredentials(supplier) };
    try {
      const answer = await ask(adapter, shipsFrom, wishes.flatMap(toArticles));
      const wrong = misfit(wishes, answer);
      if (wrong !== null) return { result: 'refused', ...wrong };
      const strategy = settings.ORDER_MANAGER_SOURCING_STRATEGY;
      const option = pickOption(answer, shippingMethod, strategy, (method) =>
        wishes.some((wish) => isRefused(wish, method)),
      );
      if (option === undefined) {
        const evidence = { supplier, shipsFrom, country: destination.countryCode };
        return { result: 'refused', reason: 'not_shippable', evidence };
      }
      return { result: 'quoted', quote: answer, option, seen: seenIn(wishes, answer) };
    } catch (thrown) {
      const error = toSupplierError(thrown);
      const { failureClass, evidence } = error;
      const reason = REFUSAL_OF[failureClass];
      if (reason === undefined) throw error;
      return { result: 'refused', reason, evidence, isShort: failureClass === 'unavailable' };
    }
  };

  return {
    quote,
    async available(wish) {
      const one = await quote([{ ...wish, units: 1 }]);
      if (one.result === 'refused') return 0;
      const counts = articlesOf(wish.candidate).map((article) => {
        const stock = one.quote.articles.get(article.supplierVariantId)?.stock ?? 0;
        const left = stock - (reserved.get(keyOf(wish.candidate, article)) ?? 0);
        return Math.floor(left / article.unitsPerItem);
      });
      return Math.max(0, Math.min(...counts));
    },
    reserve(wishes) {
      for (const { candidate, units } of wishes) {
        for (const article of articlesOf(candidate)) {
          const key = keyOf(candidate, article);
          reserved.set(key, (reserved.get(key) ?? 0) + units * article.unitsPerItem);
        }
      }
    },
  };
}
