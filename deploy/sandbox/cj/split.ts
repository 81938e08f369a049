import { randomBytes } from 'node:crypto';
import type { CjOrder, Journey } from './order.ts';

type Product = CjOrder['products'][number];

/** Several lines part after the first, a single line of several pieces in its middle. Null when there is nothing to divide. */
function divide(products: readonly Product[]): readonly [Product[], Product[]] | null {
  const [first, ...more] = products;
  if (first === undefined) return null;
  if (more.length > 0) return [[first], more];
  const half = Math.floor(first.quantity / 2);
  if (half === 0) return null;
  return [[{ ...first, quantity: half }], [{ ...first, quantity: first.quantity - half }]];
}

const later = (journey: Journey, ms: number): Journey => ({
  ...journey,
  announcedAt: journey.announcedAt + ms,
  shippedAt: journey.shippedAt + ms,
  inTransitAt: journey.inTransitAt + ms,
  deliveredAt: journey.deliveredAt + ms,
});

const goodsOf = (products: readonly Product[]): number =>
  products.reduce((sum, { priceMinor, quantity }) => sum + priceMinor * quantity, 0);

/**
 * The two parts of a paid order, each with a parcel of its own; they keep the merchant's number. The second one leaves
 * `laterMs` after the first. Empty for a single piece.
 * @param numberOf the internal number of part 0 and 1.
 */
export function splitOrder(
  order: CjOrder,
  journey: Journey,
  { laterMs, numberOf }: { laterMs: number; numberOf: (index: number) => number },
): CjOrder[] {
  const goods = divide(order.products);
  if (goods === null) return [];
  const firstPostage = Math.ceil(order.postageMinor / 2);
  return goods.map((products, index) => ({
    ...order,
    sdCode: `${order.sdCode}-${index + 1}`,
    internalNumber: numberOf(index),
    partOf: order.sdCode,
    products: products.map((product) => ({ ...product, lineItemId: randomBytes(9).toString('hex') })),
    productMinor: goodsOf(products),
    postageMinor: index === 0 ? firstPostage : order.postageMinor - firstPostage,
    journey: {
      ...later(journey, index * laterMs),
      trackingNumber: `CJPSB${order.sdCode.slice(-9)}${index + 1}YQ`,
    },
  }));
}
