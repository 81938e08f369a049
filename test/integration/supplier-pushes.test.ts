import { expect, onTestFinished, test } from 'vitest';
import type { Push } from '../../services/suppliers/adapter.ts';
import { SupplierError } from '../../services/suppliers/supplier-error.ts';
import { takePush } from '../../services/suppliers/take-push.ts';
import { startWatch } from '../../services/suppliers/watch.ts';
import { eventually } from '../fixtures/eventually.ts';
import { aDesk, callsOf, type Desk, givenPurchase, saidTo, withAdapter } from '../fixtures/purchase-desk.ts';

const CJ = 'cj_dropshipping';
const BODY = JSON.stringify({ secret: 'Robin Probe' });

const news = (messageId: string, ...references: string[]): Push => ({
  kind: 'news',
  messageId,
  topic: 'order',
  references,
});

/** Takes a push whose bytes mean this; the adapter sees them as they came. */
async function push(desk: Desk, meaning: Push) {
  const seen: unknown[] = [];
  const ports = withAdapter(desk.ports, {
    readPush: async ({ headers, body }) => {
      seen.push(headers, Buffer.from(body).toString());
      return meaning;
    },
  });
  const bodyBase64 = Buffer.from(BODY).toString('base64');
  const answer = await takePush(ports, { supplier: CJ, headers: { sign: 'abc' }, bodyBase64 });
  expect(seen).toEqual([{ sign: 'abc' }, BODY]);
  return answer.ok ? answer.value.result : answer.failure;
}

const dueIds = async ({ store }: Desk): Promise<string[]> =>
  (
    await store.query<{ id: string }>(
      'select id from supplier_orders where next_check_at <= now() order by id',
    )
  ).map(({ id }) => id);

/** Bought orders whose next look is an hour away; their references at the supplier. */
async function givenWatched(desk: Desk, ...references: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const [index, reference] of references.entries()) {
    const wanted = { number: index + 1, state: 'accepted', reference, isWatched: true } as const;
    ids.push((await givenPurchase(desk.store, wanted)).supplierOrderId);
  }
  await desk.store.run("update supplier_orders set next_check_at = now() + interval '1 hour'");
  return ids;
}

const strays = async ({ store }: Desk): Promise<string[]> =>
  (await store.query<{ reference: string }>('select reference from stray_supplier_orders order by 1')).map(
    ({ reference }) => reference,
  );

test('news has the truth read at once, by any name of the order: its own, ours, or one of several', async () => {
  const desk = await aDesk();
  const [first = '', second = '', third = ''] = await givenWatched(desk, 'AE1', 'AE2,AE3', 'AE4');
  await givenPurchase(desk.store, { number: 9, state: 'delivered', reference: 'AE9' });
  expect(await push(desk, news('m1', 'AE1'))).toBe('accepted');
  expect(await dueIds(desk)).toEqual([first]);
  expect(await push(desk, news('m2', 'AE3'))).toBe('accepted');
  expect(await push(desk, news('m3', 'unknown', third))).toBe('accepted');
  expect(await push(desk, news('m4', 'AE9'))).toBe('accepted');
  expect(await dueIds(desk)).toEqual([first, second, third].sort());
  expect(await strays(desk)).toEqual([]);
});

test('a message that comes again changes nothing, and its body is nowhere in the database', async () => {
  const desk = await aDesk();
  await givenWatched(desk, 'AE1');
  await push(desk, news('m1', 'AE1'));
  await desk.store.run("update supplier_orders set next_check_at = now() + interval '1 hour'");
  expect(await push(desk, news('m1', 'AE1'))).toBe('repeated');
  expect(await dueIds(desk)).toEqual([]);
  expect(await desk.store.query('select source, delivery_id as id, topic, body from webhooks')).toEqual([
    { source: CJ, id: 'm1', topic: 'order', body: '' },
  ]);
});

test('what no database can keep is taken all the same, once, and the orders that it names are read', async () => {
  const desk = await aDesk();
  const [first] = await givenWatched(desk, 'AE1');
  for (const odd of ['m\u0000', 'm'.repeat(200_000), 'm\ud800', 'm\ud801']) {
    const said: Push = { kind: 'news', messageId: odd, topic: odd, references: [odd, 'AE1'] };
    expect(await push(desk, said)).toBe('accepted');
    expect(await push(desk, said)).toBe('repeated');
  }
  expect(await dueIds(desk)).toEqual([first]);
  expect(await push(desk, news('m3', 'AE\u00007', 'AE\udc007'))).toBe('accepted');
  expect(await strays(desk)).toEqual([]);
});

