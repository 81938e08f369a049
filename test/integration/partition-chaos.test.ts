import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ORDER_UPDATED } from '../../contracts/events/order-received.ts';
import { orderIdOf } from '../../contracts/ids.ts';
import { type Bus, openBus } from '../../services/bus/bus.ts';
import type { OutgoingMessage } from '../../services/bus/publisher.ts';
import { migrate } from '../../services/store/migrate.ts';
import type { Store } from '../../services/store/store.ts';
import { aStore } from '../fixtures/database.ts';
import {
  accepted,
  aMessage,
  delivered,
  elapsed,
  placing,
  received,
  rejected,
  SHOP,
  sourced,
} from '../fixtures/order-events.ts';
import { type HostProcess, startHostProcess } from '../fixtures/order-host.ts';
import { type OwnNats, startOwnNats } from '../fixtures/own-nats.ts';
import { type OwnPostgres, startOwnPostgres } from '../fixtures/own-postgres.ts';
import { aProbe } from '../fixtures/probe-nats.ts';
import { seeded } from '../fixtures/seeded.ts';

const ORDERS = 300;
/** Events on their way at once: enough that every fault meets work, few enough that the last one still does. */
const AHEAD = 400;
const SEED = 20_261_122;

let nats: OwnNats;
let postgres: OwnPostgres;
beforeAll(async () => {
  [nats, postgres] = await Promise.all([startOwnNats(), startOwnPostgres()]);
});
afterAll(async () => {
  await Promise.all([nats.remove(), postgres.remove()]);
});

interface Story {
  readonly orderId: string;
  readonly messages: OutgoingMessage[];
  /** Whether the machine takes each of them. */
  readonly accepted: boolean[];
  readonly end: string;
  readonly supplierOrderEnd: string | null;
}

/** A third of the orders is delivered, a third is refused by the supplier, a third is cancelled in time. */
function aStory(number: number): Story {
  const shopOrderId = String(number);
  const orderId = orderIdOf(SHOP, shopOrderId);
  const body = received(shopOrderId);
  const bought = [body, elapsed(orderId, 'grace'), sourced(orderId), placing(orderId)];
  const cancel = received(shopOrderId, { cancelled: true, sourceUpdatedAt: '2026-11-20T10:05:00.000Z' });
  const kinds = [
    {
      events: [...bought, accepted(orderId), delivered(orderId)],
      end: 'delivered',
      supplierOrderEnd: 'delivered',
      taken: 6,
    },
    { events: [...bought, rejected(orderId)], end: 'purchasing', supplierOrderEnd: 'rejected', taken: 5 },
    {
      events: [
        body,
        { ...cancel, type: ORDER_UPDATED } as typeof cancel,
        elapsed(orderId, 'grace'),
        sourced(orderId),
      ],
      end: 'cancelled',
      supplierOrderEnd: null,
      taken: 2,
    },
  ] as const;
  const { events, end, supplierOrderEnd, taken } = kinds[(number % 3) as 0 | 1 | 2];
  return {
    orderId,
    end,
    supplierOrderEnd,
    messages: events.map((event, index) => aMessage(event, `${orderId}:${index}`)),
    accepted: events.map((_, index) => index < taken),
  };
}

/** All messages in batches, each order's in order and in different batches: a batch can be sent again as a whole. */
function interleave(stories: readonly Story[], random: () => number): OutgoingMessage[][] {
  const left = stories.map(({ messages }) => [...messages]);
  const batches: OutgoingMessage[][] = [];
  for (let open = left; open.length > 0; open = open.filter((messages) => messages.length > 0)) {
    const drawn = open.filter(() => random() < 30 / open.length);
    const batch = (drawn.length > 0 ? drawn : open.slice(0, 1)).flatMap((messages) => messages.shift() ?? []);
    batches.push(batch);
  }
  return batches;
}

const poll = { interval: 50 };

/** Counts while the database comes and goes: -1 when it is away. */
const countOf = (store: Store, table: string): Promise<number> =>
  store.query<{ n: number }>(`select count(*)::int as n from ${table}`).then(
    ([row]) => row?.n ?? 0,
    () => -1,
  );

async function publishSurely(bus: Bus, batch: readonly OutgoingMessage[]): Promise<void> {
  for (;;) {
    try {
      return await bus.publish(batch);
    } catch {
      await expect.poll(() => bus.isConnected(), poll).toBe(true);
    }
  }
}

