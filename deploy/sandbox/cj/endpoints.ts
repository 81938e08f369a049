import { z } from 'zod';
import type { LiveSettings } from '../settings.ts';
import { type CjAccount, OPEN_ID } from './account.ts';
import { createCart } from './cart.ts';
import { CJ, CjRefusal, usd } from './envelope.ts';
import type { CjArticle, CjGoods } from './goods.ts';
import { type CjOrder, detailBody, statusOf, trackingBody } from './order.ts';
import type { CjOrders } from './orders.ts';
import {
  inventoryBody,
  listBody,
  productBody,
  searchBody,
  skuStockBody,
  stockBody,
  variantBody,
  variantsBody,
} from './products.ts';
import type { CjPushes } from './pushes.ts';
import { quote } from './quote.ts';
import { renameParcel, stepTo, UNSHIPPED } from './trials.ts';

const MAX_BATCH = 100;

interface Call {
  readonly query: URLSearchParams;
  readonly body: unknown;
}

/** One call of the supplier's API: `answer` gives the envelope's data or throws CjRefusal. */
export interface Endpoint {
  /** The name for faults and for the ledger's counts. */
  readonly operation: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Needs no token. */
  readonly isOpen: boolean;
  answer(call: Call): unknown;
}

const required = (call: Call, name: string): string => {
  const value = call.query.get(name);
  if (!value) throw new CjRefusal(CJ.parameterEmpty, `Param error: ${name} must not be empty`);
  return value;
};

/** One field of a JSON body. Throws CjRefusal 1600300. */
function field<T>(call: Call, name: string, schema: z.ZodType<T>): T {
  const parsed = z.object({ [name]: z.unknown() }).safeParse(call.body);
  const value = schema.safeParse(parsed.success ? parsed.data[name] : undefined);
  if (!value.success) throw new CjRefusal(CJ.parameterError, `Param error: ${name}`);
  return value.data;
}

const Text = z.string().min(1);
const Reference = z.union([Text, z.int().transform(String)]);

interface Parts {
  readonly account: CjAccount;
  readonly goods: CjGoods;
  readonly orders: CjOrders;
  readonly pushes: CjPushes;
  readonly settings: LiveSettings;
}

/** What the detail calls find under an id of a kind that they take just now. */
function findDetails({ orders, settings }: Parts, reference: string): CjOrder[] {
  const { detailKeys } = settings.current();
  const found = orders.find(reference);
  if (detailKeys === 'any') return found;
  return found.filter(
    ({ orderNumber, sdCode }) => reference === (detailKeys === 'merchant' ? orderNumber : sdCode),
  );
}

function detail(parts: Parts, reference: string): object {
  // With two orders under one number the older one answers; the batch and the list show both.
  const [order] = findDetails(parts, reference);
  if (order === undefined) throw new CjRefusal(CJ.parameterError, 'Param error: order not found');
  return detailBody(order, Date.now());
}

function list(orders: CjOrders, { query }: Call): object {
  const [pageNum, pageSize] = [query.get('pageNum') ?? 1, query.get('pageSize') ?? 20].map(Number);
  if (!pageNum || !pageSize || pageNum < 1 || pageSize < 1)
    throw new CjRefusal(CJ.parameterError, 'Param error: page');
  const now = Date.now();
  // Documented default of the status filter, and the reason why callers must always name one.
  const status = query.get('status') ?? 'CANCELLED';
  const numbers = query.getAll('orderNumbers').flatMap((value) => value.split(','));
  const rows = orders
    .visible()
    .filter((order) => numbers.length === 0 || numbers.includes(order.orderNumber))
    .filter((order) => (numbers.length > 0 && !query.has('status')) || statusOf(order, now) === status);
  const page = rows.slice((pageNum - 1) * pageSize, pageNum * pageSize);
  return { pageNum, pageSize, total: rows.length, list: page.map((order) => detailBody(order, now)) };
}

type On = (method: Endpoint['method'], path: string, operation: string, answer: Endpoint['answer']) => void;

function addAccount(on: On, { account, pushes, settings }: Parts): void {
  on('POST', '/authentication/getAccessToken', 'getAccessToken', (call) =>
    account.login(field(call, 'apiKey', Text)),
  );
  on('POST', '/authentication/refreshAccessToken', 'refreshAccessToken', (call) =>
    account.refresh(field(call, 'refreshToken', Text)),
  );
  on('GET', '/setting/get', 'setting', () => ({
    openId: OPEN_ID,
    openName: 'Sandbox',
    openEmail: 'sandbox@shop.example',
    setting: {
      quotaLimits: [{ quotaUrl: '/**', quotaLimit: 50_000, quotaType: 3 }],
      qpsLimit: settings.current().cjRequestsPerSecond,
    },
    callback: pushes.config(),
    root: 'GENERAL',
    isSandbox: false,
  }));
  on('POST', '/webhook/set', 'webhookSet', async ({ body }) => {
    await pushes.set(body);
    return true;
  });
}

function onSale(article: CjArticle): CjArticle {
  if (!article.isOnSale) throw new CjRefusal(CJ.variantOffShelf, 'Variant has been removed from shelves');
  return article;
}

