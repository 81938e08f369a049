import { Agent, request } from 'node:http';
import { createTransport } from 'nodemailer';
import { z } from 'zod';
import { signatureOf } from '../../deploy/sandbox/aliexpress/sign.ts';
import { ORDER } from '../../services/shopify/order-operations.ts';
import {
  CREATE_FULFILLMENT,
  CREATE_FULFILLMENT_EVENT,
  FULFILLMENT_EVENTS,
  SHIPMENTS,
} from '../../services/shopify/shipment-operations.ts';
import { FULFILLMENT_ORDERS, FulfillmentOrdersAnswer } from '../../services/shopify/work-operations.ts';
import { inLanes } from './in-lanes.ts';
import { KEYS } from './road-world.ts';

/** Where the calls go, and what one order of the bench consists of at the suppliers. */
export interface FloorWorld {
  readonly origin: string;
  readonly smtpPort: number;
  readonly cj: { readonly pid: string; readonly vid: string };
  readonly aliexpress: { readonly productId: string; readonly skuId: string; readonly skuAttr: string };
  /** Bytes of an average mail of the run. */
  readonly mailBytes: number;
}

/** What is known of one order while its calls are made. */
interface Order {
  readonly number: number;
  readonly shopId: string;
  work: z.infer<typeof FulfillmentOrdersAnswer>['order'];
  fulfillmentIds: string[];
  cjId: string;
  aliexpressId: string;
  /** How often each kind was called for it. */
  readonly made: Map<string, number>;
}

/** A kind of call as the sandbox counts it, in the order in which an order needs them. */
type Kinds = Readonly<Record<string, (order: Order) => Promise<unknown>>>;

const CjId = z.object({ data: z.object({ orderId: z.string() }) });
const AliExpressId = z.object({
  aliexpress_ds_order_create_response: z.object({
    result: z.object({ order_list: z.object({ number: z.array(z.union([z.number(), z.string()])) }) }),
  }),
});
const Graph = z.object({ data: z.unknown() });
const FulfillmentId = z.object({
  fulfillmentCreate: z.object({ fulfillment: z.object({ id: z.string() }) }),
});
const BATCH = 50;

