import type { PlacedOrder, PlaceRequest } from '../adapter.ts';
import { SupplierError } from '../supplier-error.ts';
import { toCjAddress } from './address.ts';
import type { CjClient } from './client.ts';
import { CURRENCY } from './currency.ts';
import { heldBack } from './held-back.ts';
import { type Ioss, iossFields } from './ioss.ts';
import { isPaidIn } from './order-status.ts';
import { amountMinorOf } from './orders.ts';
import { CreatedData } from './responses.ts';
import { isSdCode } from './sd-code.ts';

export interface CreateOptions {
  /** Marks every order as a test: CJ accepts it and ships nothing. */
  readonly isSandboxOrder: boolean;
  /** Whose IOSS number goods into the Union travel under: CJ's, nobody's, or this one. */
  readonly ioss: Ioss;
}

const PAY_LATER = 3;
const SELLER_LOGISTICS = 2;
const MANUAL_ORDER = 1;
const MAX_REFERENCE = 50;

function toBody(request: PlaceRequest, { isSandboxOrder, ioss }: CreateOptions): object {
  return {
    orderNumber: request.callerRef,
    ...toCjAddress(request.recipient),
    ...iossFields(ioss, request.recipient.countryCode),
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
    isPaid: isPaidIn(created.orderStatus),
    ...heldBack(created.interceptOrderReasons, request.recipient),
  };
}
