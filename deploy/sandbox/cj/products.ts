import { CATALOGUE, type SandboxArticle } from '../catalogue.ts';
import type { Shelf } from '../shelf.ts';
import { CJ, CjRefusal, usd } from './envelope.ts';

const AREAS: Record<string, { areaId: number; areaEn: string }> = {
  CN: { areaId: 1, areaEn: 'China Warehouse' },
  US: { areaId: 2, areaEn: 'US Warehouse' },
  DE: { areaId: 4, areaEn: 'Germany Warehouse' },
};
const STOCK_PER_WAREHOUSE = 50_000;

const productSku = ({ sku }: SandboxArticle): string => `CJ${sku.replaceAll('-', '')}`;
/** The supplier's own SKU, which is not the shop's. */
export const variantSku = (article: SandboxArticle): string => `${productSku(article)}01AZ`;

/** An article with the price that holds just now. */
function priced(article: SandboxArticle, shelf: Shelf): SandboxArticle {
  const { priceMinor = article.supplierPriceMinor } = shelf.changesOf(article.supplierVariantId);
  return { ...article, supplierPriceMinor: priceMinor };
}

const isOnSale = ({ supplierVariantId }: SandboxArticle, shelf: Shelf): boolean =>
  shelf.changesOf(supplierVariantId).isOnSale ?? true;

/** Pieces in each of its warehouses. Orders do not lessen it. */
export const stockOf = (vid: string, shelf: Shelf): number =>
  shelf.changesOf(vid).stock ?? STOCK_PER_WAREHOUSE;

function sold(article: SandboxArticle | undefined, shelf: Shelf): SandboxArticle {
  if (article === undefined) throw new CjRefusal(CJ.variantNotFound, 'Variant not found');
  if (!isOnSale(article, shelf)) throw new CjRefusal(CJ.variantOffShelf, 'Variant is off shelf');
  return priced(article, shelf);
}

/** Throws CjRefusal 1602000, 1602003. */
export const variantById = (vid: string, shelf: Shelf): SandboxArticle =>
  sold(
    CATALOGUE.find(({ supplierVariantId }) => supplierVariantId === vid),
    shelf,
  );

/** Throws CjRefusal 1602000, 1602003. */
export const variantBySku = (sku: string, shelf: Shelf): SandboxArticle =>
  sold(
    CATALOGUE.find((candidate) => variantSku(candidate) === sku),
    shelf,
  );

const imageOf = ({ sku }: SandboxArticle): string => `https://img.example/${sku.toLowerCase()}.jpg`;

/** Data of queryByVid and an entry of a product's variants; millimetres, grams, dollars. */
export const variantBody = (article: SandboxArticle): object => ({
  vid: article.supplierVariantId,
  pid: article.supplierProductId,
  variantNameEn: article.title,
  variantSku: variantSku(article),
  variantKey: 'Default',
  variantImage: imageOf(article),
  variantLength: 120,
  variantWidth: 90,
  variantHeight: 60,
  variantWeight: article.weightGrams,
  variantSellPrice: usd(article.supplierPriceMinor),
  variantSugSellPrice: usd(article.supplierPriceMinor * 2),
  variantStandard: 'long=120,width=90,height=60',
  inventories: null,
});

/** Looks by any of the three keys. Throws CjRefusal 1602001, 1602002, or 16900403 without a key. */
export function productBody(query: URLSearchParams, shelf: Shelf): object {
  const [pid, sku, variant] = ['pid', 'productSku', 'variantSku'].map((name) => query.get(name));
  if (!pid && !sku && !variant)
    throw new CjRefusal(CJ.parameterEmpty, 'pid, productSku or variantSku is required');
  const found = CATALOGUE.find(
    (candidate) =>
      candidate.supplierProductId === pid ||
      productSku(candidate) === sku ||
      variantSku(candidate) === variant,
  );
  if (found === undefined) throw new CjRefusal(CJ.productNotFound, 'Product not found');
  if (!isOnSale(found, shelf)) throw new CjRefusal(CJ.productOffShelf, 'Product is off shelf');
  const article = priced(found, shelf);
  return {
    pid: article.supplierProductId,
    productNameEn: article.title,
    productSku: productSku(article),
    bigImage: imageOf(article),
    productImage: JSON.stringify([imageOf(article)]),
    productImageSet: [imageOf(article)],
    productWeight: String(article.weightGrams),
    packingWeight: String(article.weightGrams + 40),
    entryCode: '940540',
    productKeyEn: 'Style',
    productProEnSet: ['COMMON'],
    sellPrice: usd(article.supplierPriceMinor).toFixed(2),
    categoryId: 'SANDBOX-1',
    categoryName: 'Home & Outdoor',
    status: '3',
    supplierId: null,
    variants: [variantBody(article)],
  };
}

/** Data of the stock call: a row per warehouse country. */
export function stockBody(article: SandboxArticle, shelf: Shelf): object[] {
  const pieces = stockOf(article.supplierVariantId, shelf);
  return article.shipsFrom.map((countryCode) => ({
    vid: article.supplierVariantId,
    ...AREAS[countryCode],
    countryCode,
    storageNum: pieces,
    totalInventoryNum: pieces,
    cjInventoryNum: pieces,
    factoryInventoryNum: 0,
    stock: [],
  }));
}
