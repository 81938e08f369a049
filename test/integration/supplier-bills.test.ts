import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PurchaseCommand } from '../../contracts/commands/purchase.ts';
import { HoldList } from '../../contracts/resources/hold.ts';
import { audit } from '../../services/audit.ts';
import { commitAndPublish } from '../../services/bus/commit-and-publish.ts';
import type { Push } from '../../services/suppliers/adapter.ts';
import { billRounds } from '../../services/suppliers/bill-sweep.ts';
import { pay } from '../../services/suppliers/payment.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import { type PurchasePorts, withheld } from '../../services/suppliers/purchase-ports.ts';
import { takePush } from '../../services/suppliers/take-push.ts';
import { type OrdersWorld, startOrdersWorld } from '../fixtures/orders-world.ts';
import { rowOf, withAdapter } from '../fixtures/purchase-desk.ts';
import { aQuotedDraft } from '../fixtures/quoted-draft.ts';
import { seeded } from '../fixtures/seeded.ts';

/*
 * Bills for more money, from the push to the hold: their order, their number and their moments. The order host is real;
 * purchases are carried out here, and so are the rounds that bring bills and holds together.
 */
let world: OrdersWorld;
beforeAll(async () => {
  world = await startOrdersWorld({}, { isByHand: true });
});
afterAll(() => world.stop());

const isIn = (purchase: PurchaseCommand, state: string): Promise<void> =>
  expect.poll(async () => (await rowOf(world.store, purchase))?.state, { interval: 25 }).toBe(state);

let orders = 0;
const aDraft = (): Promise<PurchaseCommand> => {
  orders += 1;
  return aQuotedDraft(world, `ord_bill_${orders}`, 1);
};

async function anUnpaid(): Promise<PurchaseCommand> {
  const purchase = await aDraft();
  await buy(world.ports, purchase, `buy-${purchase.orderId}`);
  await isIn(purchase, 'awaiting_payment');
  return purchase;
}

async function payFor(purchase: PurchaseCommand): Promise<void> {
  await pay(world.ports, purchase, `pay-${purchase.orderId}`);
  await isIn(purchase, 'accepted');
}

async function aBought(): Promise<PurchaseCommand> {
  const purchase = await anUnpaid();
  await payFor(purchase);
  return purchase;
}

function byHand(): PurchasePorts {
  const adapter = world.ports.adapterOf('cj_dropshipping');
  if (adapter === undefined) throw new Error('the world has no adapter');
  return withAdapter(world.ports, { capabilities: { ...adapter.capabilities, payment: 'by_hand' } });
}

type Word = 'opened' | 'settled';

const aPush = ({ supplierOrderId }: PurchaseCommand, id: string, word: Word, time = 1): Push => ({
  kind: 'news',
  messageId: `${supplierOrderId}:${id}:${word}:${time}`,
  topic: 'bill',
  references: [supplierOrderId],
  bill: { id, amountMinor: 235, currency: 'USD', isOpen: word === 'opened' },
});

/** All at the same time, as pushes come. */
async function hear(...pushes: readonly Push[]): Promise<void> {
  const ports = withAdapter(world.ports, {
    readPush: async ({ body }) => pushes[Number(Buffer.from(body))] ?? { kind: 'forged' },
  });
  const answers = await Promise.all(
    pushes.map((_, index) => {
      const bodyBase64 = Buffer.from(String(index)).toString('base64');
      return takePush(ports, { supplier: 'cj_dropshipping', headers: {}, bodyBase64 });
    }),
  );
  expect(answers).toEqual(pushes.map(() => ({ ok: true, value: { result: 'accepted' } })));
}

const heldBy = async ({ orderId }: PurchaseCommand) =>
  HoldList.parse(await (await world.call('GET', `/holds?orderId=${orderId}`)).json()).items;

/** The release before this one keeps no bills, and tells the order at once. */
async function tellAsBefore({ supplierOrderId, orderId }: PurchaseCommand, billId: string): Promise<void> {
  const evidence = { billId, amountMinor: 235, currency: 'USD' };
  const row = { id: supplierOrderId, orderId };
  await commitAndPublish(world.store, world.ports.bus, async (_sql, say) =>
    say(withheld(row, 'bill:before', 0, { reason: 'payment_pending', evidence })),
  );
  await world.settled(orderId);
}

