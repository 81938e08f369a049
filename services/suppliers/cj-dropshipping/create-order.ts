import { type PlacedOrder, type PlaceRequest, SupplierError } from '../adapter.ts';
import { toCjAddress } from './address.ts';
import type { CjClient } from './client.ts';
import { CURRENCY } from './currency.ts';
import { countsAsPaid } from './order-status.ts';
import { amountMinorOf } from './orders.ts';
import { CreatedData } from './responses.ts';
import { isSdCode } from './sd-code.ts';

export interface CreateOptions {
  /** Marks every order as a test: CJ accepts it and ships nothing. */
  readonly isSandboxOrder: boolean;
  /** Whose IOSS number goods into the Union travel under. */
  readonly ioss: 'cj' | 'none';
}

const PAY_LATER = 3;
const SELLER_LOGISTICS = 2;
const MANUAL_ORDER = 1;
const NO_IOSS = { iossType: 1 };
const IOSS_OF_CJ = { iossType: 3, iossNumber: 'CJ-IOSS' };
const MAX_REFERENCE = 50;

/** Members of the Union: orders there that say nothing about IOSS are refused. */
const EU = new Set(
  'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' '),
);

function toBody(request: PlaceRequest, { isSandboxOrder, ioss }: CreateOptions): object {
  const iossFields = ioss === 'cj' ? IOSS_OF_CJ : NO_IOSS;
  return {
    orderNumber: request.callerRef,
    ...toCjAddress(request.recipient),
    ...(EU.has(request.recipient.countryCode) ? iossFields : {}),
    logisticName: request.shippingMethod,
    fromCountryCode: request.shipsFrom,
    payType: PAY_LATER,
    shopLogisticsType: SELLER_LOGISTICS,
    orderFlow: MANUAL_ORDER,
    // CJ obeys this spelling only; with any other one the order is real.
    ...(isSandboxOrder ? { isSandbox: 1 } : {}),
    products: request.lines.map(({ supplierVariantId, units, lineId }) => ({
      vid: supplierVariantId,
      quantity: units,
      storeLineItemId: lineId,
    })),
  };
}

/** Creates the order and leaves it unpaid. Throws SupplierError as SupplierAdapter.place says. */
export async function createOrder(
  client: CjClient,
  options: CreateOptions,
  request: PlaceRequest,
  signal: AbortSignal,
): Promise<PlacedOrder> {
  const path = '/shopping/order/createOrderV2';
  if (request.callerRef.length > MAX_REFERENCE) {
    throw new SupplierError('invalid_input', 'callerRef is too long', { field: 'callerRef', sent: false });
  }
  const created = await client.call(
    { method: 'POST', path, body: toBody(request, options), kind: 'write', priority: 'purchase' },
    CreatedData,
    signal,
  );
  if (created.orderId === null || !isSdCode(created.orderId)) {
    const evidence = { path, orderId: created.orderId };
    throw new SupplierError('unknown_outcome', `${path}: success without an order code`, evidence);
  }
  return {
    supplierReference: created.orderId,
    amountMinor: amountMinorOf(created),
    currency: CURRENCY,
    isPaid: countsAsPaid(created.orderStatus),
  };
}
