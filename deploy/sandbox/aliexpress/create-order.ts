import { z } from 'zod';
import { parseExactJson } from '../exact-json.ts';
import type { Shelf } from '../shelf.ts';
import { Address, checkAddress, TradeExtra } from './address.ts';
import { type Delivery, deliveriesFor } from './delivery.ts';
import { type AliExpressProduct, productById } from './goods.ts';
import { AliExpressRefusal } from './refusal.ts';
import { type Offer, offerBy } from './stock.ts';

const Id = z.union([z.string(), z.number()]).transform(String);

const Wanted = z.object({
  out_order_id: z.string().min(1).optional(),
  logistics_address: Address,
  product_items: z
    .array(
      z.object({
        product_id: Id,
        product_count: z.coerce.number().int().positive(),
        sku_attr: z.string().nullish(),
        logistics_service_name: z.string().nullish(),
        order_memo: z.string().nullish(),
      }),
    )
    .min(1),
});

const Extension = z.object({
  payment: z
    .object({ pay_currency: z.string().optional(), try_to_pay: z.enum(['true', 'false']).optional() })
    .optional(),
  promotion: z.object({ promotion_code: z.string().optional() }).optional(),
  trade_extra_param: TradeExtra.optional(),
});

/** A line that can be delivered, with everything that its price depends on. */
export interface CheckedLine {
  readonly product: AliExpressProduct;
  readonly offer: Offer;
  readonly quantity: number;
  readonly delivery: Delivery;
  readonly memo: string | null;
}

export interface CheckedOrder {
  readonly address: Address;
  readonly lines: readonly CheckedLine[];
}

export interface OrderRequest {
  readonly outOrderId: string | null;
  readonly triesToPay: boolean;
  /** Every check that comes after the one for repeats. Throws AliExpressRefusal with a code of the order's own. */
  check(shelf: Shelf): CheckedOrder;
}

function parsed<T>(text: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(parseExactJson(text));
  } catch (error) {
    if (error instanceof z.ZodError) throw new AliExpressRefusal('PARM_ILLEGL', z.prettifyError(error));
    if (error instanceof SyntaxError) throw new AliExpressRefusal('PARM_ILLEGL', 'not valid JSON');
    throw error;
  }
}

function checkLine(
  line: z.infer<typeof Wanted>['product_items'][number],
  country: string,
  shelf: Shelf,
): CheckedLine {
  const { product_id, product_count: quantity } = line;
  if (productById(product_id) === undefined)
    throw new AliExpressRefusal('A001_ORDER_CANNOT_BE_PLACED', `item ${product_id} is not for sale`);
  const found = offerBy(product_id, ({ skuAttr }) => skuAttr === (line.sku_attr ?? ''), shelf);
  if (found === null) throw new AliExpressRefusal('SKU_NOT_EXIST', `no SKU ${line.sku_attr}`);
  if (!found.offer.isOnSale)
    throw new AliExpressRefusal('A001_ORDER_CANNOT_BE_PLACED', `item ${product_id} is not for sale`);
  if (found.offer.stock < quantity)
    throw new AliExpressRefusal('INVENTORY_HOLD_ERROR', 'the stock could not be held');
  const delivery = deliveriesFor({ ...found, quantity }, country).find(
    ({ code }) => !line.logistics_service_name || code === line.logistics_service_name,
  );
  if (delivery === undefined)
    throw new AliExpressRefusal(
      'DELIVERY_METHOD_NOT_EXIST',
      `no ${line.logistics_service_name} for this item`,
    );
  return { ...found, quantity, delivery, memo: line.order_memo ?? null };
}

/** Reads the two JSON texts of a purchase. Throws AliExpressRefusal PARM_ILLEGL. */
export function readOrderRequest(parameters: Readonly<Record<string, string>>): OrderRequest {
  const wanted = parsed(parameters.param_place_order_request4_open_api_d_t_o ?? '', Wanted);
  const {
    payment,
    promotion,
    trade_extra_param: extra = {},
  } = parsed(parameters.ds_extend_request ?? '{}', Extension);
  const address = wanted.logistics_address;
  return {
    outOrderId: wanted.out_order_id ?? null,
    triesToPay: payment?.try_to_pay === 'true',
    check(shelf) {
      if ((payment?.pay_currency ?? 'USD') !== 'USD')
        throw new AliExpressRefusal('PRICE_PAY_CURRENCY_ERROR', `cannot be paid in ${payment?.pay_currency}`);
      if (promotion?.promotion_code)
        throw new AliExpressRefusal('A004_CANNOT_USER_COUPON', 'the promotion does not hold');
      checkAddress(address, extra);
      const country = address.country ?? '';
      return { address, lines: wanted.product_items.map((line) => checkLine(line, country, shelf)) };
    },
  };
}
