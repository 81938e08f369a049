import type { Send } from '../../send-once.ts';
import type { SupplierAdapter } from '../adapter.ts';
import type { ReportQuota, ReserveCall, TokenStore } from '../adapter-parts.ts';
import { createBatchCall } from './batch-call.ts';
import { checkRecipient } from './check-recipient.ts';
import { createCjClient } from './client.ts';
import { createOrder } from './create-order.ts';
import { quoteFreight } from './freight.ts';
import type { Ioss } from './ioss.ts';
import { lookUpOrders, readByCode, standingIn } from './look-up.ts';
import { createOpenId } from './open-id.ts';
import { cancelOrder, createBalance, payOrder, payTestOrder, preparePayment } from './payment.ts';
import { readSupplierProduct } from './product.ts';
import { readPush } from './push.ts';
import { registerPush } from './register-push.ts';
import { searchProducts } from './search.ts';
import { readStatus, STATUS_BATCH } from './status.ts';

export interface CjDropshippingOptions {
  /** An origin, which then gets CJ's usual path, or a full base URL. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Marks every order as a test: CJ accepts it, takes no money for it and ships nothing. */
  readonly isSandboxOrder?: boolean;
  /** Whose IOSS number goods into the European Union travel under; it covers goods up to 150 EUR. */
  readonly ioss: Ioss;
  readonly tokens: TokenStore;
  /** Awaited before every request, those for tokens included. */
  readonly reserve: ReserveCall;
  /** Told what the answers say about the limits of the account. */
  readonly report?: ReportQuota;
  readonly send?: Send;
  /** That the account is granted. */
  readonly requestsPerSecond: number;
}

/**
 * CJ Dropshipping's API 2.0. Orders are created unpaid and paid from the prepaid balance in US dollars; the
 * supplier reference is the SD code.
 */
export function createCjDropshipping(options: CjDropshippingOptions): SupplierAdapter {
  const client = createCjClient(options);
  const openId = createOpenId(client, options.tokens);
  const reader = { client, readBatch: createBatchCall(client, options.requestsPerSecond) };
  const { isSandboxOrder = false } = options;
  const balance = isSandboxOrder ? null : createBalance();
  const payByCall = isSandboxOrder ? payTestOrder : payOrder;
  const creation = { isSandboxOrder, ioss: options.ioss };
  return {
    name: 'cj_dropshipping',
    capabilities: {
      looksUpByReference: true,
      repeatableForMs: null,
      payment: 'by_call',
      statusBatchSize: STATUS_BATCH,
      cancelsBeforePayment: true,
      combinesLines: true,
      pushes: 'by_call',
      hasWarehouses: true,
    },
    quote: (request, signal) => quoteFreight(client, options.ioss, request, signal),
    place: (request, signal) => createOrder(client, creation, request, signal),
    lookUp: (callerRef, signal) => lookUpOrders(reader, callerRef, signal),
    standing: async (callerRefs, signal) => standingIn(await reader.readBatch(callerRefs, signal)),
    preparePayment: (key, signal) => preparePayment(client, balance, key, signal),
    pay: (sdCode, signal) => payByCall(client, sdCode, signal),
    status: (keys, signal) => readStatus(reader, keys, signal),
    cancel: (key, signal) => cancelOrder(reader, key, signal),
    checkRecipient,
    search: (request, signal) => searchProducts(client, request, signal),
    product: (request, signal) => readSupplierProduct(client, request, signal),
    read: (sdCode, signal) => readByCode(client, sdCode, signal),
    readPush: (message) => readPush(message, openId),
    registerPush: (url, signal) => registerPush(client, options.tokens, url, signal),
  };
}