/** A round of every copy, and what the order makes of it. */
async function afterRound(purchase: PurchaseCommand, rounds = [billRounds(world.ports)]) {
  await Promise.all(rounds.map((round) => round()));
  await world.settled(purchase.orderId);
  return heldBy(purchase);
}

const naming = (billId: string, amountMinor: number) => [
  { reason: 'payment_pending', evidence: { billId, amountMinor, currency: 'USD' } },
];

/** What was said to the order about bills so far. */
const saidOf = async ({ orderId }: PurchaseCommand): Promise<number> =>
  (
    await world.store.query(
      "select 1 from outbox where subject like '%.' || $1 and message_id like '%:bill%'",
      [orderId],
    )
  ).length;

test('a bill holds its order with the amount until it is settled, however often it is sent', async () => {
  const purchase = await aBought();
  await hear(aPush(purchase, 'BT1', 'opened'));
  expect(await afterRound(purchase)).toMatchObject(naming('BT1', 235));
  await hear(aPush(purchase, 'BT1', 'opened', 2));
  expect(await afterRound(purchase)).toMatchObject(naming('BT1', 235));
  expect(await saidOf(purchase)).toBe(1);
  await hear(aPush(purchase, 'BT1', 'settled'));
  expect(await afterRound(purchase)).toEqual([]);
});

test('a bill that is settled holds nothing, though word comes late that it was made', async () => {
  const purchase = await aBought();
  await hear(aPush(purchase, 'BT1', 'settled'));
  expect(await afterRound(purchase)).toEqual([]);
  await hear(aPush(purchase, 'BT1', 'opened'));
  expect(await afterRound(purchase)).toEqual([]);
  await hear(aPush(purchase, 'BT2', 'settled'), aPush(purchase, 'BT2', 'opened'));
  await hear(aPush(purchase, 'BT3', 'opened'), aPush(purchase, 'BT3', 'settled'));
  expect(await afterRound(purchase)).toEqual([]);
  expect(await saidOf(purchase)).toBe(0);
});

test('of several bills the hold names those that are open, and stands until none is', async () => {
  const purchase = await aBought();
  await hear(aPush(purchase, 'BT1', 'opened'));
  await afterRound(purchase);
  await hear(aPush(purchase, 'BT2', 'opened'), aPush(purchase, 'BT3', 'opened'));
  expect(await afterRound(purchase)).toMatchObject(naming('BT1, BT2, BT3', 705));
  await hear(aPush(purchase, 'BT1', 'settled'));
  expect(await afterRound(purchase)).toMatchObject(naming('BT2, BT3', 470));
  await hear(aPush(purchase, 'BT3', 'settled'));
  expect(await afterRound(purchase)).toMatchObject(naming('BT2', 235));
  await hear(aPush(purchase, 'BT2', 'settled'));
  expect(await afterRound(purchase)).toEqual([]);
  expect(await afterRound(purchase)).toEqual([]);
});

test('a bill that comes before the order is known to be paid stops no payment, and holds it afterwards', async () => {
  const purchase = await anUnpaid();
  await hear(aPush(purchase, 'BT1', 'opened'));
  expect(await afterRound(purchase)).toEqual([]);
  await payFor(purchase);
  expect(await afterRound(purchase)).toMatchObject(naming('BT1', 235));
});

test('a bill that is settled while the order is to be paid by hand does not end that', async () => {
  const purchase = await anUnpaid();
  await pay(byHand(), purchase, 'by-hand');
  await world.settled(purchase.orderId);
  await hear(aPush(purchase, 'BT1', 'settled'));
  const [hold, ...others] = await afterRound(purchase);
  expect(hold).toMatchObject({
    reason: 'payment_pending',
    evidence: { cause: 'pay by hand at the supplier' },
  });
  expect(others).toEqual([]);
});

test('what a person releases stays released until there is another bill', async () => {
  const purchase = await aBought();
  await hear(aPush(purchase, 'BT1', 'opened'), aPush(purchase, 'BT2', 'opened'));
  const [hold] = await afterRound(purchase);
  expect((await world.call('POST', `/holds/${hold?.id}/release`)).status).toBe(202);
  expect(await afterRound(purchase)).toEqual([]);
  await hear(aPush(purchase, 'BT1', 'settled'));
  expect(await afterRound(purchase)).toEqual([]);
  await hear(aPush(purchase, 'BT3', 'opened'));
  expect(await afterRound(purchase)).toMatchObject(naming('BT2, BT3', 470));
});