test('every order ends right though workers are killed and frozen, and NATS and PostgreSQL die under them', async () => {
  const random = seeded(SEED);
  const stories = Array.from({ length: ORDERS }, (_, number) => aStory(number));
  const total = stories.reduce((sum, { messages }) => sum + messages.length, 0);
  expect(total).toBe(1_500);
  const store = await aStore(postgres.connectionString, 2);
  await migrate(store);
  const bus = await openBus(nats.url, 'test');
  onTestFinished(() => bus.close());
  await bus.setUp(1);

  const start = (): HostProcess => startHostProcess(postgres.connectionString, nats.url);
  const hosts = [start(), start()];
  const ends: unknown[] = [];
  const watch = (host: HostProcess): void => {
    void host.ended.then((end) =>
      ends.push(end.signal === 'SIGKILL' ? end : { ...end, said: host.output().split('\n').slice(-3) }),
    );
  };
  hosts.forEach(watch);
  await Promise.all(hosts.map(({ ready }) => ready));

  const killWorker = async (): Promise<void> => {
    const victim = random() < 0.5 ? 0 : 1;
    hosts[victim]?.kill('SIGKILL');
    await hosts[victim]?.ended;
    const next = start();
    hosts[victim] = next;
    watch(next);
  };
  /** Frozen beyond its leases, it wakes as a zombie with a buffer full of events that are somebody else's by then. */
  const freezeWorker = async (): Promise<void> => {
    const victim = hosts[random() < 0.5 ? 0 : 1];
    victim?.kill('SIGSTOP');
    const owners = '(select distinct owner from event_partitions where lease_until > now()) living';
    await expect.poll(() => countOf(store, owners), poll).toBe(1);
    victim?.kill('SIGCONT');
  };
  /** A service that starts while the database is away refuses to, so those that were just started come first. */
  const crashPostgres = async (): Promise<void> => {
    await Promise.all(hosts.map(({ ready }) => ready));
    await postgres.crashAndRestart();
  };
  const killNats = async (): Promise<void> => {
    await nats.kill();
    await nats.start();
  };
  const faults = [
    killWorker,
    killWorker,
    killNats,
    killWorker,
    freezeWorker,
    killWorker,
    crashPostgres,
    killWorker,
    killWorker,
  ];
  const doFaults = async (): Promise<void> => {
    for (const [index, fault] of faults.entries()) {
      const moment = ((index + random()) / (faults.length + 1)) * total;
      await expect.poll(() => countOf(store, 'inbox'), poll).toBeGreaterThanOrEqual(moment);
      await fault();
    }
  };
  const publishAll = async (): Promise<void> => {
    let published = 0;
    for (const batch of interleave(stories, random)) {
      await expect.poll(() => countOf(store, 'inbox'), poll).toBeGreaterThanOrEqual(published - AHEAD);
      await publishSurely(bus, batch);
      published += batch.length;
    }
  };
  await Promise.all([doFaults(), publishAll()]);
  await expect.poll(() => countOf(store, 'inbox'), poll).toBe(total);
  await expect.poll(() => countOf(store, 'outbox_pending'), poll).toBe(0);

  // Nobody died of anybody else's death.
  const murders = faults.filter((fault) => fault === killWorker);
  expect(ends).toEqual(murders.map(() => ({ code: null, signal: 'SIGKILL' })));
  for (const host of hosts) {
    await host.ready;
    host.kill('SIGTERM');
    expect(await host.ended, host.output()).toEqual({ code: 0, signal: null });
  }

  const inbox = await store.query<{ message_id: string }>('select message_id from inbox');
  const sent = stories.flatMap(({ messages }) => messages.map(({ messageId }) => messageId));
  expect(inbox.map(({ message_id }) => message_id).sort()).toEqual(sent.sort());
  expect(await store.query('select order_id, failure from dead_letters')).toEqual([]);
  expect(await store.query('select part, halted from event_partitions where halted is not null')).toEqual([]);

  const orders = await store.query<{ id: string; state: string; bought: string | null }>(
    `select o.id, o.state, s.state as bought from orders o left join supplier_orders s on s.order_id = o.id`,
  );
  const endOf = new Map(orders.map(({ id, state, bought }) => [id, [state, bought]]));
  expect(endOf).toEqual(
    new Map(stories.map(({ orderId, end, supplierOrderEnd }) => [orderId, [end, supplierOrderEnd]])),
  );
  expect(orders).toHaveLength(ORDERS);

  const timeline = await store.query<{ order_id: string; message_id: string; accepted: boolean }>(
    'select order_id, message_id, accepted from timeline order by id',
  );
  const walked = new Map<string, [string, boolean][]>(stories.map(({ orderId }) => [orderId, []]));
  for (const entry of timeline) walked.get(entry.order_id)?.push([entry.message_id, entry.accepted]);
  const expected = stories.map(({ orderId, messages, accepted: taken }): [string, [string, boolean][]] => [
    orderId,
    messages.map(({ messageId }, index) => [messageId, taken[index] ?? false]),
  ]);
  expect(walked).toEqual(new Map(expected));

  const probe = await aProbe(nats.url);
  const told = [...(await probe.messagesIn('CREW')), ...(await probe.messagesIn('CMD'))];
  const promised = await store.query<{ message_id: string }>('select message_id from outbox');
  expect(new Set(promised.map(({ message_id }) => message_id)).size).toBe(promised.length);
  expect(told.map(({ messageId }) => messageId).sort()).toEqual(
    promised.map(({ message_id }) => message_id).sort(),
  );
});
