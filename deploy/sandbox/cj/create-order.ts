import { z } from 'zod';
import { isCountry, isEuCountry } from './countries.ts';
import { CJ, CjRefusal } from './envelope.ts';
import type { FreightOption } from './freight.ts';
import { type CjArticle, type CjGoods, variantSku } from './goods.ts';
import { optionsFor } from './quote.ts';

const REQUIRED = [
  'orderNumber',
  'shippingCountryCode',
  'shippingCountry',
  'shippingProvince',
  'shippingCity',
  'shippingCustomerName',
  'shippingAddress',
  'logisticName',
  'fromCountryCode',
  'products',
] as const;

const upTo = (length: number) => z.string().max(length);
const maybe = (length: number) => upTo(length).nullish();
const Id = z.union([z.string(), z.number()]).transform(String);

const Wanted = z.object({
  orderNumber: upTo(50),
  shippingCountryCode: z.string(),
  shippingCountry: upTo(50),
  shippingProvince: upTo(50),
  shippingCity: upTo(50),
  shippingCustomerName: upTo(50),
  // The newer documents allow 500; whoever keeps to 200 is right by both.
  shippingAddress: upTo(200),
  logisticName: upTo(50),
  fromCountryCode: z.string(),
  shippingZip: maybe(20),
  shippingPhone: maybe(20),
  shippingAddress2: maybe(200),
  houseNumber: maybe(20),
  email: maybe(50),
  taxId: maybe(20),
  consigneeID: maybe(20),
  remark: maybe(500),
  storageId: maybe(40),
  iossType: z.union([z.literal(1), z.literal(2), z.literal(3)]).nullish(),
  iossNumber: z.string().nullish(),
  payType: z.union([z.literal(1), z.literal(2), z.literal(3)]).nullish(),
  isSandbox: z.union([z.literal(0), z.literal(1)]).nullish(),
  products: z
    .array(
      z.object({
        vid: Id.nullish(),
        sku: z.string().nullish(),
        quantity: z.coerce.number().int().positive(),
        storeLineItemId: upTo(125).nullish(),
      }),
    )
    .min(1),
});

/** A purchase that passed every check of the supplier and has no number yet. */
export interface CheckedOrder {
  readonly wanted: z.infer<typeof Wanted>;
  readonly goods: readonly { article: CjArticle; quantity: number; storeLineItemId: string | null }[];
  readonly freight: FreightOption;
}

type Product = z.infer<typeof Wanted>['products'][number];

function articleOf(catalogue: CjGoods, { vid, sku }: Product): CjArticle {
  if (!vid && !sku) throw new CjRefusal(CJ.parameterEmpty, 'vid or sku is required');
  const article = vid ? catalogue.byId(vid) : catalogue.bySku(sku ?? '');
  if (sku && variantSku(article) !== sku) throw new CjRefusal(CJ.parameterError, 'vid and sku do not match');
  if (!article.isOnSale) throw new CjRefusal(CJ.variantOffShelf, 'Variant has been removed from shelves');
  return article;
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);

function read(body: unknown): z.infer<typeof Wanted> {
  const fields = z.record(z.string(), z.unknown()).safeParse(body);
  const missing = fields.success ? REQUIRED.find((name) => isEmpty(fields.data[name])) : 'body';
  if (missing !== undefined)
    throw new CjRefusal(CJ.parameterEmpty, `Param error: ${missing} must not be empty`);
  const wanted = Wanted.safeParse(body);
  if (!wanted.success)
    throw new CjRefusal(CJ.parameterError, `Param error: ${z.prettifyError(wanted.error)}`);
  return wanted.data;
}

/** The real one hides the reason in a nested code inside the text. */
function refuseForIoss(problem: string): never {
  const nested = JSON.stringify({ code: 100104, message: `[7001] IOSS ${problem}` });
  throw new CjRefusal(CJ.createFailed, `Create order fail: ${nested}`);
}

/** The law's 150 euros, at a rate that stands still. */
const MOST_UNDER_IOSS_MINOR = 17_400;

function checkIoss({ iossType, iossNumber, products }: z.infer<typeof Wanted>, catalogue: CjGoods): void {
  if (iossType == null) refuseForIoss('type is mandatory for this destination');
  if (iossType === 2 && !iossNumber) refuseForIoss('number is mandatory');
  const goodsMinor = products.reduce(
    (sum, product) => sum + articleOf(catalogue, product).priceMinor * product.quantity,
    0,
  );
  if (iossType !== 1 && goodsMinor > MOST_UNDER_IOSS_MINOR)
    refuseForIoss('must not be used for goods above 150 EUR');
}

/** Throws CjRefusal: 16900403, 1600300, 1602000, 1602003, 1603000 (IOSS), 1605000 (carrier), 1605002 (country). */
export function checkOrder(catalogue: CjGoods, body: unknown): CheckedOrder {
  const wanted = read(body);
  const { shippingCountryCode: to, fromCountryCode: from } = wanted;
  if (!isCountry(to)) throw new CjRefusal(CJ.countryNotFound, 'Country code not found');
  const goods = wanted.products.map((product) => ({
    article: articleOf(catalogue, product),
    quantity: product.quantity,
    storeLineItemId: product.storeLineItemId ?? null,
  }));
  const weighed = goods.map(({ article, quantity }) => ({ vid: article.supplierVariantId, quantity }));
  const freight = optionsFor(catalogue, { from, to }, weighed).find(
    ({ logisticName }) => logisticName === wanted.logisticName,
  );
  if (freight === undefined) throw new CjRefusal(CJ.logisticNotFound, 'Logistic not found');
  if (isEuCountry(to)) checkIoss(wanted, catalogue);
  return { wanted, goods, freight };
}