test('a probe is answered yes, as is what is signed and cannot be read, a forgery no; none leaves anything behind', async () => {
  const desk = await aDesk();
  await givenWatched(desk, 'AE1');
  expect(await push(desk, { kind: 'probe' })).toBe('probe');
  expect(await push(desk, { kind: 'unreadable' })).toBe('unreadable');
  expect(desk.logLines).toContainEqual(
    expect.objectContaining({ supplier: CJ, msg: 'a signed push has a form that is not known' }),
  );
  expect(await push(desk, { kind: 'forged' })).toBe('forged');
  expect(await dueIds(desk)).toEqual([]);
  expect(await desk.store.query('select 1 from webhooks')).toEqual([]);
});

test('a bill is kept with its order, whatever that waits for, and nothing else is believed', async () => {
  const desk = await aDesk();
  const purchase = await givenPurchase(desk.store, { state: 'awaiting_payment', reference: 'AE1' });
  const bill = { id: 'BT1', amountMinor: 235, currency: 'USD', isOpen: true };
  const said: Push = { kind: 'news', messageId: 'b1', topic: 'bill', references: ['AE1'], bill };
  expect(await push(desk, said)).toBe('accepted');
  expect(await push(desk, said)).toBe('repeated');
  expect(await saidTo(desk.store, purchase)).toEqual([]);
  expect(
    await desk.store.query(
      'select supplier_order_id as id, bill_id as bill, is_open as open from supplier_bills',
    ),
  ).toEqual([{ id: purchase.supplierOrderId, bill: 'BT1', open: true }]);
  expect(desk.logLines).toContainEqual(expect.objectContaining({ msg: 'the supplier wants more money' }));
});

test('an order that is none of ours is kept, once', async () => {
  const desk = await aDesk();
  expect(await push(desk, news('m1', 'AE7'))).toBe('accepted');
  expect(await push(desk, news('m2', 'AE7'))).toBe('accepted');
  expect(await strays(desk)).toEqual(['AE7']);
});

test('messages that come at the same time are each taken for what they are, in one transaction', async () => {
  const desk = await aDesk();
  const [first = '', second = ''] = await givenWatched(desk, 'AE1', 'AE2');
  const told = [
    news('m5', 'AE1'),
    news('m3', 'AE8', 'AE7'),
    news('m4', 'AE6'),
    news('m1', 'AE1', 'AE2'),
    news('m3', 'AE2'),
    news('m2'),
  ];
  const ports = withAdapter(desk.ports, {
    readPush: async ({ body }) => told[Number(Buffer.from(body))] ?? { kind: 'forged' },
  });
  const answers = await Promise.all(
    told.map((_, index) => {
      const bodyBase64 = Buffer.from(String(index)).toString('base64');
      return takePush(ports, { supplier: CJ, headers: {}, bodyBase64 });
    }),
  );
  expect(answers.map((answer) => answer.ok && answer.value.result)).toEqual([
    'accepted',
    'accepted',
    'accepted',
    'accepted',
    'repeated',
    'accepted',
  ]);
  expect(await dueIds(desk)).toEqual([first, second].sort());
  expect(await strays(desk)).toEqual(['AE6', 'AE8']);
  const kept = await desk.store.query('select delivery_id as id from webhooks order by 1');
  expect(kept).toMatchObject([{ id: 'm1' }, { id: 'm2' }, { id: 'm3' }, { id: 'm4' }, { id: 'm5' }]);
  await expect(desk.store.query('select distinct xmin::text from webhooks')).resolves.toHaveLength(1);
});

test('what cannot be verified now is a failure that names its cause', async () => {
  const desk = await aDesk();
  const request = { supplier: CJ, headers: {}, bodyBase64: '' } as const;
  const away = withAdapter(desk.ports, {
    readPush: () => Promise.reject(new SupplierError('transient', 'no token yet', {})),
  });
  expect(await takePush(away, request)).toMatchObject({ failure: { failureClass: 'transient' } });
  const off = { ...desk.ports, adapterOf: () => undefined };
  expect(await takePush(off, { ...request, supplier: 'aliexpress' })).toMatchObject({
    failure: { evidence: { missing: expect.stringContaining('ALIEXPRESS_API_KEY') } },
  });
});

test('the watch reads a pushed order without waiting for its turn', async () => {
  const desk = await aDesk({ ORDER_MANAGER_POLL_SECONDS: '3600' });
  await givenWatched(desk, 'SD1');
  const watch = startWatch(desk.ports, desk.adapter);
  onTestFinished(() => watch.stop());
  expect(await callsOf(desk.world, 'getOrderDetailBatch')).toBe(0);
  await push(desk, news('m1', 'SD1'));
  await eventually(async () =>
    expect(await callsOf(desk.world, 'getOrderDetailBatch')).toBeGreaterThanOrEqual(1),
  );
});
