import { expect, onTestFinished, test } from 'vitest';
import { pausePurchasing, readPauses, resumePurchasing } from '../../services/purchasing-switch.ts';
import { DONE } from '../../services/serve-commands.ts';
import { createCallRecord } from '../../services/suppliers/call-record.ts';
import { lookUp } from '../../services/suppliers/look-up.ts';
import { startPauseSweep } from '../../services/suppliers/pause-sweep.ts';
import { pay } from '../../services/suppliers/payment.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';
import { eventually } from '../fixtures/eventually.ts';
import {
  aDesk,
  callsOf,
  type Desk,
  givenPurchase,
  moveTo,
  saidTo,
  verdicts,
  withAdapter,
} from '../fixtures/purchase-desk.ts';
import { givenFaults } from '../sandbox/world.ts';

const CJ = 'cj_dropshipping';

const pause = ({ store }: Desk, scope: 'all' | 'aliexpress' | typeof CJ = CJ) =>
  pausePurchasing(store, { scope, cause: 'operator', reason: 'stock-taking' });

test.each([CJ, 'all'] as const)(
  'while %s is paused, nothing is placed or paid, and the reason is said',
  async (scope) => {
    const desk = await aDesk();
    const unpaid = await givenPurchase(desk.store);
    await buy(desk.ports, unpaid, 'b1');
    await moveTo(desk.store, unpaid, 'awaiting_payment');
    const draft = await givenPurchase(desk.store, { number: 2 });
    expect(await pause(desk, scope)).toMatchObject([{ scope, cause: 'operator', reason: 'stock-taking' }]);

    expect(await buy(desk.ports, draft, 'b2')).toEqual(DONE);
    expect(await pay(desk.ports, unpaid, 'p1')).toEqual(DONE);
    for (const purchase of [draft, unpaid]) {
      expect((await saidTo(desk.store, purchase)).at(-1)).toMatchObject({
        reason: 'supplier_paused',
        evidence: { supplier: CJ, switch: scope, cause: 'operator' },
      });
    }
    expect(await callsOf(desk.world, 'createOrderV2')).toBe(1);
    expect(await callsOf(desk.world, 'payBalance')).toBe(0);

    await resumePurchasing(desk.store, scope);
    await buy(desk.ports, draft, 'b3');
    await pay(desk.ports, unpaid, 'p2');
    expect((await verdicts(desk.store, draft)).at(-1)).toBe('placed');
    expect((await verdicts(desk.store, unpaid)).at(-1)).toBe('accepted');
  },
);

test('a pause stops buying and nothing else: a doubt is still looked up', async () => {
  const desk = await aDesk();
  const purchase = await givenPurchase(desk.store);
  await givenFaults(desk.world, { operation: 'cj.createOrderV2', kind: 'error_after', times: 1 });
  await buy(desk.ports, purchase, 'b1');
  await moveTo(desk.store, purchase, 'outcome_unknown');
  await pause(desk);
  await lookUp(desk.ports, purchase, 'l1');
  expect((await verdicts(desk.store, purchase)).at(-1)).toBe('placed');
});

test('another supplier’s pause stops nothing here', async () => {
  const desk = await aDesk();
  const purchase = await givenPurchase(desk.store);
  await pause(desk, 'aliexpress');
  await buy(desk.ports, purchase, 'b1');
  expect((await verdicts(desk.store, purchase)).at(-1)).toBe('placed');
});

test('once the pause is answered, no intent is written any more, however many are under way', async () => {
  const desk = await aDesk({ ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '30' });
  const purchases = [];
  for (let number = 1; number <= 20; number += 1) purchases.push(await givenPurchase(desk.store, { number }));
  const intents = async (): Promise<number> =>
    (await desk.store.query('select 1 from purchase_intents')).length;
  const buying = purchases.map((purchase) => buy(desk.ports, purchase, 'b1'));
  await eventually(async () => expect(await intents()).toBeGreaterThan(0));
  await pause(desk);
  const atThePause = await intents();
  await Promise.all(buying);
  expect(await intents()).toBe(atThePause);
  expect(await callsOf(desk.world, 'createOrderV2')).toBe(atThePause);
});

test('a refusal that blocks the account stops buying there by itself, until a person resumes', async () => {
  const desk = await aDesk();
  const record = createCallRecord({ store: desk.store, log: desk.ports.log });
  const refused = withAdapter(desk.ports, {
    place: async () => {
      throw new SupplierError('account_blocked', 'the account is frozen', {});
    },
  });
  const adapter = record.recorded(refused.adapterOf(CJ) ?? desk.adapter);
  const ports = { ...desk.ports, adapterOf: () => adapter };
  const [first, second] = [await givenPurchase(desk.store), await givenPurchase(desk.store, { number: 2 })];
  await buy(ports, first, 'b1');
  expect(await saidTo(desk.store, first)).toMatchObject([
    { type: 'placing' },
    { type: 'rejected', failureClass: 'account_blocked' },
  ]);
  expect(await readPauses(desk.store)).toMatchObject([{ scope: CJ, cause: 'account_blocked' }]);
  await buy(ports, second, 'b1');
  expect(await verdicts(desk.store, second)).toEqual(['withheld supplier_paused']);
});

test('a resume releases the holds behind many that stay though their release was asked for', async () => {
  const desk = await aDesk();
  const purchase = await givenPurchase(desk.store);
  await desk.store.run(
    `insert into holds (id, order_id, reason, supplier_order_id, evidence)
     select 'hld_' || n, $1, 'supplier_paused', $2, $3::json from generate_series(1, 1100) n`,
    [purchase.orderId, purchase.supplierOrderId, JSON.stringify({ switch: CJ })],
  );
  const sweep = startPauseSweep(desk.ports);
  onTestFinished(() => sweep.stop());
  const asked = async () => (await saidTo(desk.store, purchase)).length;
  await eventually(async () => expect(await asked()).toBe(1_100));
  // And each of them once.
  await eventually(() => {
    sweep.wake();
    return expect(asked()).resolves.toBe(1_100);
  });
});

test('a resume releases the holds of its switch and no other', async () => {
  const desk = await aDesk();
  const givenPauseHold = async (number: number, evidence: object) => {
    const purchase = await givenPurchase(desk.store, { number });
    await desk.store.run(
      `insert into holds (id, order_id, reason, supplier_order_id, evidence)
       values ('hld_' || $1, $1, 'supplier_paused', $2, $3::json)`,
      [purchase.orderId, purchase.supplierOrderId, JSON.stringify(evidence)],
    );
    return purchase;
  };
  const switched = await givenPauseHold(1, { switch: CJ });
  const all = await givenPauseHold(2, { switch: 'all' });
  const shadow = await givenPauseHold(3, { mode: 'shadow' });
  await pause(desk);
  const sweep = startPauseSweep(desk.ports);
  onTestFinished(() => sweep.stop());
  await resumePurchasing(desk.store, CJ);
  for (const purchase of [switched, all]) {
    await eventually(async () =>
      expect((await saidTo(desk.store, purchase))[0]).toMatchObject({
        type: 'order.release_requested',
        reason: 'supplier_paused',
        holdId: `hld_${purchase.orderId}`,
      }),
    );
  }
  // All of a round are told together: what it left out now, it leaves out.
  expect(await saidTo(desk.store, shadow)).toEqual([]);
});