function createKinds(world: FloorWorld, lanes: number, cjToken: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: lanes });
  const { hostname: host, port } = new URL(world.origin);
  const send = (
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body = '',
  ): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const length = { 'content-length': Buffer.byteLength(body) };
      const sent = request(
        { host, port, method, path, agent, headers: { ...headers, ...length } },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.once('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            if (answer.statusCode === 200) resolve(JSON.parse(text));
            else reject(new Error(`${path}: HTTP ${answer.statusCode} ${text}`));
          });
        },
      );
      sent.once('error', reject);
      sent.end(body);
    });

  const cjHeaders = { 'content-type': 'application/json', 'CJ-Access-Token': cjToken };
  const cj = (method: string, path: string, body?: object): Promise<unknown> =>
    send(method, `/api2.0/v1${path}`, cjHeaders, body === undefined ? '' : JSON.stringify(body));
  const ali = (method: string, parameters: Readonly<Record<string, string>>): Promise<unknown> => {
    const all = {
      ...parameters,
      app_key: KEYS.aliexpressApp,
      sign_method: 'sha256',
      timestamp: String(Date.now()),
      method,
      format: 'json',
      v: '2.0',
      session: KEYS.aliexpressToken,
    };
    const sign = signatureOf(all, { secret: KEYS.aliexpressSecret, path: '' });
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    return send('POST', '/sync', form, new URLSearchParams({ ...all, sign }).toString());
  };
  const graphHeaders = { 'content-type': 'application/json', 'X-Shopify-Access-Token': KEYS.shopToken };
  const graph = async (query: string, variables: object): Promise<unknown> => {
    const body = JSON.stringify({ query, variables });
    return Graph.parse(await send('POST', '/admin/api/2026-10/graphql.json', graphHeaders, body)).data;
  };
  const mails = createTransport({ host: '127.0.0.1', port: world.smtpPort, pool: true, maxConnections: 5 });
  const text = 'x'
    .repeat(72)
    .concat('\n')
    .repeat(Math.max(1, Math.floor(world.mailBytes / 73)));

  const orderGid = ({ shopId }: Order): string => `gid://shopify/Order/${shopId}`;
  const turnOf = ({ made }: Order, kind: string): number => (made.get(kind) ?? 1) - 1;
  /** The codes that a batch asks for: this order's and the latest before it. */
  const latest: string[] = [];
  const { pid, vid } = world.cj;
  const { productId, skuId, skuAttr } = world.aliexpress;
  const cjProducts = [{ vid, quantity: 1 }];
  const address = {
    countryCode: 'US',
    province: 'Oregon',
    city: 'Testville',
    zip: '97201',
    phone: '5035550100',
  };

  const kinds: Kinds = {
    'shopify.order': async (order) => {
      const turn = turnOf(order, 'shopify.order');
      if (turn === 0) return graph(ORDER, { orderId: orderGid(order), after: null });
      if (turn > 1 && turn % 2 === 0) return graph(SHIPMENTS, { orderId: orderGid(order) });
      const answer = await graph(FULFILLMENT_ORDERS, { orderId: orderGid(order), after: null });
      order.work ??= FulfillmentOrdersAnswer.parse(answer).order;
      return answer;
    },
    'cj.freightCalculate': () =>
      cj('POST', '/logistic/freightCalculate', {
        startCountryCode: 'CN',
        endCountryCode: 'US',
        zip: address.zip,
        products: cjProducts,
      }),
    'cj.product': () => cj('GET', `/product/query?pid=${pid}`),
    'cj.inventory': () => cj('GET', `/product/stock/getInventoryByPid?pid=${pid}`),
    'aliexpress.product': () =>
      ali('aliexpress.ds.product.get', {
        product_id: productId,
        ship_to_country: 'US',
        target_currency: 'USD',
        target_language: 'en',
      }),
    'aliexpress.freight': () =>
      ali('aliexpress.ds.freight.query', {
        queryDeliveryReq: JSON.stringify({
          quantity: '1',
          shipToCountry: 'US',
          productId,
          selectedSkuId: skuId,
          language: 'en_US',
          locale: 'en_US',
          currency: 'USD',
        }),
      }),
    'cj.createOrderV2': async (order) => {
      const answer = await cj('POST', '/shopping/order/createOrderV2', {
        orderNumber: `floor-${order.number}`,
        shippingCountryCode: address.countryCode,
        shippingCountry: 'United States',
        shippingProvince: address.province,
        shippingCity: address.city,
        shippingCustomerName: 'Robin Probe',
        shippingAddress: '12 Test Lane',
        shippingZip: address.zip,
        shippingPhone: address.phone,
        logisticName: 'CJPacket Ordinary',
        fromCountryCode: 'CN',
        payType: 3,
        shopLogisticsType: 2,
        orderFlow: 1,
        products: cjProducts,
      });
      order.cjId = CjId.parse(answer).data.orderId;
      latest.push(order.cjId);
    },
    'cj.getOrderDetail': ({ cjId }) => cj('GET', `/shopping/order/getOrderDetail?orderId=${cjId}`),
    'cj.confirmOrder': ({ cjId }) => cj('PATCH', '/shopping/order/confirmOrder', { orderId: cjId }),
    'cj.getBalance': () => cj('GET', '/shopping/pay/getBalance'),
    'cj.payBalance': ({ cjId }) => cj('POST', '/shopping/pay/payBalance', { orderId: cjId }),
    'aliexpress.createOrder': async (order) => {
      const answer = await ali('aliexpress.ds.order.create', {
        param_place_order_request4_open_api_d_t_o: JSON.stringify({
          out_order_id: `floor-${order.number}`,
          logistics_address: {
            address: '12 Test Lane',
            city: address.city,
            province: address.province,
            country: 'US',
            zip: address.zip,
            contact_person: 'Robin Probe',
            full_name: 'Robin Probe',
            mobile_no: address.phone,
            phone_country: '+1',
          },
          product_items: [
            {
              product_id: Number(productId),
              product_count: 1,
              sku_attr: skuAttr,
              logistics_service_name: 'CAINIAO_STANDARD',
            },
          ],
        }),
        ds_extend_request: JSON.stringify({ payment: { pay_currency: 'USD', try_to_pay: 'true' } }),
      });
      const [id] = AliExpressId.parse(answer).aliexpress_ds_order_create_response.result.order_list.number;
      order.aliexpressId = String(id);
    },
    'aliexpress.getOrder': ({ aliexpressId }) =>
      ali('aliexpress.trade.ds.order.get', {
        single_order_query: JSON.stringify({ order_id: aliexpressId }),
      }),
    'cj.getOrderDetailBatch': () =>
      cj('POST', '/shopping/order/getOrderDetailBatch', { orderIds: latest.splice(-BATCH) }),
    'cj.trackInfo': () => cj('GET', '/logistic/trackInfo?trackNumber=none'),
    'aliexpress.tracking': ({ aliexpressId }) =>
      ali('aliexpress.ds.order.tracking.get', { ae_order_id: aliexpressId, language: 'en_US' }),
    'shopify.fulfillmentCreate': async (order) => {
      const [work] = order.work?.fulfillmentOrders.nodes ?? [];
      const line = work?.lineItems.nodes[turnOf(order, 'shopify.fulfillmentCreate')];
      if (work === undefined || line === undefined) throw new Error('the shop shows nothing to fulfil');
      const fulfillment = {
        notifyCustomer: false,
        trackingInfo: { company: 'CJPacket', numbers: [`FLOOR${order.number}${line.id.slice(-4)}`] },
        lineItemsByFulfillmentOrder: [
          { fulfillmentOrderId: work.id, fulfillmentOrderLineItems: [{ id: line.id, quantity: 1 }] },
        ],
      };
      const answer = FulfillmentId.parse(await graph(CREATE_FULFILLMENT, { fulfillment }));
      order.fulfillmentIds.push(answer.fulfillmentCreate.fulfillment.id);
    },
    'shopify.fulfillment': (order) => {
      const fulfillmentId = order.fulfillmentIds[turnOf(order, 'shopify.fulfillment') % 2];
      return graph(FULFILLMENT_EVENTS, { fulfillmentId });
    },
    'shopify.fulfillmentEventCreate': (order) => {
      const fulfillmentId = order.fulfillmentIds[turnOf(order, 'shopify.fulfillmentEventCreate') % 2];
      const event = { fulfillmentId, status: 'DELIVERED', happenedAt: new Date().toISOString() };
      return graph(CREATE_FULFILLMENT_EVENT, { event });
    },
    'smtp.data': ({ number }) =>
      mails.sendMail({ from: 'a@bench.example', to: `robin.${number}@probe.example`, subject: 'News', text }),
  };
  const close = (): void => {
    agent.destroy();
    mails.close();
  };
  return { kinds, close };
}

