import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { orderIdOf } from '../../contracts/ids.ts';
import { STREAMS } from '../../contracts/subjects.ts';
import { openBus } from '../../services/bus/bus.ts';
import { commitAndPublish } from '../../services/bus/commit-and-publish.ts';
import { planRepublish, republish } from '../../services/republish.ts';
import type { Store } from '../../services/store/store.ts';
import { aDatabase, aStore } from '../fixtures/database.ts';
import { eventually } from '../fixtures/eventually.ts';
import { NODE_ENVIRONMENT } from '../fixtures/node-environment.ts';
import { aMessage, received, SHOP } from '../fixtures/order-events.ts';
import { startHostProcess } from '../fixtures/order-host.ts';
import { type OwnNats, startOwnNats } from '../fixtures/own-nats.ts';
import { aProbe } from '../fixtures/probe-nats.ts';
import { emptyStreams } from '../fixtures/service-context.ts';

const REPUBLISH = fileURLToPath(new URL('../../deploy/republish.ts', import.meta.url));

let nats: OwnNats;
beforeAll(async () => {
  nats = await startOwnNats();
});
afterAll(() => nats.remove());

const idsOf = (numbers: readonly number[]): string[] =>
  numbers.map((number) => orderIdOf(SHOP, String(number))).sort();
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

const arrived = async (store: Store): Promise<string[]> =>
  (await store.query<{ id: string }>('select id from orders order by id')).map(({ id }) => id);

const halted = async (store: Store): Promise<number> =>
  (await store.query('select part from event_partitions where halted is not null')).length;

const isOutboxEmpty = async (store: Store): Promise<void> => {
  expect(await store.query('select 1 from outbox_pending')).toEqual([]);
};

/** Takes in orders with a host of its own, which is gone when this returns; commands and facts lie in NATS. */
async function takeIn(connectionString: string, store: Store, numbers: readonly number[]): Promise<void> {
  const host = startHostProcess(connectionString, nats.url);
  await tell(store, numbers);
  await eventually(async () => expect(await arrived(store)).toEqual(expect.arrayContaining(idsOf(numbers))));
  host.kill('SIGTERM');
  await host.ended;
  await eventually(() => isOutboxEmpty(store));
}

/** Says that the orders came, and waits until JetStream has it. */
async function tell(store: Store, numbers: readonly number[]): Promise<void> {
  const bus = await openBus(nats.url, 'lost-stream');
  for (const number of numbers)
    await commitAndPublish(store, bus, async (_sql, say) =>
      say(aMessage(received(String(number)), `told:${number}`)),
    );
  await eventually(() => isOutboxEmpty(store));
  await bus.close();
}

/** Orders are taken in, others only told, and NATS loses everything; returns once the next host has halted each partition. */
async function afterALoss(taken: readonly number[], told: readonly number[] = []) {
  const connectionString = await aDatabase();
  const store = await aStore(connectionString);
  await emptyStreams(nats.url);
  await takeIn(connectionString, store, taken);
  await tell(store, told);
  await emptyStreams(nats.url);
  const counted = await store.query('select part from event_partitions where stream_created is not null');
  startHostProcess(connectionString, nats.url);
  await eventually(async () => expect(await halted(store)).toBe(counted.length));
  return { connectionString, store };
}

const run = async (connectionString: string, ...args: string[]): Promise<string> => {
  const env = { ...NODE_ENVIRONMENT, DB_CONNECTION_STRING: connectionString, NATS_URL: nats.url };
  const { stdout } = await promisify(execFile)(process.execPath, [REPUBLISH, ...args], { env });
  return stdout;
};

/** Each order came once, and the streams hold each fact and each command that was ever said. */
async function assertWhole(store: Store, count: number): Promise<void> {
  await eventually(async () => expect(await arrived(store)).toEqual(idsOf(upTo(count))));
  expect(await halted(store)).toBe(0);
  await eventually(() => isOutboxEmpty(store));
  const timeline = await store.query<{ count: number }>(
    "select count(*)::int from timeline where type = 'order.received' and accepted group by order_id having count(*) > 1",
  );
  expect(timeline).toEqual([]);
  const probe = await aProbe(nats.url);
  const said = async (prefix: string): Promise<string[]> =>
    (
      await store.query<{ id: string }>(
        'select message_id as id from outbox where starts_with(subject, $1) order by 1',
        [prefix],
      )
    ).map(({ id }) => id);
  const stored = async (stream: string): Promise<string[]> =>
    (await probe.messagesIn(stream)).map(({ messageId }) => messageId).sort();
  expect((await said('oms.pub.')).length).toBeGreaterThanOrEqual(count);
  expect((await stored(STREAMS.crew)).sort()).toEqual((await said('oms.pub.')).sort());
  expect(new Set(await stored(STREAMS.commands))).toEqual(new Set(await said('oms.cmd.')));
}

