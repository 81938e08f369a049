import { HOUR_MS } from '../../../contracts/durations.ts';
import type { SupplierAdapter } from '../adapter.ts';
import { SupplierError } from '../supplier-error.ts';
import { checkRecipient } from './address.ts';
import { type AliExpressClientOptions, createAliExpressClient } from './client.ts';
import { createOrder, readBefore } from './create-order.ts';
import { readOffer } from './offer.ts';
import { readFound, readPaymentDue } from './orders.ts';
import { readSupplierProduct } from './product.ts';
import { readPush } from './push.ts';
import { createRecentOffers } from './recent-offers.ts';
import { searchProducts } from './search.ts';
import { readStatus, STATUS_BATCH } from './status.ts';

export interface AliExpressOptions extends AliExpressClientOptions {
  /** Asks AliExpress to pay at once, which it does for app keys that it has cleared for that. */
  readonly autoPay: boolean;
}

/** AliExpress promises a day for a repeated reference; an hour of it is left for clocks and waiting. */
const REPEATABLE_MS = 23 * HOUR_MS;

const noSuchCall = (what: string) => (): Promise<never> =>
  Promise.reject(
    new SupplierError('permanent', `AliExpress has no call to ${what}`, { missing: what, sent: false }),
  );

/**
 * AliExpress's dropshipping API. The supplier reference is the order's number, or several joined by commas. Orders are
 * paid in US dollars, by a person on its site unless `autoPay` is on.
 */
export function createAliExpress(options: AliExpressOptions): SupplierAdapter {
  const client = createAliExpressClient(options);
  const quoted = createRecentOffers();
  const known = { quoted, ahead: createRecentOffers() };
  const { autoPay, appKey, appSecret } = options;
  return {
    name: 'aliexpress',
    capabilities: {
      looksUpByReference: false,
      repeatableForMs: REPEATABLE_MS,
      payment: autoPay ? 'with_order' : 'by_hand',
      statusBatchSize: STATUS_BATCH,
      cancelsBeforePayment: false,
      combinesLines: false,
      pushes: 'by_hand',
      hasWarehouses: false,
    },
    search: (request, signal) => searchProducts(client, request, signal),
    product: (request, signal) => readSupplierProduct(client, request, signal),
    checkRecipient,
    async quote(request, signal) {
      const offer = await readOffer(client, request, 'query', signal);
      quoted.keep(request, offer);
      const { currency, goodsMinor, options, articles } = offer;
      return { currency, goodsMinor, options, articles };
    },
    beforePlace: (request, signal) => readBefore(client, known, { autoPay }, request, signal),
    place: (request, signal) => createOrder(client, known, { autoPay }, request, signal),
    lookUp: noSuchCall('look up orders by our reference'),
    preparePayment: (key, signal) => readPaymentDue(client, key, signal),
    pay: noSuchCall('pay'),
    status: (keys, signal) => readStatus(client, keys, signal),
    cancel: noSuchCall('cancel'),
    read: (supplierReference, signal) => readFound(client, supplierReference, signal),
    readPush: async (message) => readPush({ appKey, appSecret }, message),
    registerPush: noSuchCall('register for pushes'),
  };
}
