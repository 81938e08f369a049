import { expect, onTestFinished, test } from 'vitest';
import type { FoundOrder, Push } from '../../services/suppliers/adapter.ts';
import { startAskingRefusedAgain } from '../../services/suppliers/ask-refused-again.ts';
import type { PatientAdapter } from '../../services/suppliers/policy.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import type { PurchasePorts } from '../../services/suppliers/purchase-ports.ts';
import { keepStrays, startStraySweep } from '../../services/suppliers/stray-orders.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';
import { takePush } from '../../services/suppliers/take-push.ts';
import { eventually } from '../fixtures/eventually.ts';
import {
  aDesk,
  type Desk,
  foundOrder,
  givenPurchase,
  moveTo,
  saidTo,
  verdicts,
  withAdapter,
} from '../fixtures/purchase-desk.ts';

const CJ = 'cj_dropshipping';

const refusing = (desk: Desk, change: Partial<PatientAdapter>): PurchasePorts =>
  withAdapter(desk.ports, {
    place: () => Promise.reject(new SupplierError('unavailable', 'sold out', {})),
    ...change,
  });

/** A supplier that only its pushes tell of orders, with this book. */
const byPush = (desk: Desk, ...orders: readonly FoundOrder[]): PurchasePorts =>
  refusing(desk, {
    capabilities: { ...desk.adapter.capabilities, looksUpByReference: false, repeatableForMs: 3_600_000 },
    read: async (reference) => orders.find((one) => one.supplierReference === reference) ?? null,
  });

async function givenRefused(desk: Desk, ports: PurchasePorts, number = 1) {
  const purchase = await givenPurchase(desk.store, { number });
  await buy(ports, purchase, `b${number}`);
  expect(await verdicts(desk.store, purchase)).toEqual(['placing', 'rejected']);
  await moveTo(desk.store, purchase, 'rejected');
  return purchase;
}

const givenStray = ({ store }: Desk, reference: string) =>
  keepStrays(store, [{ supplier: CJ, reference, topic: 'order' }]);

function sweep(ports: PurchasePorts) {
  const adapter = ports.adapterOf(CJ);
  if (adapter === undefined) throw new Error('no adapter');
  const sweeping = startStraySweep(ports, adapter);
  onTestFinished(() => sweeping.stop());
  return sweeping;
}

const strays = ({ store }: Desk) =>
  store.query<{ reference: string; isRead: boolean }>(
    'select reference, read_at is not null as "isRead" from stray_supplier_orders order by 1',
  );

test('an order that a push names, and that only a refused purchase can have made, is suspected once', async () => {
  const desk = await aDesk();
  const book = byPush(desk, foundOrder('AE1'));
  let rounds = 0;
  const breakerState = () => {
    rounds += 1;
    return desk.adapter.breakerState();
  };
  const ports = withAdapter(book, { ...book.adapterOf(CJ), breakerState });
  const purchase = await givenRefused(desk, ports);
  await givenStray(desk, 'AE1');
  const sweeping = sweep(ports);
  await eventually(async () =>
    expect((await saidTo(desk.store, purchase)).slice(2)).toMatchObject([
      { reason: 'duplicate_suspected', evidence: { references: 'AE1' } },
    ]),
  );
  // Neither its next push nor another purchase that it fits as well has it told again.
  const other = await givenRefused(desk, ports, 2);
  await givenStray(desk, 'AE1');
  const from = rounds;
  await eventually(() => {
    sweeping.wake();
    expect(rounds).toBeGreaterThan(from + 2);
  });
  expect(await verdicts(desk.store, other)).toEqual(['placing', 'rejected']);
  expect(await verdicts(desk.store, purchase)).toHaveLength(3);
});

test('an order of other articles, of another time, or one that is cancelled is not of the refused purchase', async () => {
  const desk = await aDesk();
  const ports = byPush(
    desk,
    foundOrder('AE1', { articles: [{ supplierVariantId: 'other', units: 1 }] }),
    foundOrder('AE2', { createdAt: '2026-01-01T00:00:00.000Z' }),
    foundOrder('AE3', { isCancelled: true }),
  );
  const purchase = await givenRefused(desk, ports);
  for (const reference of ['AE1', 'AE2', 'AE3']) await givenStray(desk, reference);
  sweep(ports);
  await eventually(async () =>
    expect(await strays(desk)).toEqual(
      ['AE1', 'AE2', 'AE3'].map((reference) => ({ reference, isRead: true })),
    ),
  );
  expect(await verdicts(desk.store, purchase)).toEqual(['placing', 'rejected']);
});

test('an order that was left over for long, as by a doubt that a person has settled, is told as well', async () => {
  const desk = await aDesk();
  const ports = byPush(desk);
  const purchase = await givenRefused(desk, ports);
  await givenStray(desk, 'AE1');
  await desk.store.run(
    `update stray_supplier_orders
        set seen_at = now() - interval '1 hour', read_at = now() - interval '1 hour', found = $1::json`,
    [JSON.stringify(foundOrder('AE1'))],
  );
  sweep(ports);
  await eventually(async () =>
    expect(await verdicts(desk.store, purchase)).toEqual([
      'placing',
      'rejected',
      'withheld duplicate_suspected',
    ]),
  );
});

