import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import type { OrderEvent } from '../../contracts/events/order-event.ts';
import { orderIdOf, parcelIdOf } from '../../contracts/ids.ts';
import type { ParcelStateName } from '../../contracts/vocabulary.ts';
import { startOrders } from '../../services/orders/service.ts';
import {
  accepted,
  aMessage,
  boughtFor,
  delivered,
  elapsed,
  placing,
  received,
  SHOP,
  sourced,
} from '../fixtures/order-events.ts';
import { anEmptyNats, aServiceContext } from '../fixtures/service-context.ts';

const nats = await anEmptyNats();

const orderId = orderIdOf(SHOP, '1');
const parcelId = parcelIdOf(boughtFor(orderId), `TRACK-${orderId}`);

/** The plan of the fixture, from a lane whose quote is known. */
function quoted(days: number): OrderEvent {
  const event = sourced(orderId);
  if (event.type !== 'order.sourced') throw new TypeError('not a plan');
  const parts = event.data.parts.map((part) => ({ ...part, deliveryDays: days }));
  return { ...event, data: { ...event.data, parts } };
}

function seen(state: ParcelStateName): OrderEvent {
  const event = delivered(orderId);
  if (event.type !== 'supplier_order.observed') throw new TypeError('not an observation');
  const parcels = event.data.parcels.map((parcel) => ({ ...parcel, state }));
  return { ...event, data: { ...event.data, status: 'shipped', parcels } };
}

const PATIENCE = { timeout: 60_000 };

test('a parcel that misses its lane’s deadline is delayed, told to its customer once, and goes on when it moves', async () => {
  const context = await aServiceContext(nats.url, { ORDER_MANAGER_GRACE_SECONDS: '86400' });
  const { store, bus } = context;
  onTestFinished(await startOrders(context));
  const say = (...events: readonly OrderEvent[]) =>
    bus.publish(events.map((event) => aMessage(event, `test:${randomUUID()}`)));
  const parcel = async () => {
    const rows = await store.query<{ state: string; left: boolean }>(
      'select state, left_at is not null as left from parcels where id = $1',
      [parcelId],
    );
    return rows[0];
  };
  const deadlines = () =>
    store.query<{ days: number }>(
      `select round(extract(epoch from due_at - now()) / 86400)::int as days from timers where deadline = 'transit'`,
    );
  const mails = async () =>
    (await store.query<{ kind: string }>('select kind from notifications')).map(({ kind }) => kind);

  await say(received('1'), elapsed(orderId, 'grace'), quoted(12), placing(orderId), accepted(orderId));
  await say(seen('in_transit'));
  await expect.poll(parcel, PATIENCE).toEqual({ state: 'in_transit', left: true });
  expect(await deadlines()).toEqual([{ days: 15 }]);
  expect(await store.query('select delivery_days as days from supplier_orders')).toEqual([{ days: 12 }]);

  await store.run("update timers set due_at = now() - interval '1 second' where deadline = 'transit'");
  await expect.poll(parcel, PATIENCE).toEqual({ state: 'delayed', left: true });
  expect(await deadlines()).toEqual([]);
  expect((await mails()).filter((kind) => kind === 'parcel_delayed')).toHaveLength(1);

  await say(seen('out_for_delivery'));
  await expect.poll(parcel, PATIENCE).toEqual({ state: 'out_for_delivery', left: true });
  await say(delivered(orderId));
  await expect.poll(parcel, PATIENCE).toEqual({ state: 'delivered', left: true });
  expect((await mails()).sort()).toEqual([
    'order_confirmed',
    'parcel_delayed',
    'parcel_delivered',
    'parcel_in_transit',
    'parcel_shipped',
  ]);
});
