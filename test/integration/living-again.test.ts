import { expect, onTestFinished, test } from 'vitest';
import { supplierOrderIdOf } from '../../contracts/ids.ts';
import { DONE } from '../../services/serve-commands.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import { readFacts } from '../../services/suppliers/purchase-facts.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';
import { startWatch } from '../../services/suppliers/watch.ts';
import {
  aDesk,
  boughtUnder,
  callsOf,
  type Desk,
  type Environment,
  givenPurchase,
  placeRequestOf,
  rowOf,
  saidTo,
  verdicts,
  withAdapter,
} from '../fixtures/purchase-desk.ts';

const never = new AbortController().signal;
type Purchase = Awaited<ReturnType<typeof givenPurchase>>;

interface Twice {
  readonly desk: Desk;
  /** Paid at the supplier, and cancelled as far as anybody here knows. */
  readonly first: Purchase;
  /** Of the same units, to be bought. */
  readonly second: Purchase;
  readonly reference: string;
}

/** @param changes to the first purchase, in SQL. */
async function twice(changes = '', environment: Environment = {}): Promise<Twice> {
  const desk = await aDesk(environment, { timing: { processMs: 0, shipMs: 60_000 } });
  const { store, adapter } = desk;
  const first = await givenPurchase(store);
  const { orderId, supplierOrderId } = first;
  const { supplierReference: reference } = await adapter.place(
    await placeRequestOf(desk, supplierOrderId),
    never,
  );
  await adapter.preparePayment({ supplierReference: reference, callerRef: supplierOrderId }, never);
  await adapter.pay(reference, never);
  const second = { orderId, supplierOrderId: supplierOrderIdOf(orderId, 'cj_dropshipping', 'CN', 2) };
  const columns = 'supplier, context, shipping_method, ships_from, expected_cost_minor, currency';
  await store.run(
    `insert into supplier_orders (id, order_id, state, ${columns})
     select $1, order_id, 'draft', ${columns} from supplier_orders`,
    [second.supplierOrderId],
  );
  await store.run(
    `insert into supplier_order_lines (supplier_order_id, line_id, units, supplier_product_id, supplier_variant_id, supplier_units)
     select $1, line_id, units, supplier_product_id, supplier_variant_id, supplier_units from supplier_order_lines`,
    [second.supplierOrderId],
  );
  const shipTo = (await readFacts(store, [supplierOrderId])).get(supplierOrderId)?.shipToMark;
  await store.run(
    `update supplier_orders set state = 'cancelled', supplier_reference = $2, context = json_build_object('sentTo', $3::text)
      where id = $1`,
    [supplierOrderId, reference, shipTo],
  );
  if (changes !== '')
    await store.run(`update supplier_orders set ${changes} where id = $1`, [supplierOrderId]);
  return { desk, first, second, reference };
}

const noteOf = async ({ store }: Desk, { supplierOrderId }: Purchase): Promise<string | null> =>
  (
    await store.query<{ note: string | null }>('select note from supplier_orders where id = $1', [
      supplierOrderId,
    ])
  )[0]?.note ?? null;

test('an order that its supplier had cancelled and shows alive again is the purchase that was to take its place', async () => {
  const { desk, first, second, reference } = await twice();
  expect(await buy(desk.ports, second, 'command-1')).toEqual(DONE);
  expect(await verdicts(desk.store, second)).toEqual(['placing', 'accepted']);
  expect((await saidTo(desk.store, second)).at(-1)).toMatchObject({ supplierReference: reference });
  expect(await boughtUnder(desk.world, second)).toEqual([]);
  expect(await boughtUnder(desk.world, first)).toHaveLength(1);
  expect(await rowOf(desk.store, second)).toMatchObject({ reference });
  expect(await rowOf(desk.store, first)).toMatchObject({ reference: null, state: 'cancelled' });
  expect(await noteOf(desk, first)).toBe(
    `its order at the supplier lives again, as ${second.supplierOrderId}`,
  );
});

test('it is watched from then on under the reference that the supplier has it under', async () => {
  const { desk, second } = await twice('', { ORDER_MANAGER_POLL_SECONDS: '600' });
  await buy(desk.ports, second, 'command-1');
  await desk.store.run(`update supplier_orders set state = 'accepted', next_check_at = now() where id = $1`, [
    second.supplierOrderId,
  ]);
  const before = await callsOf(desk.world, 'getOrderDetail');
  const watch = startWatch(desk.ports, desk.adapter);
  onTestFinished(() => watch.stop());
  await expect
    .poll(async () => (await saidTo(desk.store, second)).at(-1))
    .toMatchObject({ type: 'observed', supplierOrderId: second.supplierOrderId, status: 'processing' });
  // The batch knows it: nobody had to ask for it by itself.
  expect(await callsOf(desk.world, 'getOrderDetail')).toBe(before);
});

test.each([
  ['was sent to another address', `context = '{"sentTo": "elsewhere"}'`],
  ['was sent nobody wrote down where to', `context = '{}'`],
  ['was given up by a person', `context = (context::jsonb || '{"unwantedBy": "operator"}')::json`],
])('one that %s is for a person, and nothing is bought', async (_, changes) => {
  const { desk, second, reference } = await twice(changes);
  await buy(desk.ports, second, 'command-1');
  expect(await saidTo(desk.store, second)).toMatchObject([
    { type: 'withheld', reason: 'duplicate_suspected', evidence: { aliveAgain: reference } },
  ]);
  expect(await boughtUnder(desk.world, second)).toEqual([]);
});

test('one that is shown alive and cannot be read is for a person', async () => {
  const { desk, second } = await twice();
  const notFound = new SupplierError('not_found', 'no such order', {});
  await buy(withAdapter(desk.ports, { read: () => Promise.reject(notFound) }), second, 'command-1');
  expect(await verdicts(desk.store, second)).toEqual(['withheld duplicate_suspected']);
});

test('what the supplier quotes of the recipient when it refuses to be asked is in no hold', async () => {
  const { desk, second } = await twice();
  const text = 'not for Robin Probe of 12 Test Lane, robin@probe.example';
  const quoting = () => Promise.reject(new SupplierError('permanent', 'no', { text, code: 'B1' }));
  await buy(withAdapter(desk.ports, { status: quoting }), second, 'command-1');
  const said = await saidTo(desk.store, second);
  expect(said).toMatchObject([{ reason: 'duplicate_suspected', evidence: { code: 'B1' } }]);
  expect(JSON.stringify([said, desk.logLines])).not.toMatch(/Robin|Test Lane|probe\.example/);
});

test('one of other articles is for a person', async () => {
  const { desk, second } = await twice();
  await desk.store.run('update supplier_order_lines set supplier_units = 2 where supplier_order_id = $1', [
    second.supplierOrderId,
  ]);
  await buy(desk.ports, second, 'command-1');
  expect(await verdicts(desk.store, second)).toEqual(['withheld duplicate_suspected']);
});
