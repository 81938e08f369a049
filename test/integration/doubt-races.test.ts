import { expect, test } from 'vitest';
import type { FoundOrder, PlacedOrder } from '../../services/suppliers/adapter.ts';
import { lookUp } from '../../services/suppliers/look-up.ts';
import type { PatientAdapter } from '../../services/suppliers/policy.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import type { PurchasePorts } from '../../services/suppliers/purchase-ports.ts';
import { adoptNamed, settleNotBought } from '../../services/suppliers/settle-doubt.ts';
import { keepStrays } from '../../services/suppliers/stray-orders.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';
import {
  aDesk,
  article,
  boughtUnder,
  callsOf,
  type Desk,
  foundOrder,
  givenPurchase,
  intentOf,
  moveTo,
  rowOf,
  saidTo,
  verdicts,
  withAdapter,
} from '../fixtures/purchase-desk.ts';
import { givenFaults } from '../sandbox/world.ts';

type Purchase = Awaited<ReturnType<typeof givenPurchase>>;

const doubt = new SupplierError('unknown_outcome', 'no answer', {});
const aQuickDesk = () =>
  aDesk({ ORDER_MANAGER_DOUBT_GRACE_SECONDS: '0', ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '0' });

/** A supplier that cannot look up, shows these orders by its own numbers, and whose `place` does this. */
const blind = (
  { ports, adapter }: Desk,
  orders: readonly FoundOrder[],
  place: PatientAdapter['place'] = () => Promise.reject(doubt),
): PurchasePorts => {
  const capabilities = { ...adapter.capabilities, looksUpByReference: false, repeatableForMs: 3_600_000 };
  const read: PatientAdapter['read'] = async (reference) =>
    orders.find(({ supplierReference }) => supplierReference === reference) ?? null;
  return withAdapter(ports, { capabilities, read, place });
};

/** Bought once, and nobody knows with what end; its call was over long ago. */
async function inDoubt({ store }: Desk, ports: PurchasePorts, number = 1): Promise<Purchase> {
  const purchase = await givenPurchase(store, { number });
  await buy(ports, purchase, `b${number}`);
  await moveTo(store, purchase, 'outcome_unknown');
  await store.run("update purchase_intents set call_deadline = now() - interval '1 second'");
  return purchase;
}

const adopt = async (ports: PurchasePorts, { supplierOrderId }: Purchase, supplier_reference = 'AE1') => {
  const answer = await adoptNamed(ports, { supplierOrderId, supplier_reference });
  return answer.ok ? answer.value : answer;
};
const deny = async (ports: PurchasePorts, { supplierOrderId }: Purchase) => {
  const answer = await settleNotBought(ports, { supplierOrderId, note: 'nothing there' });
  return answer.ok ? answer.value : answer;
};
const ends = async ({ store }: Desk, purchase: Purchase): Promise<string[]> =>
  (await verdicts(store, purchase)).slice(2);

const RELEASES = ['outcome_unknown', 'duplicate_suspected', 'supplier_cancelled'].map(
  (reason) => `order.release_requested ${reason}`,
);

test('named ten times over two copies, an order is adopted once', async () => {
  const desk = await aQuickDesk();
  const ports = blind(desk, [foundOrder('AE1')]);
  const purchase = await inDoubt(desk, ports);
  const other = { ...ports, store: (await desk.copy()).store };
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, n) => adopt(n % 2 === 0 ? ports : other, purchase)),
  );
  expect(new Set(answers.map((answer) => 'result' in answer && answer.result))).toEqual(new Set(['taken']));
  expect(await ends(desk, purchase)).toEqual(['placed', ...RELEASES]);
  expect(await intentOf(desk.store, purchase)).toMatchObject({ state: 'done', attempt: 1 });
});

test('of two purchases for which one order is named at once, one gets it', async () => {
  const desk = await aQuickDesk();
  const ports = blind(desk, [foundOrder('AE1')]);
  const purchases = [await inDoubt(desk, ports), await inDoubt(desk, ports, 2)];
  const answers = await Promise.all(purchases.map((purchase) => adopt(ports, purchase)));
  expect(answers.map((answer) => 'result' in answer && answer.result).sort()).toEqual(['refused', 'taken']);
  const rows = await Promise.all(purchases.map((purchase) => rowOf(desk.store, purchase)));
  expect(rows.map((row) => row?.reference ?? null).sort()).toEqual(['AE1', null]);
});

test('a push that names the same order at the same moment adopts it too, and once', async () => {
  const desk = await aQuickDesk();
  const ports = blind(desk, [foundOrder('AE1')]);
  const purchase = await inDoubt(desk, ports);
  await keepStrays(desk.store, [{ supplier: 'cj_dropshipping', reference: 'AE1', topic: 'order' }]);
  const [answer] = await Promise.all([adopt(ports, purchase), lookUp(ports, purchase, 'l1')]);
  expect(answer).toMatchObject({ result: 'taken' });
  expect(await ends(desk, purchase)).toEqual(['placed', ...RELEASES]);
});

