/** One article that the sandbox shop sells and the sandbox supplier delivers. */
export interface SandboxArticle {
  /** The shop's variant id: digits as text. */
  readonly shopVariantId: string;
  readonly shopProductId: string;
  readonly sku: string;
  readonly title: string;
  /** The supplier's product id (`pid`) and variant id (`vid`). */
  readonly supplierProductId: string;
  readonly supplierVariantId: string;
  readonly supplierPriceMinor: number;
  readonly weightGrams: number;
  /** ISO 3166-1 alpha-2 of each warehouse that stocks it, the preferred one first. */
  readonly shipsFrom: readonly string[];
}

const article = (
  n: number,
  sku: string,
  title: string,
  supplierPriceMinor: number,
  weightGrams: number,
  shipsFrom: readonly string[] = ['CN'],
): SandboxArticle => ({
  shopVariantId: `4455000000${String(n).padStart(4, '0')}`,
  shopProductId: `8811000000${String(n).padStart(4, '0')}`,
  sku,
  title,
  supplierProductId: `26010100000000${String(n).padStart(5, '0')}`,
  supplierVariantId: `26020200000000${String(n).padStart(5, '0')}`,
  supplierPriceMinor,
  weightGrams,
  shipsFrom,
});

/** Prices in US cents. Articles 9 and 10 are sold by the shop but deliberately have no product mapping. */
export const CATALOGUE: readonly SandboxArticle[] = [
  article(1, 'LAMP-MOON', 'Moon lamp', 690, 420),
  article(2, 'MUG-RED', 'Enamel mug, red', 410, 350),
  article(3, 'MUG-BLUE', 'Enamel mug, blue', 410, 350),
  article(4, 'CABLE-2M', 'Braided cable, 2 m', 180, 60),
  article(5, 'TENT-2P', 'Two-person tent', 3150, 2400, ['DE', 'CN']),
  article(6, 'BOTTLE-1L', 'Steel bottle, 1 l', 520, 380, ['US', 'CN']),
  article(7, 'BRUSH-SET', 'Brush set', 275, 110),
  article(8, 'CLOCK-CAT', 'Cat wall clock', 870, 640),
  article(9, 'POSTER-A2', 'Poster A2', 120, 90),
  article(10, 'CANDLE-OAK', 'Oak moss candle', 330, 300),
];

/** Articles that the local stack maps to the supplier before it feeds anything. */
export const MAPPED_ARTICLES: readonly SandboxArticle[] = CATALOGUE.slice(0, 8);