test('orders, commands and facts of a store that was lost come back by a republish, which may be repeated', async () => {
  const { connectionString, store } = await afterALoss(upTo(20), [21, 22, 23, 24, 25]);
  expect(await arrived(store)).toEqual(idsOf(upTo(20)));

  const plan = await run(connectionString, '--dry-run');
  expect(plan).toContain('made anew');
  expect(plan).toContain('5 events that no order has taken');
  expect(await halted(store)).toBeGreaterThan(0);
  expect(await run(connectionString)).toContain('halted partitions read on');
  await assertWhole(store, 25);
  await run(connectionString);
  await assertWhole(store, 25);
});

test('what only stood in the lost tail of a stream is read after a republish since then', async () => {
  const connectionString = await aDatabase();
  const store = await aStore(connectionString);
  await emptyStreams(nats.url);
  await takeIn(connectionString, store, upTo(10));
  await nats.stop();
  nats.keepStore();
  await nats.start();
  const [before] = await store.query<{ at: Date }>('select now() as at');
  await takeIn(connectionString, store, [11, 12, 13, 14]);
  await tell(store, [15, 16]);
  await nats.stop();
  nats.restoreStore();
  await nats.start();

  startHostProcess(connectionString, nats.url);
  await eventually(async () => expect(await halted(store)).toBeGreaterThan(0));
  const said = await run(connectionString, '--since', new Date(before?.at ?? 0).toISOString());
  expect(said).toContain('its tail is lost');
  expect(said).toContain('2 events that no order has taken');
  await assertWhole(store, 16);
});

test('an event that no order has taken comes back, however long before the asked time it was said', async () => {
  const { connectionString, store } = await afterALoss([1, 2], [3]);
  await store.run("update outbox set published_at = published_at - interval '3 hours'");
  const said = await run(connectionString, '--since', new Date(Date.now() - 60_000).toISOString());
  expect(said).toContain('1 events that no order has taken, 0 commands and 0 facts');
  await eventually(async () => expect(await arrived(store)).toEqual(idsOf([1, 2, 3])));
});

test('orders go on as soon as their events are back, before commands and facts are', async () => {
  const { store } = await afterALoss(upTo(3));
  const bus = await openBus(nats.url, 'lost-stream');
  onTestFinished(() => bus.close());
  const plan = await planRepublish(store);
  let atTheFirst: Promise<number> | undefined;
  const published = await republish(store, bus, plan, () => {
    atTheFirst ??= halted(store);
  });
  expect(plan.counts).toMatchObject({ events: 0 });
  expect(published).toBe(plan.counts.commands + plan.counts.facts);
  expect(await atTheFirst).toBe(0);
});

test('an archive that does not reach back so far says from when it holds and what to do', async () => {
  const store = await aStore(await aDatabase());
  await store.run(
    `insert into outbox (message_id, subject, payload, published_at) values ('a', 's', '{}', now()), ('b', 's', '{}', now())`,
  );
  const twoDaysAgo = new Date(Date.now() - 2 * 24 * 3_600_000).toISOString();
  await expect(planRepublish(store, twoDaysAgo)).resolves.toMatchObject({ halted: [] });
  await store.run("delete from outbox where message_id = 'a'");
  await expect(planRepublish(store, twoDaysAgo)).rejects.toThrow(
    /holds what was published since 20.*backfill/,
  );
});

test('the sequence of a time is the first message stored since, or one behind the end', async () => {
  await emptyStreams(nats.url);
  const store = await aStore(await aDatabase());
  const bus = await openBus(nats.url, 'lost-stream');
  onTestFinished(() => bus.close());
  expect(await bus.firstSeqSince(STREAMS.events, new Date(0))).toBe(1);
  await tell(store, [1, 2, 3]);
  expect(await bus.firstSeqSince(STREAMS.events, new Date(0))).toBe(1);
  expect(await bus.firstSeqSince(STREAMS.events, new Date(Date.now() + 60_000))).toBe(4);
});