test('a push that names a refused purchase by our reference has it looked up until it is shown', async () => {
  const desk = await aDesk();
  const shown: FoundOrder[] = [];
  const asked: string[] = [];
  const ports = refusing(desk, {
    readPush: async (): Promise<Push> => ({
      kind: 'news',
      messageId: 'm1',
      topic: 'ORDER',
      references: [purchase.supplierOrderId, 'SD1'],
    }),
    lookUp: async (callerRef) => {
      asked.push(callerRef);
      return shown;
    },
  });
  const purchase = await givenRefused(desk, ports);
  expect((await takePush(ports, { supplier: CJ, headers: {}, bodyBase64: '' })).ok).toBe(true);
  const sweeping = sweep(ports);
  // The first time when it was refused.
  await eventually(() => expect(asked).toEqual([purchase.supplierOrderId, purchase.supplierOrderId]));
  await eventually(async () => expect((await strays(desk)).map(({ isRead }) => isRead)).toEqual([true]));
  expect(await verdicts(desk.store, purchase)).toEqual(['placing', 'rejected']);

  shown.push(foundOrder('SD1', { callerRef: purchase.supplierOrderId }));
  await desk.store.run("update stray_supplier_orders set read_at = read_at - interval '1 minute'");
  await eventually(async () => {
    sweeping.wake();
    expect((await saidTo(desk.store, purchase)).slice(2)).toMatchObject([
      { reason: 'duplicate_suspected', evidence: { references: 'SD1' } },
    ]);
  });
  expect(asked).toHaveLength(3);
});

test('what was refused is asked for once more when it has had time to show, and a person hears of what was made', async () => {
  const desk = await aDesk();
  const shown: FoundOrder[] = [];
  const asked: string[] = [];
  const ports = refusing(desk, {
    lookUp: async (callerRef) => {
      asked.push(callerRef);
      return callerRef === made.supplierOrderId ? shown : [];
    },
  });
  const made = await givenRefused(desk, ports);
  const sold = await givenRefused(desk, ports, 2);
  shown.push(foundOrder('SD1', { callerRef: made.supplierOrderId }));
  const asking = startAskingRefusedAgain(ports, ports.adapterOf(CJ)!);
  onTestFinished(() => asking?.stop());
  await eventually(async () =>
    expect((await saidTo(desk.store, made)).slice(2)).toMatchObject([
      { reason: 'duplicate_suspected', evidence: { references: 'SD1' } },
    ]),
  );
  // Each when it was refused, and once more.
  const both = [made, sold].map(({ supplierOrderId }) => supplierOrderId);
  await eventually(() => expect(asked.toSorted()).toEqual([...both, ...both].sort()));
  expect(await verdicts(desk.store, sold)).toEqual(['placing', 'rejected']);
});

test('what was refused before anything was sent is not asked for again', async () => {
  const desk = await aDesk();
  const asked: string[] = [];
  const change = {
    lookUp: async (callerRef: string) => {
      asked.push(callerRef);
      return [];
    },
  };
  const ports = refusing(desk, change);
  const unsent = withAdapter(ports, {
    ...ports.adapterOf(CJ),
    place: () => Promise.reject(new SupplierError('invalid_input', 'no', { sent: false })),
  });
  await givenRefused(desk, unsent);
  const sent = await givenRefused(desk, ports, 2);
  const asking = startAskingRefusedAgain(ports, ports.adapterOf(CJ)!);
  onTestFinished(() => asking?.stop());
  await eventually(() => expect(asked).toEqual([sent.supplierOrderId, sent.supplierOrderId]));
});

test('a refused purchase that cannot be looked up keeps back no other', async () => {
  const desk = await aDesk();
  const ports = refusing(desk, {
    lookUp: async (callerRef) => {
      if (callerRef === odd.supplierOrderId)
        throw new SupplierError('permanent', 'no such kind of number', {});
      return callerRef === plain.supplierOrderId ? shown : [];
    },
  });
  const shown: FoundOrder[] = [];
  const [odd, plain] = [await givenPurchase(desk.store), await givenPurchase(desk.store, { number: 2 })];
  for (const purchase of [odd, plain]) {
    await buy(ports, purchase, purchase.supplierOrderId);
    await givenStray(desk, purchase.supplierOrderId);
  }
  shown.push(foundOrder('SD1'));
  sweep(ports);
  await eventually(async () =>
    expect(await verdicts(desk.store, plain)).toEqual([
      'placing',
      'rejected',
      'withheld duplicate_suspected',
    ]),
  );
  expect((await strays(desk)).map(({ isRead }) => isRead)).toEqual([true, true]);
  expect(await verdicts(desk.store, odd)).toEqual(['placing', 'rejected']);
});