function addGoods(on: On, { goods, orders }: Parts): void {
  on('GET', '/product/listV2', 'search', ({ query }) => searchBody(goods, query));
  on('GET', '/product/list', 'productList', ({ query }) => listBody(goods, query));
  on('GET', '/product/query', 'product', ({ query }) => productBody(goods, query));
  on('GET', '/product/variant/query', 'variants', ({ query }) => variantsBody(goods, query));
  on('GET', '/product/variant/queryByVid', 'variant', (call) =>
    variantBody(onSale(goods.byId(required(call, 'vid')))),
  );
  on('GET', '/product/stock/queryByVid', 'stock', (call) => stockBody(goods.byId(required(call, 'vid'))));
  on('GET', '/product/stock/queryBySku', 'stockBySku', (call) =>
    skuStockBody(goods.bySku(required(call, 'sku'))),
  );
  on('GET', '/product/stock/getInventoryByPid', 'inventory', ({ query }) => inventoryBody(goods, query));
  on('POST', '/logistic/freightCalculate', 'freightCalculate', ({ body }) => quote(goods, body));
  on('GET', '/logistic/trackInfo', 'trackInfo', ({ query }) =>
    query.getAll('trackNumber').flatMap((number) => {
      const order = orders.byTracking(number);
      return order === undefined ? [] : [trackingBody(order, Date.now())];
    }),
  );
}

function addOrders(on: On, parts: Parts): void {
  const { account, orders } = parts;
  on('POST', '/shopping/order/createOrderV2', 'createOrderV2', ({ body }) => orders.create(body));
  on('PATCH', '/shopping/order/confirmOrder', 'confirmOrder', (call) => {
    const sdCode = field(call, 'orderId', Text);
    orders.confirm(sdCode);
    return sdCode;
  });
  on('DELETE', '/shopping/order/deleteOrder', 'deleteOrder', (call) => {
    const sdCode = required(call, 'orderId');
    orders.remove(sdCode);
    return sdCode;
  });
  on('POST', '/shopping/pay/payBalance', 'payBalance', (call) => {
    orders.pay(field(call, 'orderId', Text));
    return null;
  });
  on('GET', '/shopping/pay/getBalance', 'getBalance', () => ({
    amount: usd(account.balanceMinor()),
    noWithdrawalAmount: 0,
    freezeAmount: 0,
  }));
  on('GET', '/shopping/order/getOrderDetail', 'getOrderDetail', (call) =>
    detail(parts, required(call, 'orderId')),
  );
  on('POST', '/shopping/order/getOrderDetailBatch', 'getOrderDetailBatch', (call) => {
    const ids = field(call, 'orderIds', z.array(Reference).min(1).max(MAX_BATCH));
    const found = new Set(ids.flatMap((id) => findDetails(parts, id)));
    return [...found].map((order) => detailBody(order, Date.now()));
  });
  on('GET', '/shopping/order/list', 'orderList', (call) => list(orders, call));
}

const Codes = z.array(Text).min(1).max(MAX_BATCH);

function addCart(on: On, { orders }: Parts): void {
  const cart = createCart(orders);
  on('POST', '/shopping/order/addCart', 'addCart', (call) => cart.add(field(call, 'cjOrderIdList', Codes)));
  on('POST', '/shopping/order/addCartConfirm', 'addCartConfirm', (call) =>
    cart.confirm(field(call, 'cjOrderIdList', Codes)),
  );
  on('POST', '/shopping/order/saveGenerateParentOrder', 'saveGenerateParentOrder', (call) =>
    cart.parentOrder(field(call, 'shipmentOrderId', Text)),
  );
  on('POST', '/shopping/pay/payBalanceV2', 'payBalanceV2', (call) => {
    cart.pay(field(call, 'shipmentOrderId', Text), field(call, 'payId', Text));
    return true;
  });
}

function addTrials(on: On, { orders }: Parts): void {
  on('POST', '/shopping/sandbox/simulatePay', 'simulatePay', (call) => {
    stepTo(orders, field(call, 'orderId', Text), UNSHIPPED);
    return true;
  });
  on('POST', '/shopping/sandbox/updateStatus', 'updateStatus', (call) => {
    stepTo(orders, field(call, 'orderId', Text), field(call, 'targetStatus', z.int()));
    return true;
  });
  on('POST', '/shopping/sandbox/updateTrackNumber', 'updateTrackNumber', (call) => {
    renameParcel(orders, field(call, 'orderId', Text), field(call, 'trackNumber', Text.max(64)));
    return true;
  });
}

/** Every call that this supplier plays, by its path below the base URL. */
export function createEndpoints(parts: Parts): ReadonlyMap<string, Endpoint> {
  const endpoints = new Map<string, Endpoint>();
  const on: On = (method, path, operation, answer) => {
    const isOpen = path.startsWith('/authentication/');
    endpoints.set(path, { method, operation: `cj.${operation}`, answer, isOpen });
  };
  addAccount(on, parts);
  addGoods(on, parts);
  addOrders(on, parts);
  addCart(on, parts);
  addTrials(on, parts);
  return endpoints;
}
