import { type Answer, yes } from '../../contracts/requests/request.ts';
import type { MappingCandidate, MappingSuggestions } from '../../contracts/resources/product-mapping.ts';
import type { ProductVariant, SupplierProduct } from '../../contracts/resources/supplier-product.ts';
import { SUPPLIERS } from '../../contracts/vocabulary.ts';
import { ask } from './catalogue.ts';
import type { PatientAdapter } from './policy.ts';
import type { PurchasePorts } from './purchase-ports.ts';

/** A search by SKU that does not bring it among the first does not know it. */
const MOST_PRODUCTS = 3;

type Suggestion = MappingSuggestions['suggestions'][number];

const isSameSku = (one: string | null, other: string): boolean =>
  one?.trim().toLowerCase() === other.trim().toLowerCase();

/** Where most of it lies; else where the product says that it ships from. */
const shipsFromOf = (product: SupplierProduct, variant: ProductVariant): string => {
  const [most] = variant.stock.filter(({ units }) => units > 0).toSorted((a, b) => b.units - a.units);
  return most?.country ?? product.shipsFrom[0] ?? 'CN';
};

const toCandidate = (product: SupplierProduct, variant: ProductVariant): MappingCandidate => ({
  supplier: product.supplier,
  supplierProductId: product.id,
  supplierVariantId: variant.id,
  unitsPerItem: 1,
  bundledWith: [],
  countries: [],
  shipsFrom: shipsFromOf(product, variant),
  priority: 1,
});

async function suggestionsOf(
  adapter: PatientAdapter,
  sku: string,
  countryCode: string,
  signal: AbortSignal,
): Promise<Suggestion[]> {
  const page = await adapter.search({ query: sku, page: 1, limit: MOST_PRODUCTS, countryCode }, signal);
  const suggestions: Suggestion[] = [];
  for (const { id } of page.items.slice(0, MOST_PRODUCTS)) {
    const product = await adapter.product({ supplierProductId: id, countryCode }, signal);
    for (const variant of product.variants) {
      if (!isSameSku(variant.sku, sku)) continue;
      const title = [...new Set([product.title, variant.title])].join(', ');
      suggestions.push({ candidate: toCandidate(product, variant), fromVariantId: null, title });
    }
  }
  return suggestions;
}

/** Variants that suppliers sell under exactly this SKU. One that cannot be asked keeps the others from nothing. */
export async function suggestCandidates(
  ports: PurchasePorts,
  { sku, country }: { sku: string; country: string },
): Promise<Answer<MappingSuggestions>> {
  const suggestions: Suggestion[] = [];
  const unanswered: MappingSuggestions['unanswered'] = [];
  await Promise.all(
    SUPPLIERS.map(async (supplier) => {
      const answer = await ask(ports, supplier, (adapter, signal) =>
        suggestionsOf(adapter, sku, country, signal),
      );
      if (answer.ok) suggestions.push(...answer.value);
      else unanswered.push({ supplier, message: answer.failure.message });
    }),
  );
  return yes({ sku, suggestions, unanswered });
}