/**
 * Makes the calls of a run once more, without remembering anything: so many of each kind for each order, one after
 * another, several orders at once.
 * @param perOrder calls of each kind, as the sandbox counted them. @param shopIds of orders that the shop has.
 * @returns orders per second. @throws Error for a kind that is not known here, or a call that was refused.
 */
export async function runFloor(
  world: FloorWorld,
  perOrder: ReadonlyMap<string, number>,
  shopIds: readonly string[],
  lanes: number,
  firstNumber: number,
): Promise<number> {
  const login = await fetch(`${world.origin}/api2.0/v1/authentication/getAccessToken`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ apiKey: KEYS.cj }),
  });
  const { data } = z.object({ data: z.object({ accessToken: z.string() }) }).parse(await login.json());
  const { kinds, close } = createKinds(world, lanes, data.accessToken);
  const unknown = [...perOrder.keys()].filter((kind) => kinds[kind] === undefined);
  if (unknown.length > 0) throw new Error(`the floor cannot make calls of ${unknown.join(', ')}`);
  const orders = shopIds.map((shopId, index) => ({
    index,
    order: {
      number: firstNumber + index,
      shopId,
      work: null,
      fulfillmentIds: [],
      cjId: '',
      aliexpressId: '',
      made: new Map<string, number>(),
    },
  }));
  const startedAt = performance.now();
  await inLanes(orders, lanes, async ({ index, order }) => {
    for (const [kind, call] of Object.entries(kinds)) {
      const share = perOrder.get(kind) ?? 0;
      // Shares of a call fall to one order in so many.
      const times = Math.floor((index + 1) * share + 1e-9) - Math.floor(index * share + 1e-9);
      for (let time = 0; time < times; time += 1) {
        order.made.set(kind, (order.made.get(kind) ?? 0) + 1);
        await call(order);
      }
    }
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  close();
  return shopIds.length / seconds;
}
