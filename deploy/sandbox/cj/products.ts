import { CJ, CjRefusal, usd } from './envelope.ts';
import { type CjArticle, type CjGoods, productSku, variantSku } from './goods.ts';

const AREAS: Record<string, { areaId: number; areaEn: string }> = {
  CN: { areaId: 1, areaEn: 'China Warehouse' },
  US: { areaId: 2, areaEn: 'US Warehouse' },
  DE: { areaId: 4, areaEn: 'Germany Warehouse' },
};
const ON_SHELF = '3';
const DISPATCH_DAYS = '1-3';
/** Of what lies in China this share is still with the factory. */
const FACTORY_SHARE = 0.2;

const imageOf = ({ sku }: CjArticle): string => `https://img.example/${sku.toLowerCase()}.jpg`;
const isSold = ({ isOnSale }: CjArticle): boolean => isOnSale;

/** Variants of each product, products in the order of the catalogue. */
const productsOf = (goods: CjGoods): (readonly CjArticle[])[] => [
  ...Map.groupBy(goods.all(), ({ supplierProductId }) => supplierProductId).values(),
];

/** Data of queryByVid and an entry of a product's variants; millimetres, grams, dollars. */
export const variantBody = (article: CjArticle): object => ({
  vid: article.supplierVariantId,
  pid: article.supplierProductId,
  variantNameEn: article.title,
  variantSku: variantSku(article),
  variantKey: article.variantKey,
  variantImage: imageOf(article),
  variantLength: 120,
  variantWidth: 90,
  variantHeight: 60,
  variantWeight: article.weightGrams,
  variantSellPrice: usd(article.priceMinor),
  variantSugSellPrice: usd(article.priceMinor * 2),
  variantStandard: 'long=120,width=90,height=60',
  inventories: null,
});

/** The variants of a product by any of its keys. Throws CjRefusal 1602001, or 16900403 without a key. */
function findProduct(goods: CjGoods, query: URLSearchParams): readonly [CjArticle, ...CjArticle[]] {
  const [pid, sku, variant] = ['pid', 'productSku', 'variantSku'].map((name) => query.get(name));
  if (!pid && !sku && !variant)
    throw new CjRefusal(CJ.parameterEmpty, 'pid, productSku or variantSku is required');
  const found = productsOf(goods).find((variants) =>
    variants.some(
      (article) =>
        article.supplierProductId === pid || productSku(article) === sku || variantSku(article) === variant,
    ),
  );
  const [first, ...more] = found ?? [];
  if (first === undefined) throw new CjRefusal(CJ.productNotFound, 'Product not found');
  return [first, ...more];
}

/** One price, or a range in text. */
function priceText(variants: readonly CjArticle[], separator: string): string {
  const prices = variants.map(({ priceMinor }) => priceMinor);
  const [min, max] = [Math.min(...prices), Math.max(...prices)].map((minor) => usd(minor).toFixed(2));
  return min === max ? `${min}` : `${min} ${separator} ${max}`;
}

/** Data of product/query. Throws CjRefusal 1602001, 1602002, 16900403. */
export function productBody(goods: CjGoods, query: URLSearchParams): object {
  const variants = findProduct(goods, query);
  const [first] = variants;
  if (!variants.some(isSold)) throw new CjRefusal(CJ.productOffShelf, 'Product is off shelf');
  return {
    pid: first.supplierProductId,
    productNameEn: first.productTitle,
    productSku: productSku(first),
    bigImage: imageOf(first),
    productImage: JSON.stringify([...new Set(variants.map(imageOf))]),
    productImageSet: [...new Set(variants.map(imageOf))],
    productWeight: String(first.weightGrams),
    packingWeight: String(first.weightGrams + 40),
    entryCode: '940540',
    productKeyEn: first.productKey,
    productProEnSet: ['COMMON'],
    sellPrice: priceText(variants, '--'),
    categoryId: 'SANDBOX-1',
    categoryName: 'Home & Outdoor',
    status: ON_SHELF,
    supplierId: null,
    // What is off the shelf is not shown among its neighbours.
    variants: variants.filter(isSold).map(variantBody),
  };
}

/** Data of variant/query. Throws CjRefusal 1602001, 16900403. */
export const variantsBody = (goods: CjGoods, query: URLSearchParams): object[] =>
  findProduct(goods, query).map(variantBody);

interface Counts {
  readonly total: number;
  readonly own: number;
  readonly factory: number;
}

function countsOf({ stock }: CjArticle, countryCode: string): Counts {
  const factory = countryCode === 'CN' ? Math.floor(stock * FACTORY_SHARE) : 0;
  return { total: stock, own: stock - factory, factory };
}

const areaRow = (countryCode: string, { total, own, factory }: Counts): object => ({
  ...AREAS[countryCode],
  countryCode,
  totalInventoryNum: total,
  cjInventoryNum: own,
  factoryInventoryNum: factory,
});

