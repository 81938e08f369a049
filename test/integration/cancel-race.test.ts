import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PurchaseCommand } from '../../contracts/commands/purchase.ts';
import { OrderView } from '../../contracts/resources/order.ts';
import { audit } from '../../services/audit.ts';
import { pay } from '../../services/suppliers/payment.ts';
import type { PatientAdapter } from '../../services/suppliers/policy.ts';
import { buy } from '../../services/suppliers/purchase.ts';
import { type OrdersWorld, startOrdersWorld } from '../fixtures/orders-world.ts';
import { aQuotedDraft } from '../fixtures/quoted-draft.ts';

/*
 * The cancel of a person meets a purchase at each of its moments. Commands are carried out here, one by one, so that the
 * moment is exactly the one that the test names; states, rows, bus, ledger and supplier are real.
 */
let world: OrdersWorld;
beforeAll(async () => {
  world = await startOrdersWorld({}, { isByHand: true });
});
afterAll(() => world.stop());

const viewOf = async (id: string): Promise<OrderView> =>
  OrderView.parse(await (await world.call('GET', `/orders/${id}`)).json());
const until = async (id: string, fits: object): Promise<void> => {
  await expect
    .poll(async () => (await world.call('GET', `/orders/${id}`)).json(), { interval: 25 })
    .toMatchObject(fits);
};

let orders = 0;
const aDraft = (): Promise<PurchaseCommand> => {
  orders += 1;
  return aQuotedDraft(world, `ord_race_${orders}`, 2);
};

/** The moments of a purchase at which the cancel can come. */
const MOMENTS = [
  'before the intent',
  'after the intent, before the call',
  'after the call, before it is recorded',
  'after it is recorded',
  'before the payment is called',
  'after the payment, before it is recorded',
  'after the payment is recorded',
] as const;

const WHO = ['DELETE order', 'DELETE supplier order', 'the shop'] as const;

let versions = 0;
async function cancelBy(
  who: (typeof WHO)[number],
  { orderId, supplierOrderId }: PurchaseCommand,
): Promise<void> {
  if (who === 'the shop') {
    versions += 1;
    await world.hearOfCancel(orderId, versions);
  } else {
    const path = who === 'DELETE order' ? `/orders/${orderId}` : `/supplier-orders/${supplierOrderId}`;
    expect((await world.call('DELETE', path)).status).toBe(202);
  }
  await expect
    .poll(() =>
      world.store.query(
        `select 1 from timeline where order_id = $1 and accepted
            and type in ('order.cancel_requested', 'supplier_order.cancel_requested', 'order.updated')`,
        [orderId],
      ),
    )
    .not.toEqual([]);
}

const cases = WHO.flatMap((who) => MOMENTS.map((moment) => [who, moment] as const));

test.each(cases)('%s %s: units and money end consistent', async (who, moment) => {
  const purchase = await aDraft();
  const { orderId, supplierOrderId } = purchase;
  const cancelAt = async (now: (typeof MOMENTS)[number]): Promise<void> => {
    if (now === moment) await cancelBy(who, purchase);
  };
  const real = world.ports.adapterOf('cj_dropshipping') as PatientAdapter;
  const ports = {
    ...world.ports,
    adapterOf: (): PatientAdapter => ({
      ...real,
      async place(request, signal) {
        await cancelAt('after the intent, before the call');
        const placed = await real.place(request, signal);
        await cancelAt('after the call, before it is recorded');
        return placed;
      },
      async pay(reference, signal) {
        await cancelAt('before the payment is called');
        await real.pay(reference, signal);
        await cancelAt('after the payment, before it is recorded');
      },
    }),
  };
  await cancelAt('before the intent');
  await buy(ports, purchase, `buy-${orderId}`);
  await expect.poll(async () => (await viewOf(orderId)).supplierOrders[0]?.status).not.toBe('placing');
  await cancelAt('after it is recorded');
  await pay(ports, purchase, `pay-${orderId}`);
  await world.settled(orderId);
  await cancelAt('after the payment is recorded');
  await world.carryOutCancels(purchase);

  const { status, lines, holdReasons, supplierOrders } = await viewOf(orderId);
  const atSupplier = await world.boughtUnder(supplierOrderId);
  const paid = atSupplier.reduce((sum, { paidCount }) => sum + paidCount, 0);
  const living = atSupplier.filter((order) => order.status !== 'CANCELLED');
  const [purchased] = supplierOrders;
  const [line] = lines;
  expect(line?.units.ordered).toBe(2);
  if (purchased?.status === 'cancelled') {
    // Nothing of it lives at the supplier, no money is in it, and no unit counts as bought.
    expect([living, paid, line?.units.onSupplierOrders]).toEqual([[], 0, 0]);
    if (who === 'DELETE supplier order') {
      expect([holdReasons, line?.units]).toEqual([
        ['operator'],
        expect.objectContaining({ held: 2, cancelled: 0 }),
      ]);
    } else {
      expect([status, holdReasons, line?.units.cancelled]).toEqual(['cancelled', [], 2]);
    }
  } else {
    // The supplier keeps it: its units are still on it, and a person has to see to it.
    expect([living.length, line?.units.onSupplierOrders]).toEqual([1, 2]);
    expect(holdReasons.length).toBeGreaterThan(0);
    expect(purchased?.status).toBe(paid === 1 ? 'accepted' : 'cancelling');
    expect(paid).toBeLessThanOrEqual(1);
  }
  expect(paid === 0 || moment.includes('payment')).toBe(true);
});

test('who cancels again what the supplier keeps hears how the order stands, and not that it is being cancelled', async () => {
  const purchase = await aDraft();
  const { orderId } = purchase;
  await buy(world.ports, purchase, `buy-${orderId}`);
  await until(orderId, { supplierOrders: [{ status: 'awaiting_payment' }] });
  await pay(world.ports, purchase, `pay-${orderId}`);
  await until(orderId, { supplierOrders: [{ status: 'accepted' }] });
  const again = async () => (await world.call('DELETE', `/orders/${orderId}`)).json();
  expect(await again()).toMatchObject({ status: 'cancelling' });
  await until(orderId, { status: 'cancelling' });
  expect(await again()).toMatchObject({ status: 'cancelling' });
  await world.carryOutCancels(purchase);
  await until(orderId, { status: 'awaiting_shipment', holdReasons: ['customer_edit_pending'] });
  expect(await again()).toMatchObject({ status: 'awaiting_shipment' });
});

test('after all of it the books are in order', async () => {
  const lines: string[] = [];
  expect((await audit(world.store, (text) => lines.push(text))).violations, lines.join('\n')).toBe(0);
});
