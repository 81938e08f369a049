import { z } from 'zod';
import { isCountry } from '../cj/countries.ts';
import type { Shelf } from '../shelf.ts';
import { type Delivery, deliveriesFor } from './delivery.ts';
import { priceIn, servedCurrency } from './money.ts';
import { AliExpressRefusal } from './refusal.ts';
import { type Offer, offerBy } from './stock.ts';
import { WireList } from './wire.ts';

const Inquiry = z.object({
  quantity: z.coerce.number().int().positive(),
  shipToCountry: z.string().min(1),
  productId: z.string().min(1),
  selectedSkuId: z.string().min(1),
  language: z.string().min(1),
  locale: z.string().min(1),
  currency: z.string().min(1),
});

function optionBody(delivery: Delivery, offer: Offer, currency: string): object {
  const fee = priceIn(currency, delivery.feeMinor);
  const hasThreshold = delivery.freeFromMinor !== null && delivery.freeFromMinor > 0;
  return {
    code: delivery.code,
    company: delivery.company,
    // In major units, whatever the name says; left out where nothing is to pay.
    shipping_fee_cent: delivery.isFree ? undefined : fee,
    shipping_fee_currency: delivery.isFree ? undefined : currency,
    shipping_fee_format: delivery.isFree ? undefined : `${currency} ${fee}`,
    free_shipping: delivery.isFree || hasThreshold,
    mayHavePFS: hasThreshold,
    free_shipping_threshold: hasThreshold ? priceIn(currency, delivery.freeFromMinor ?? 0) : undefined,
    min_delivery_days: delivery.minDays,
    max_delivery_days: delivery.maxDays,
    guaranteed_delivery_days: String(delivery.maxDays + 6),
    delivery_date_desc: `${delivery.minDays} - ${delivery.maxDays} days`,
    tracking: true,
    ship_from_country: offer.shipsFrom,
    available_stock: String(offer.stock),
    ddpIncludeVATTax: true,
  };
}

/**
 * The answer to `queryDeliveryReq`, a JSON text of texts. Null when a field is missing, as with a wrong name:
 * the real one then answers with nothing. Throws AliExpressRefusal DELIVERY_NOT_AVAILABLE_TO_YOUR_ADDRESS
 * or DELIVERY_INFO_EMPTY.
 */
export function freightBody(request: unknown, shelf: Shelf): object | null {
  const inquiry = Inquiry.safeParse(request);
  if (!inquiry.success) return null;
  const { quantity, shipToCountry, productId, selectedSkuId } = inquiry.data;
  if (!isCountry(shipToCountry)) {
    const text = `no delivery to ${shipToCountry}`;
    throw new AliExpressRefusal('DELIVERY_NOT_AVAILABLE_TO_YOUR_ADDRESS', text);
  }
  const found = offerBy(productId, ({ skuId }) => skuId === selectedSkuId, shelf);
  const options = found === null ? [] : deliveriesFor({ ...found, quantity }, shipToCountry);
  if (found === null || options.length === 0 || found.offer.stock < quantity) {
    throw new AliExpressRefusal('DELIVERY_INFO_EMPTY', 'no delivery option for this item');
  }
  const currency = servedCurrency(inquiry.data.currency);
  const rows = options.map((option) => optionBody(option, found.offer, currency));
  return {
    result: { success: true, code: 200, delivery_options: new WireList('delivery_option_d_t_o', rows) },
  };
}