/** Data of queryBySku: a row per warehouse country. */
export const skuStockBody = (article: CjArticle): object[] =>
  article.shipsFrom.map((countryCode) => ({
    ...areaRow(countryCode, countsOf(article, countryCode)),
    storageNum: article.stock,
    stock: [],
  }));

/** Data of queryByVid. */
export const stockBody = (article: CjArticle): object[] =>
  skuStockBody(article).map((row) => ({ vid: article.supplierVariantId, ...row }));

/** Data of getInventoryByPid; here the counts of the variants have other names. Throws CjRefusal 1602001, 16900403. */
export function inventoryBody(goods: CjGoods, query: URLSearchParams): object {
  const variants = findProduct(goods, query);
  const countries = [...new Set(variants.flatMap(({ shipsFrom }) => shipsFrom))];
  const sum = (countryCode: string): Counts =>
    variants
      .filter(({ shipsFrom }) => shipsFrom.includes(countryCode))
      .map((article) => countsOf(article, countryCode))
      .reduce((a, b) => ({ total: a.total + b.total, own: a.own + b.own, factory: a.factory + b.factory }));
  return {
    inventories: countries.map((countryCode) => areaRow(countryCode, sum(countryCode))),
    variantInventories: variants.map((article) => ({
      vid: article.supplierVariantId,
      inventory: article.shipsFrom.map((countryCode) => {
        const { total, own, factory } = countsOf(article, countryCode);
        return {
          countryCode,
          totalInventory: total,
          cjInventory: own,
          factoryInventory: factory,
          verifiedWarehouse: 1,
          stock: [],
        };
      }),
    })),
  };
}

const pageOf = (query: URLSearchParams, names: readonly [string, string], most: number): [number, number] => {
  const [page, size] = names.map((name, index) => Number(query.get(name) ?? [1, 10][index]));
  if (!page || !size || page < 1 || size < 1 || size > most)
    throw new CjRefusal(CJ.parameterError, `Param error: ${names.join(', ')}`);
  return [page, size];
};

function matching(goods: CjGoods, words: string | null): (readonly CjArticle[])[] {
  const wanted = (words ?? '')
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  return productsOf(goods).filter((variants) => {
    const title = variants
      .map((article) => `${article.productTitle} ${article.title}`)
      .join(' ')
      .toLowerCase();
    return variants.some(isSold) && wanted.every((word) => title.includes(word));
  });
}

const stockOf = (variants: readonly CjArticle[]): number =>
  variants.reduce((sum, { stock, shipsFrom }) => sum + stock * shipsFrom.length, 0);

/** Data of listV2. Throws CjRefusal 1600300. */
export function searchBody(goods: CjGoods, query: URLSearchParams): object {
  const [page, size] = pageOf(query, ['page', 'size'], 100);
  const country = query.get('countryCode');
  const found = matching(goods, query.get('keyWord')).filter(
    (variants) => country === null || variants.some(({ shipsFrom }) => shipsFrom.includes(country)),
  );
  const shown = found.slice((page - 1) * size, page * size);
  const productList = shown.map((variants) => {
    const [first] = variants;
    return (
      first && {
        id: first.supplierProductId,
        nameEn: first.productTitle,
        sku: productSku(first),
        spu: productSku(first),
        bigImage: imageOf(first),
        sellPrice: priceText(variants, '--'),
        nowPrice: priceText(variants, '--'),
        listedNum: 12,
        categoryId: 'SANDBOX-1',
        threeCategoryName: 'Home & Outdoor',
        addMarkStatus: 0,
        warehouseInventoryNum: stockOf(variants),
        totalVerifiedInventory: stockOf(variants),
        totalUnVerifiedInventory: 0,
        verifiedWarehouse: 1,
        deliveryCycle: DISPATCH_DAYS,
        directMinOrderNum: 1,
        saleStatus: ON_SHELF,
      }
    );
  });
  return {
    pageSize: size,
    pageNumber: page,
    totalRecords: found.length,
    totalPages: Math.ceil(found.length / size),
    content: [{ productList, relatedCategoryList: [], keyWord: query.get('keyWord'), keyWordOld: null }],
  };
}

/** Data of the older list. Throws CjRefusal 1600300. */
export function listBody(goods: CjGoods, query: URLSearchParams): object {
  const [pageNum, pageSize] = pageOf(query, ['pageNum', 'pageSize'], 200);
  const found = matching(goods, query.get('productNameEn'));
  const list = found.slice((pageNum - 1) * pageSize, pageNum * pageSize).map((variants) => {
    const [first] = variants;
    return (
      first && {
        pid: first.supplierProductId,
        productNameEn: first.productTitle,
        productSku: productSku(first),
        productImage: imageOf(first),
        productWeight: first.weightGrams,
        sellPrice: priceText(variants, '--'),
        categoryId: 'SANDBOX-1',
      }
    );
  });
  return { pageNum, pageSize, total: found.length, list };
}
