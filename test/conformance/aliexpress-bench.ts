import { ALIEXPRESS_PRODUCTS } from '../../deploy/sandbox/aliexpress/goods.ts';
import { pushSignatureOf } from '../../deploy/sandbox/aliexpress/sign.ts';
import type { Article } from '../../services/suppliers/adapter.ts';
import { codeIn, connect, consentUrl } from '../../services/suppliers/aliexpress/consent.ts';
import { CREDENTIALS } from '../sandbox/world.ts';
import type { Bench, BenchSetup } from './bench.ts';
import { aSandboxBench, NOBODY } from './sandbox-bench.ts';

const APP = { appKey: CREDENTIALS.aliexpressAppKey, appSecret: CREDENTIALS.aliexpressAppSecret };

/** Of one seller. */
const article = (index: number, units: number): Article => {
  const { productId = '', skus = [] } = ALIEXPRESS_PRODUCTS[index] ?? {};
  return { supplierProductId: productId, supplierVariantId: skus[0]?.skuId ?? '', units };
};

const OPERATIONS = { quote: 'aliexpress.freight', place: 'aliexpress.createOrder', pay: 'aliexpress.none' };
const PUSHES = { once: 'once', doubled: 'twice', swapped: 'swapped' } as const;

async function start(paysItself: boolean): Promise<Bench> {
  const { world, turn, change, spoil, book, paces, send } = await aSandboxBench(OPERATIONS);
  const switches = (aliexpress: object): Promise<void> => turn({ aliexpress });
  return {
    environment: {
      ALIEXPRESS_API_KEY: APP.appKey,
      ALIEXPRESS_SECRET: APP.appSecret,
      ALIEXPRESS_BASE_URL: world.origin,
      ALIEXPRESS_AUTO_PAY: String(paysItself),
      // The sandbox says what is too fast, not a distance that the adapter keeps.
      ALIEXPRESS_REQUESTS_PER_SECOND: '1000',
    },
    articles: [article(1, 2), article(0, 1)],
    shipsFrom: 'CN',
    shippingMethod: 'CAINIAO_STANDARD',
    recipient: NOBODY,
    searchWords: 'mug',
    unknownProductId: '1005009999999999',
    async connect({ tokens, reserve, report }) {
      const page = consentUrl(
        { baseUrl: world.origin, appKey: APP.appKey },
        'https://shop.example/back',
        's1',
      );
      const { headers } = await fetch(page, { redirect: 'manual' });
      const account = { baseUrl: world.origin, ...APP, tokens, reserve, report };
      const code = codeIn(headers.get('location') ?? '', 's1');
      await connect(account, code, AbortSignal.timeout(10_000));
    },
    book,
    spoil,
    change,
    setPace: (pace) => turn({ timing: paces[pace] }),
    payByHand: ({ supplierReference }) => send('POST', `/aliexpress/orders/${supplierReference}/pay`),
    showOddStatus: ({ supplierReference }) =>
      send('PUT', `/aliexpress/orders/${supplierReference}/status`, { status: 'IN_LIMBO' }),
    splitParcels: () => switches({ parcels: 2 }),
    hideNewOrders: (hide) => turn({ lookupBlindMs: hide ? 600_000 : 0 }),
    repetitions: {
      'refuses it': () => switches({ repeatedOrder: 'refused' }),
      'answers with the first order': () => switches({ repeatedOrder: 'first' }),
    },
    expireToken: () => send('POST', '/aliexpress/tokens/expire'),
    // Banned for whoever asks twice within the second.
    async endQuota() {
      await switches({ requestsPerSecond: 1, banSeconds: 60 });
      await Promise.all([1, 2, 3].map(() => fetch(`${world.origin}/sync?method=aliexpress.ds.product.get`)));
    },
    emptyBalance: () => Promise.reject(new Error('AliExpress has no prepaid account')),
    async sendPushes(url, manner) {
      await switches({ pushes: PUSHES[manner] });
      await send('PUT', '/aliexpress/push', { url });
    },
    signedByAnother: ({ headers, body }) => ({
      headers: {
        ...headers,
        authorization: pushSignatureOf({ ...APP, appSecret: 'somebodyElses' }, Buffer.from(body).toString()),
      },
      body,
    }),
    probe: { headers: {}, body: Buffer.from('{"message_type":0,"data":{}}') },
  };
}

export const ALIEXPRESS_BENCHES: readonly BenchSetup[] = [
  { supplier: 'aliexpress', name: 'AliExpress, paid by hand', start: () => start(false) },
  { supplier: 'aliexpress', name: 'AliExpress, paying itself', start: () => start(true) },
];