test('a hold for a bill that is settled goes, also when its order hears of the bill after all else', async () => {
  const purchase = await aBought();
  await hear(aPush(purchase, 'BT1', 'opened'));
  await afterRound(purchase);
  await hear(aPush(purchase, 'BT1', 'settled'));
  expect(await afterRound(purchase)).toEqual([]);
  await tellAsBefore(purchase, 'BT1');
  expect(await heldBy(purchase)).toHaveLength(1);
  expect(await afterRound(purchase)).toEqual([]);
});

test('a hold for a bill that nobody kept goes with the word that it is settled', async () => {
  const purchase = await aBought();
  await tellAsBefore(purchase, 'BT1');
  expect(await afterRound(purchase)).toHaveLength(1);
  await hear(aPush(purchase, 'BT1', 'settled'));
  expect(await afterRound(purchase)).toEqual([]);
});

test('of several copies one says it', async () => {
  const purchase = await aBought();
  const copies = [billRounds(world.ports), billRounds(world.ports), billRounds(world.ports)];
  await hear(aPush(purchase, 'BT1', 'opened'));
  expect(await afterRound(purchase, copies)).toMatchObject(naming('BT1', 235));
  expect(await saidOf(purchase)).toBe(1);
});

test.each([1, 2, 3, 4])(
  'in whatever order words and rounds come, in the end the hold names what is open (seed %i)',
  async (seed) => {
    const random = seeded(seed);
    const purchase = await aBought();
    const copies = [billRounds(world.ports), billRounds(world.ports)];
    const bills = ['BT1', 'BT2', 'BT3', 'BT4'].map((id) => ({ id, isSettled: random() < 0.5 }));
    const words = bills.flatMap(({ id, isSettled }) => [
      aPush(purchase, id, 'opened'),
      ...(isSettled ? [aPush(purchase, id, 'settled')] : []),
    ]);
    const shuffled = words
      .map((word) => ({ word, place: random() }))
      .sort((a, b) => a.place - b.place)
      .map(({ word }) => word);
    while (shuffled.length > 0) {
      const now = shuffled.splice(0, 1 + Math.floor(random() * 3));
      await Promise.all([hear(...now), ...copies.map((round) => round())]);
      if (random() < 0.5) await world.settled(purchase.orderId);
    }
    for (let last = 0; last < 3; last += 1) await afterRound(purchase, copies);
    const open = bills.filter(({ isSettled }) => !isSettled).map(({ id }) => id);
    expect((await heldBy(purchase)).map(({ evidence }) => evidence.billId)).toEqual(
      open.length === 0 ? [] : [open.join(', ')],
    );
  },
);

test('while the order does not listen, the same is said once', async () => {
  const purchase = await aBought();
  await hear(aPush(purchase, 'BT1', 'opened'));
  await afterRound(purchase);
  await hear(aPush(purchase, 'BT1', 'settled'));
  const deaf = {
    ...world.ports,
    bus: { ...world.ports.bus, publish: () => Promise.reject(new Error('away')) },
  };
  const round = billRounds(deaf);
  for (let repeated = 0; repeated < 3; repeated += 1) await round();
  expect(await saidOf(purchase)).toBe(2);
});

test('a bill of an order that came to nothing is kept, and looked at no more', async () => {
  const purchase = await aDraft();
  await hear(aPush(purchase, 'BT1', 'opened'));
  expect((await world.call('DELETE', `/supplier-orders/${purchase.supplierOrderId}`)).status).toBe(202);
  await isIn(purchase, 'cancelled');
  expect(await afterRound(purchase)).toMatchObject([{ reason: 'operator' }]);
  expect(
    await world.store.query(
      `select bill_id as id, is_open as "isOpen", is_pending as "isPending" from supplier_bills
        where supplier_order_id = $1`,
      [purchase.supplierOrderId],
    ),
  ).toEqual([{ id: 'BT1', isOpen: true, isPending: false }]);
});

test('all that was told leads to the same states when it is told again', async () => {
  const said: string[] = [];
  expect((await audit(world.store, (line) => said.push(line))).violations, said.join('\n')).toBe(0);
});