test('while the call is sent again no word is taken, and the answer that comes is', async () => {
  const desk = await aQuickDesk();
  const calls: PromiseWithResolvers<PlacedOrder>[] = [];
  const begun = Promise.withResolvers<void>();
  const ports = blind(desk, [foundOrder('AE1')], () => {
    if (calls.length === 0) {
      calls.push(Promise.withResolvers<PlacedOrder>());
      return Promise.reject(doubt);
    }
    const call = Promise.withResolvers<PlacedOrder>();
    calls.push(call);
    begun.resolve();
    return call.promise;
  });
  const purchase = await inDoubt(desk, ports);
  const repeated = lookUp(ports, purchase, 'l1');
  await begun.promise;
  for (const word of [adopt, deny])
    expect(await word(ports, purchase)).toMatchObject({
      result: 'refused',
      detail: expect.stringContaining('under way'),
    });
  calls[1]?.resolve(foundOrder('AE1'));
  await repeated;
  expect(await ends(desk, purchase)).toEqual(['placed']);
  expect(await adopt(ports, purchase)).toMatchObject({ result: 'taken' });
});

test('an order that is adopted in the moment in which the call is sent again is not held for the same order', async () => {
  const desk = await aQuickDesk();
  const shown = Promise.withResolvers<FoundOrder>();
  const asked = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<PlacedOrder>();
  const called = Promise.withResolvers<void>();
  let calls = 0;
  const slow = withAdapter(
    blind(desk, [], () => {
      calls += 1;
      if (calls === 1) return Promise.reject(doubt);
      called.resolve();
      return answered.promise;
    }),
    {},
  );
  const real = slow.adapterOf('cj_dropshipping');
  if (real === undefined) throw new Error('no adapter');
  const read: PatientAdapter['read'] = () => {
    asked.resolve();
    return shown.promise;
  };
  const ports: PurchasePorts = { ...slow, adapterOf: () => ({ ...real, read }) };
  const purchase = await inDoubt(desk, ports);
  const word = adopt(ports, purchase);
  await asked.promise;
  const repeated = lookUp(ports, purchase, 'l1');
  await called.promise;
  shown.resolve(foundOrder('AE1'));
  expect(await word).toMatchObject({ result: 'taken' });
  answered.resolve(foundOrder('AE1'));
  await repeated;
  expect(await ends(desk, purchase)).toEqual(['placed', ...RELEASES]);
  expect(await rowOf(desk.store, purchase)).toMatchObject({ reference: 'AE1' });
});

test.each([
  ['refuses to be asked', new SupplierError('auth', 'who are you', {})],
  ['shows what nobody ordered', [foundOrder('AE1', { articles: [] })]],
  ['shows it cancelled', [foundOrder('AE1', { isCancelled: true })]],
])('an order that is adopted while a look-up of its supplier %s is not held for that', async (_, answer) => {
  const desk = await aQuickDesk();
  const blinded = blind(desk, [foundOrder('AE1')]);
  const purchase = await inDoubt(desk, blinded);
  const seeing = withAdapter(desk.ports, {
    lookUp: async () => {
      expect(await adopt(blinded, purchase)).toMatchObject({ result: 'taken' });
      if (answer instanceof SupplierError) throw answer;
      return answer;
    },
  });
  await lookUp(seeing, purchase, 'l1');
  expect(await ends(desk, purchase)).toEqual(['placed', ...RELEASES]);
});

test('an order that is adopted while the pushes of others are read is not held because nothing can be repeated', async () => {
  const desk = await aQuickDesk();
  const ports = blind(desk, [foundOrder('AE1')]);
  const purchase = await inDoubt(desk, ports);
  await lookUp(ports, purchase, 'l1');
  expect(await ends(desk, purchase)).toEqual(['withheld outcome_unknown']);
  await desk.store.run("update purchase_intents set call_deadline = now() - interval '1 second'");
  await keepStrays(desk.store, [{ supplier: 'cj_dropshipping', reference: 'AE2', topic: 'order' }]);
  const slow = withAdapter(ports, {
    capabilities: { ...desk.adapter.capabilities, looksUpByReference: false, repeatableForMs: 3_600_000 },
    read: async () => {
      expect(await adopt(ports, purchase)).toMatchObject({ result: 'taken' });
      return null;
    },
  });
  await lookUp(slow, purchase, 'l2');
  expect((await ends(desk, purchase)).slice(1)).toEqual(['placed', ...RELEASES]);
});

test('an order whose supplier names no zone is of the time of the purchase, if any full hour makes it so', async () => {
  const desk = await aQuickDesk();
  const inShanghai = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 19);
  const ports = blind(desk, [foundOrder('AE1', { createdAt: null, createdLocally: inShanghai })]);
  const purchase = await inDoubt(desk, ports);
  expect(await adopt(ports, purchase)).toMatchObject({ result: 'taken' });
});

