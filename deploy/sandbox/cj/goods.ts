import { CATALOGUE, type SandboxArticle } from '../catalogue.ts';
import type { Shelf } from '../shelf.ts';
import { CJ, CjRefusal } from './envelope.ts';

/** An article as the supplier has it. */
export interface CjArticle extends SandboxArticle {
  /** Title of the product that it is a variant of. */
  readonly productTitle: string;
  /** Names of the product's options, as `Color-Size`, and what this variant chooses of them. */
  readonly productKey: string;
  readonly variantKey: string;
  readonly priceMinor: number;
  readonly stock: number;
  readonly isOnSale: boolean;
}

export interface CjGoods {
  all(): CjArticle[];
  /** Throws CjRefusal 1602000. */
  byId(vid: string): CjArticle;
  /** Throws CjRefusal 1602000. */
  bySku(sku: string): CjArticle;
}

type Known = Omit<CjArticle, 'priceMinor' | 'stock' | 'isOnSale'>;

const SHIRT = { title: 'Cotton shirt', sku: 'SHIRT', pid: '2601010000000000050' };

/** The supplier sells more than the shop: a product of four variants, the last one out of its second warehouse. */
const SHIRTS: readonly Known[] = ['Red-S', 'Red-L', 'Blue-S', 'Blue-L'].map((variantKey, index) => ({
  shopVariantId: '',
  shopProductId: '',
  sku: `${SHIRT.sku}-${index + 1}`,
  title: `${SHIRT.title} ${variantKey.replace('-', ' ')}`,
  supplierProductId: SHIRT.pid,
  supplierVariantId: `26020200000000${String(51 + index).padStart(5, '0')}`,
  supplierPriceMinor: 560 + index * 10,
  weightGrams: 180,
  shipsFrom: index === 3 ? ['CN'] : ['CN', 'DE'],
  productTitle: SHIRT.title,
  productKey: 'Color-Size',
  variantKey,
}));

const KNOWN: readonly Known[] = [
  ...CATALOGUE.map((article) => ({
    ...article,
    productTitle: article.title,
    productKey: 'Style',
    variantKey: 'Default',
  })),
  ...SHIRTS,
];

const STOCK_PER_WAREHOUSE = 50_000;

const compact = (text: string): string => text.replaceAll('-', '');
export const productSku = ({ supplierProductId, sku }: Known): string =>
  `CJ${supplierProductId === SHIRT.pid ? SHIRT.sku : compact(sku)}`;
/** The supplier's own SKU, which is not the shop's. */
export const variantSku = ({ sku }: Known): string => `CJ${compact(sku)}01AZ`;

/** What the supplier sells. Orders do not lessen its stock; prices, stock and sale are as the shelf says. */
export function createCjGoods(shelf: Shelf): CjGoods {
  const now = (known: Known): CjArticle => {
    const { priceMinor, stock, isOnSale } = shelf.changesOf(known.supplierVariantId);
    return {
      ...known,
      priceMinor: priceMinor ?? known.supplierPriceMinor,
      stock: stock ?? STOCK_PER_WAREHOUSE,
      isOnSale: isOnSale ?? true,
    };
  };
  const find = (isMeant: (known: Known) => boolean): CjArticle => {
    const known = KNOWN.find(isMeant);
    if (known === undefined) throw new CjRefusal(CJ.variantNotFound, 'Variant not found');
    return now(known);
  };
  return {
    all: () => KNOWN.map(now),
    byId: (vid) => find(({ supplierVariantId }) => supplierVariantId === vid),
    bySku: (sku) => find((known) => variantSku(known) === sku),
  };
}
