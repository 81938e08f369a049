import { expect, test } from 'vitest';
import type { AliExpressClient } from '../../services/suppliers/aliexpress/client.ts';
import { readOffer } from '../../services/suppliers/aliexpress/offer.ts';

const PRODUCT = '1005000000000001';

/** AliExpress with one SKU for 5.00, sent for 1.00. */
const selling = (sku: object, shipping: object = {}): AliExpressClient => ({
  async call({ method }, body) {
    const price = { sku_id: '1', offer_sale_price: '5.00', currency_code: 'USD' };
    const fee = { shipping_fee_cent: '1.00', shipping_fee_currency: 'USD' };
    const option = { code: 'POST', ...fee, ...shipping };
    const result = method.includes('freight')
      ? { delivery_options: [option] }
      : { ae_item_sku_info_dtos: [{ ...price, ...sku }] };
    return body.parse({ result });
  },
  askForTokens: () => () => Promise.reject(new Error('no token is needed here')),
});

test.each([
  ['included', { price_include_tax: true, tax_amount: '0.46' }, 100],
  ['not included', { price_include_tax: false, tax_amount: '0.46' }, 192],
  ['not said to be included', { tax_amount: '0.46' }, 192],
  ['not named at all', {}, 100],
])('tax that is %s costs what can become due', async (_, sku, costMinor) => {
  const articles = [{ supplierProductId: PRODUCT, supplierVariantId: '1', units: 2 }];
  const request = { destination: { countryCode: 'DE', zip: '10115' }, shipsFrom: 'CN', articles };
  const offer = await readOffer(selling(sku), request, 'query', new AbortController().signal);
  expect(offer).toMatchObject({ goodsMinor: 1_000, options: [{ shippingMethod: 'POST', costMinor }] });
});

test.each([
  ['cannot be followed', { tracking: false }, true],
  ['cannot be followed, in words', { tracking: 'false' }, true],
  ['can be followed', { tracking: true }, undefined],
  ['are not said to be followed or not', {}, undefined],
])('a method whose parcels %s says so', async (_, shipping, isUntracked) => {
  const articles = [{ supplierProductId: PRODUCT, supplierVariantId: '1', units: 1 }];
  const request = { destination: { countryCode: 'DE', zip: '10115' }, shipsFrom: 'CN', articles };
  const offer = await readOffer(selling({}, shipping), request, 'query', new AbortController().signal);
  expect(offer.options.map((option) => option.isUntracked)).toEqual([isUntracked]);
});
