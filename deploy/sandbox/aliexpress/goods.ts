/** A property that tells one SKU from another; `200007763` says where it is sent from. */
export interface SkuProperty {
  readonly id: number;
  readonly name: string;
  readonly valueId: number;
  readonly value: string;
}

export interface AliExpressSku {
  /** 17 digits, beyond what a double can hold. */
  readonly skuId: string;
  /** What an order names the SKU by; empty where it is the only one. */
  readonly skuAttr: string;
  /** US cents. */
  readonly priceMinor: number;
  /** ISO 3166-1 alpha-2. */
  readonly shipsFrom: string;
  readonly properties: readonly SkuProperty[];
  /** The sandbox shop's SKU of the same thing. */
  readonly shopSku: string;
}

export interface AliExpressProduct {
  readonly productId: string;
  /** The same product under its id of the site for the United States. */
  readonly usProductId: string;
  readonly title: string;
  readonly store: { readonly id: string; readonly name: string };
  readonly weightGrams: number;
  /** Whether the price already holds the tax of the destination. */
  readonly isTaxIncluded: boolean;
  /** US cents from which the cheapest way is free; 0: always, null: never. */
  readonly freeFromMinor: number | null;
  readonly skus: readonly AliExpressSku[];
}

const HOME = { id: '110000001', name: 'Sandbox Home Store' };
const OUTDOOR = { id: '110000002', name: 'Sandbox Outdoor Store' };
const SHIPS_FROM = 200_007_763;

const colour = (valueId: number, value: string): SkuProperty => ({ id: 14, name: 'Color', valueId, value });
const size = (valueId: number, value: string): SkuProperty => ({ id: 5, name: 'Length', valueId, value });
const from = (valueId: number, value: string): SkuProperty => ({
  id: SHIPS_FROM,
  name: 'Ships From',
  valueId,
  value,
});

const sku = (
  n: number,
  shopSku: string,
  priceMinor: number,
  properties: readonly SkuProperty[],
  shipsFrom = 'CN',
): AliExpressSku => ({
  skuId: `120000310000000${String(n).padStart(2, '0')}`,
  skuAttr: properties.map(({ id, valueId, value }) => `${id}:${valueId}#${value}`).join(';'),
  priceMinor,
  shipsFrom,
  properties,
  shopSku,
});

const product = (
  n: number,
  rest: Omit<AliExpressProduct, 'productId' | 'usProductId'>,
): AliExpressProduct => ({
  productId: `10050060000000${String(n).padStart(2, '0')}`,
  usProductId: `32560060000000${String(n).padStart(2, '0')}`,
  ...rest,
});

/** Two sellers; the ids of the SKUs are odd, so that a double changes them. */
export const ALIEXPRESS_PRODUCTS: readonly AliExpressProduct[] = [
  product(1, {
    title: 'Moon lamp',
    store: HOME,
    weightGrams: 420,
    isTaxIncluded: true,
    freeFromMinor: null,
    skus: [sku(1, 'LAMP-MOON', 655, [])],
  }),
  product(2, {
    title: 'Enamel mug',
    store: HOME,
    weightGrams: 350,
    isTaxIncluded: true,
    freeFromMinor: 0,
    skus: [sku(3, 'MUG-RED', 440, [colour(10, 'Red')]), sku(5, 'MUG-BLUE', 445, [colour(173, 'Blue')])],
  }),
  product(3, {
    title: 'Two-person tent',
    store: OUTDOOR,
    weightGrams: 2_400,
    isTaxIncluded: false,
    freeFromMinor: null,
    skus: [
      sku(7, 'TENT-2P', 2_990, [colour(175, 'Green'), from(201_336_100, 'China')]),
      sku(9, 'TENT-2P', 3_390, [colour(175, 'Green'), from(201_336_104, 'Germany')], 'DE'),
    ],
  }),
  product(4, {
    title: 'Braided cable',
    store: OUTDOOR,
    weightGrams: 60,
    isTaxIncluded: true,
    freeFromMinor: 1_000,
    skus: [
      sku(11, 'CABLE-1M', 150, [colour(193, 'Black'), size(100_014_064, '1 m')]),
      sku(13, 'CABLE-2M', 190, [colour(193, 'Black'), size(100_014_065, '2 m')]),
    ],
  }),
];

/** By either of its ids. */
export const productById = (id: string): AliExpressProduct | undefined =>
  ALIEXPRESS_PRODUCTS.find(({ productId, usProductId }) => id === productId || id === usProductId);