test.each([
  ['of another time', { createdAt: '2026-01-01T00:00:00.000Z' }, 'created_at'],
  [
    'of another day in whatever zone',
    { createdAt: null, createdLocally: '2026-01-01T00:00:00' },
    'created_at',
  ],
  ['made after the purchase can have been', { createdAt: '2126-01-01T00:00:00.000Z' }, 'created_at'],
  ['under another number of ours', { callerRef: 'sup_ord_other' }, 'our_reference'],
  [
    'of more units',
    { articles: [{ supplierVariantId: article(1).supplierVariantId, units: 2 }] },
    'articles',
  ],
  ['that is cancelled', { isCancelled: true }, 'status'],
])('an order %s is refused', async (_name, change, path) => {
  const desk = await aQuickDesk();
  const ports = blind(desk, [foundOrder('AE1', change)]);
  const purchase = await inDoubt(desk, ports);
  expect(await adopt(ports, purchase)).toMatchObject({ result: 'refused', differs: [{ path }] });
  expect(await ends(desk, purchase)).toEqual([]);
  expect(await intentOf(desk.store, purchase)).toMatchObject({ state: 'unknown' });
});

const LONG_AGO = '2026-01-01T00:00:00';
test.each([
  [
    { createdAt: null, createdLocally: LONG_AGO },
    `made at ${LONG_AGO} of a zone that the supplier does not name, and`,
  ],
  [{ createdAt: `${LONG_AGO}.000Z` }, `made at ${LONG_AGO}.000Z, and`],
])(
  'an order of another time is refused with its time, and whether its zone is known: %j',
  async (change, says) => {
    const desk = await aQuickDesk();
    const ports = blind(desk, [foundOrder('AE1', change)]);
    const refusal = await adopt(ports, await inDoubt(desk, ports));
    expect(refusal).toMatchObject({ differs: [{ message: expect.stringContaining(says) }] });
  },
);

test.each(['draft', 'placing', 'awaiting_payment', 'accepted', 'cancelled'] as const)(
  'a purchase that is %s is settled by nobody’s word',
  async (state) => {
    const desk = await aQuickDesk();
    const ports = blind(desk, [foundOrder('AE1')]);
    const purchase = await inDoubt(desk, ports);
    await moveTo(desk.store, purchase, state);
    for (const word of [adopt, deny])
      expect(await word(ports, purchase)).toMatchObject({
        result: 'refused',
        detail: expect.stringContaining(state),
      });
    expect(await ends(desk, purchase)).toEqual([]);
  },
);

test('said twice at once that it was not bought, it is settled once, and its next attempt begins anew', async () => {
  const desk = await aQuickDesk();
  const ports = blind(desk, []);
  const purchase = await inDoubt(desk, ports);
  const answers = await Promise.all([deny(ports, purchase), deny(ports, purchase)]);
  expect(answers.map((answer) => 'result' in answer && answer.result).sort()).toEqual(['refused', 'taken']);
  expect(await ends(desk, purchase)).toEqual(['absent', ...RELEASES]);
  expect((await saidTo(desk.store, purchase))[2]).toMatchObject({ saidBy: 'operator' });
  await moveTo(desk.store, purchase, 'draft');
  await buy(ports, purchase, 'b2');
  expect(await intentOf(desk.store, purchase)).toMatchObject({ state: 'unknown', attempt: 2 });
});

test('a supplier that can look up is believed more than a person who finds nothing', async () => {
  const desk = await aQuickDesk();
  await givenFaults(desk.world, { operation: 'cj.createOrderV2', kind: 'no_answer_after', times: 1 });
  const purchase = await inDoubt(desk, desk.ports);
  const [made] = await boughtUnder(desk.world, purchase);
  expect(await deny(desk.ports, purchase)).toMatchObject({
    result: 'refused',
    detail: expect.stringContaining(made?.sdCode ?? 'no order'),
  });
  const lists = await callsOf(desk.world, 'orderList');
  expect(await adopt(desk.ports, purchase, '2024061203')).toMatchObject({ result: 'refused' });
  expect(await callsOf(desk.world, 'orderList')).toBe(lists);
  expect(await adopt(desk.ports, purchase, made?.sdCode)).toMatchObject({ result: 'taken' });
  expect(await rowOf(desk.store, purchase)).toMatchObject({ reference: made?.sdCode });
  expect(await callsOf(desk.world, 'createOrderV2')).toBe(1);
});

test('what was cancelled at a supplier that can look up is bought anew, under another number', async () => {
  const desk = await aQuickDesk();
  const ports = withAdapter(desk.ports, {
    place: () => Promise.reject(doubt),
    lookUp: async (callerRef) => [foundOrder('AE1', { callerRef, isCancelled: true })],
  });
  const purchase = await inDoubt(desk, ports);
  await lookUp(ports, purchase, 'l1');
  expect(await ends(desk, purchase)).toEqual(['withheld supplier_cancelled']);
  expect(await deny(ports, purchase)).toMatchObject({ result: 'taken' });
  expect((await saidTo(desk.store, purchase)).slice(3)).toMatchObject([
    { type: 'rejected', failureClass: 'permanent' },
    { reason: 'supplier_rejected' },
    { reason: 'outcome_unknown' },
    { reason: 'duplicate_suspected' },
    { reason: 'supplier_cancelled' },
  ]);
  // The word was lost on its way: it is said again.
  await lookUp(ports, purchase, 'l2');
  expect((await verdicts(desk.store, purchase)).at(-1)).toBe('rejected');
});
