import { sharedQuestion } from '../shared-question.ts';
import type { CjClient } from './client.ts';
import { InventoryData, StockRow } from './product-responses.ts';
import { orIfRefused } from './refusal.ts';
import { rowsOf } from './responses.ts';

/** Pieces by the country that they ship from. */
export type StockByCountry = ReadonlyMap<string, number>;

export interface ProductStock {
  /** Null: CJ does not say. */
  ofProduct(): StockByCountry | null;
  ofVariant(vid: string): StockByCountry | null;
}

/** Null without a single row that counts something. A country may have several warehouses. */
export function byCountry(rows: readonly StockRow[]): StockByCountry | null {
  const stock = new Map<string, number>();
  for (const { countryCode, units } of rows) {
    if (countryCode === null || units === null || !/^[A-Z]{2}$/.test(countryCode)) continue;
    stock.set(countryCode, (stock.get(countryCode) ?? 0) + units);
  }
  return stock.size === 0 ? null : stock;
}

export const sumOf = (stock: StockByCountry): number =>
  [...stock.values()].reduce((sum, units) => sum + units, 0);

async function askForProductStock(client: CjClient, pid: string, signal: AbortSignal): Promise<ProductStock> {
  const path = '/product/stock/getInventoryByPid';
  const request = { method: 'GET', path, query: [['pid', pid]], kind: 'read', priority: 'query' } as const;
  const inventory = await client.call(request, InventoryData, signal).catch(orIfRefused(null));
  const { product, variants } = inventory ?? { product: [], variants: [] };
  const ofVariants = new Map(variants.map(({ vid, rows }) => [vid, byCountry(rows)]));
  const all = byCountry(product) ?? byCountry(variants.flatMap(({ rows }) => rows));
  return { ofProduct: () => all, ofVariant: (vid) => ofVariants.get(vid) ?? null };
}

/** The stock of a product and all its variants in one call. Nothing is known where CJ refuses to say. */
export const readProductStock = sharedQuestion(askForProductStock);

/** The stock of one variant; null where CJ refuses to say. */
export async function readVariantStock(
  client: CjClient,
  vid: string,
  signal: AbortSignal,
): Promise<StockByCountry | null> {
  const path = '/product/stock/queryByVid';
  const request = { method: 'GET', path, query: [['vid', vid]], kind: 'read', priority: 'query' } as const;
  const rows = await client.call(request, rowsOf(StockRow), signal).catch(orIfRefused([]));
  return byCountry(rows);
}
