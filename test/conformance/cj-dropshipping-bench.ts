import { createHmac } from 'node:crypto';
import { CATALOGUE } from '../../deploy/sandbox/catalogue.ts';
import type { Article } from '../../services/suppliers/adapter.ts';
import { CREDENTIALS } from '../sandbox/world.ts';
import type { Bench, BenchSetup } from './bench.ts';
import { aSandboxBench, NOBODY } from './sandbox-bench.ts';

const article = (index: number, units: number): Article => {
  const { supplierProductId = '', supplierVariantId = '' } = CATALOGUE[index] ?? {};
  return { supplierProductId, supplierVariantId, units };
};

const OPERATIONS = { quote: 'cj.freightCalculate', place: 'cj.createOrderV2', pay: 'cj.payBalance' };

async function start(): Promise<Bench> {
  const { world, turn, change, spoil, book, paces, send } = await aSandboxBench(OPERATIONS);
  return {
    environment: {
      CJ_DROPSHIPPING_API_KEY: CREDENTIALS.cjApiKey,
      CJ_DROPSHIPPING_BASE_URL: world.cjBaseUrl,
    },
    articles: [article(0, 1), article(1, 2)],
    shipsFrom: 'CN',
    shippingMethod: 'CJPacket Ordinary',
    recipient: NOBODY,
    searchWords: 'moon lamp',
    unknownProductId: '2601010000000099999',
    async connect() {},
    book,
    spoil,
    change,
    setPace: (pace) => turn({ timing: paces[pace] }),
    payByHand: () => Promise.reject(new Error('CJ is paid by call')),
    showOddStatus: ({ callerRef }) => send('PUT', `/cj/orders/${callerRef}/status`, { status: 'IN_LIMBO' }),
    splitParcels: () => turn({ split: 'hidden' }),
    hideNewOrders: (hide) => turn({ lookupBlindMs: hide ? 600_000 : 0 }),
    repetitions: { 'refuses it': () => turn({ dupMode: 'A' }) },
    // Tokens of no life: the one in use is refused from now on, the next one lives.
    expireToken: () => send('POST', '/cj/tokens/expire'),
    endQuota: () => turn({ cjPointsPerDay: 1 }),
    emptyBalance: () => turn({ balance: 1 }),
    sendPushes: (_url, manner) =>
      turn({
        cjPushUrls: 'any',
        cjPushRetryMs: 50,
        cjPushDoubled: manner === 'doubled',
        cjPushOutOfOrder: manner === 'swapped',
      }),
    signedByAnother: ({ headers, body }) => ({
      headers: { ...headers, sign: createHmac('sha256', '123456789').update(body).digest('base64') },
      body,
    }),
    probe: { headers: {}, body: Buffer.from('{}') },
  };
}

export const CJ_BENCHES: readonly BenchSetup[] = [
  { supplier: 'cj_dropshipping', name: 'CJ Dropshipping', start },
];
