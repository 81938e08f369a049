import type { Evidence, FailureClass } from '../../../contracts/vocabulary.ts';
import type { PlacedOrder, PlaceRequest, QuoteRequest, Recipient } from '../adapter.ts';
import { SupplierError } from '../supplier-error.ts';
import { type AliExpressAddress, toAddress } from './address.ts';
import type { AliExpressClient } from './client.ts';
import { type Offer, readOffer } from './offer.ts';
import { readFound, toReference } from './orders.ts';
import { attributesOf, CURRENCY } from './products.ts';
import type { RecentOffers } from './recent-offers.ts';
import { CreatedBody } from './responses.ts';
import { readTradeExtra } from './trade-extra.ts';

export interface CreateOptions {
  /** Asks AliExpress to pay at once; it does so for app keys that it has cleared for that. */
  readonly autoPay: boolean;
}

const METHOD = 'aliexpress.ds.order.create';
const MAX_REFERENCE = 50;
const MEMO = 'Dropshipping: please put no invoice, price tag or advertisement into the parcel.';

/** Nothing was bought, whatever stopped us before the one call that buys. */
const refusal = (failureClass: FailureClass, problem: string, evidence: Evidence = {}): SupplierError =>
  new SupplierError(failureClass, `nothing ordered: ${problem}`, { problem, ...evidence, sent: false });

/** A question that failed has bought nothing either. */
function nothingSent(error: unknown): never {
  if (!(error instanceof SupplierError)) throw error;
  const { failureClass, message, evidence } = error;
  throw new SupplierError(failureClass, message, { ...evidence, sent: false }, error);
}

/** Price, stock and freight may have changed since the quote, and the call that follows may spend at once. */
function checkOffer(offer: Offer, { shippingMethod, ceilingMinor, currency }: PlaceRequest): void {
  if (currency !== offer.currency)
    throw refusal('invalid_input', `it is paid in ${offer.currency}`, { currency });
  const option = offer.options.find((each) => each.shippingMethod === shippingMethod);
  if (option === undefined)
    throw refusal('not_shippable', 'the shipping method is not offered now', {
      shippingMethod,
      quoteAgain: true,
    });
  const costMinor = offer.goodsMinor + option.costMinor;
  if (costMinor > ceilingMinor)
    throw refusal('price_changed', 'it costs more than allowed', { costMinor, ceilingMinor, currency });
}

/** AliExpress wants a number here. */
function productNumber(productId: string): number {
  const number = Number(productId);
  if (Number.isSafeInteger(number)) return number;
  throw refusal('invalid_input', 'the product id is too long', { productId });
}

const toOrder = (offer: Offer, request: PlaceRequest, address: AliExpressAddress): object => ({
  out_order_id: request.callerRef,
  logistics_address: address,
  product_items: offer.offered.map(({ article, sku }) => ({
    product_id: productNumber(article.supplierProductId),
    product_count: article.units,
    sku_attr: attributesOf(sku),
    logistics_service_name: request.shippingMethod,
    order_memo: MEMO,
  })),
});

function toExtension({ autoPay }: CreateOptions, recipient: Recipient): object {
  const { fields } = readTradeExtra(recipient);
  return {
    payment: { pay_currency: CURRENCY, try_to_pay: String(autoPay) },
    ...(Object.keys(fields).length === 0 ? {} : { trade_extra_param: fields }),
  };
}

/** What it costs and whether it is paid, as far as it is shown already: the order exists all the same. */
async function placedNow(
  client: AliExpressClient,
  supplierReference: string,
  signal: AbortSignal,
): Promise<PlacedOrder> {
  const found = await readFound(client, supplierReference, signal).catch((error: unknown) => {
    if (error instanceof SupplierError) return null;
    throw error;
  });
  const { amountMinor = null, currency = CURRENCY, isPaid = false } = found ?? {};
  return { supplierReference, amountMinor, currency, isPaid };
}

/** Looks at price, stock and freight that are not old yet. */
export interface KnownOffers {
  readonly quoted: RecentOffers;
  /** For this very purchase. */
  readonly ahead: RecentOffers;
}

const wantedBy = ({
  recipient: { countryCode, zip },
  shipsFrom,
  lines: articles,
}: PlaceRequest): QuoteRequest => ({
  destination: { countryCode, zip },
  shipsFrom,
  articles,
});

/** As SupplierAdapter.beforePlace says: the look that `createOrder` takes first. Throws SupplierError. */
export async function readBefore(
  client: AliExpressClient,
  { quoted, ahead }: KnownOffers,
  { autoPay }: CreateOptions,
  request: PlaceRequest,
  signal: AbortSignal,
): Promise<void> {
  const wanted = wantedBy(request);
  if (!autoPay && quoted.has(wanted)) return;
  ahead.keep(wanted, await readOffer(client, wanted, 'purchase', signal));
}

/**
 * Creates the order after a look at price, stock and freight: one for this purchase where the call may spend, else that of
 * the quote will do while it is young, since what is due is compared before anybody pays. It stays unpaid unless `autoPay`
 * is on and AliExpress plays along; that it could not be paid is no failure. Throws SupplierError as
 * SupplierAdapter.place says.
 */
export async function createOrder(
  client: AliExpressClient,
  { quoted, ahead }: KnownOffers,
  options: CreateOptions,
  request: PlaceRequest,
  signal: AbortSignal,
): Promise<PlacedOrder> {
  if (request.callerRef.length > MAX_REFERENCE)
    throw refusal('invalid_input', 'our reference is too long', { field: 'callerRef' });
  const address = toAddress(request.recipient);
  const wanted = wantedBy(request);
  const offer =
    ahead.take(wanted) ??
    (options.autoPay ? undefined : quoted.take(wanted)) ??
    (await readOffer(client, wanted, 'purchase', signal).catch(nothingSent));
  checkOffer(offer, request);
  const parameters = {
    param_place_order_request4_open_api_d_t_o: JSON.stringify(toOrder(offer, request, address)),
    ds_extend_request: JSON.stringify(toExtension(options, request.recipient)),
  };
  const created = await client.call(
    { method: METHOD, parameters, kind: 'write', priority: 'purchase' },
    CreatedBody,
    signal,
  );
  const { order_list: orderIds, error_msg: message } = created.result;
  if (orderIds.length === 0) {
    const evidence = { method: METHOD, orders: 0, hasMessage: message !== null };
    throw new SupplierError('unknown_outcome', `${METHOD}: success without an order id`, evidence);
  }
  return placedNow(client, toReference(orderIds), signal);
}
