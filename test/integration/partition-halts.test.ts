import { expect, onTestFinished, test } from 'vitest';
import type { OrderEvent } from '../../contracts/events/order-event.ts';
import { PARTITIONS } from '../../contracts/ids.ts';
import { commitAndPublish } from '../../services/bus/commit-and-publish.ts';
import { haltMisfits } from '../../services/orders/halt-misfits.ts';
import { startArchiveKeeper } from '../../services/orders/sweeper.ts';
import { planRepublish, republish } from '../../services/republish.ts';
import { aMessage, elapsed, received } from '../fixtures/order-events.ts';
import { SETTINGS } from '../fixtures/order-host.ts';
import {
  A,
  anEventLog,
  anOwner,
  B,
  C,
  countOf,
  haltsOf,
  lettersOf,
  PART,
  raw,
  readUpTo,
  seqOf,
  sharesOf,
  stateOf,
  storyOf,
  until,
  type World,
} from '../fixtures/partition-world.ts';
import { aProbe } from '../fixtures/probe-nats.ts';

const { nats, aWorld } = await anEventLog();

test('a stream that was deleted and made anew while nobody read halts every partition that counted in the old one', async () => {
  const [world, probe] = [await aWorld(), await aProbe(nats.url)];
  const first = anOwner(world);
  await world.bus.publish(storyOf(A).slice(0, 3));
  await readUpTo(world, 3);
  await first.stop();
  await probe.deleteStreams();
  await world.bus.setUp(1);
  await world.bus.publish(storyOf(B));
  anOwner(world, 'two');
  await until(async () => (await haltsOf(world.store)).length === PARTITIONS);
  expect((await haltsOf(world.store))[PART]?.halted).toMatch(/made anew/);
  expect(await seqOf(world.store)).toBe(3);
  expect(await stateOf(world.store, B)).toBeUndefined();
});

test('the set-up step halts every partition of a database that is older than the stream, and nothing lifts that', async () => {
  const world = await aWorld();
  const first = anOwner(world);
  const say = (event: OrderEvent, id: string) =>
    commitAndPublish(world.store, world.bus, async (_sql, tell) => tell(aMessage(event, id)));
  await say(received(A.shopOrderId), 'm1');
  await readUpTo(world, 1);
  await first.stop();
  await say(elapsed(A.orderId, 'grace'), 'm2');
  expect(await haltMisfits(world.store, world.bus), 'unread is not unknown').toBe(0);

  await world.store.run("delete from outbox where message_id = 'm2'");
  await say(received(B.shopOrderId), 'm3');
  expect(await haltMisfits(world.store, world.bus)).toBe(PARTITIONS);
  expect((await haltsOf(world.store))[PART]?.halted).toContain('put back to an earlier time');
  await expect(republish(world.store, world.bus, await planRepublish(world.store))).rejects.toThrow(
    'npm run restored',
  );
  expect(await haltsOf(world.store)).toHaveLength(PARTITIONS);
});

test.each([
  ['in the same ownership', 'update event_partitions set seq = 1 where seq > 1'],
  ['from an earlier ownership', 'update event_partitions set epoch = epoch - 1, seq = 1'],
  [
    'from an earlier ownership, by another copy',
    "update event_partitions set epoch = epoch - 1, owner = 'gone', lease_until = now()",
  ],
])('a database that is put back under its owner %s halts every partition', async (_, putBack) => {
  const world = await aWorld();
  anOwner(world);
  await world.bus.publish(storyOf(A).slice(0, 3));
  await readUpTo(world, 3);
  await world.store.run(putBack);
  await until(async () => (await haltsOf(world.store)).length === PARTITIONS);
  expect((await haltsOf(world.store))[PART]?.halted).toContain('put back to an earlier time');
  await world.bus.publish(storyOf(B));
  const before = await seqOf(world.store);
  await expect.poll(() => sharesOf(world.store)).toEqual({ one: PARTITIONS });
  expect([await seqOf(world.store), await stateOf(world.store, B)]).toEqual([before, undefined]);
  await expect(republish(world.store, world.bus, await planRepublish(world.store))).rejects.toThrow(
    'npm run restored',
  );
});

test('a database that is put back halts every partition though another copy had them at that time', async () => {
  const world = await aWorld();
  anOwner(world);
  await world.bus.publish(storyOf(A).slice(0, 3));
  await readUpTo(world, 3);
  // Longer than it took that copy to claim its own.
  await expect.poll(() => sharesOf(world.store)).toEqual({ one: PARTITIONS });
  await world.store.run(
    "update event_partitions set epoch = epoch - 1, owner = 'gone', lease_until = now() + interval '1 hour'",
  );
  await until(async () => (await haltsOf(world.store)).length === PARTITIONS);
});

test('a stream made anew under a reading owner halts it too', async () => {
  const [world, probe] = [await aWorld(), await aProbe(nats.url)];
  anOwner(world);
  await world.bus.publish(storyOf(A).slice(0, 3));
  await readUpTo(world, 3);
  await probe.deleteStreams();
  await world.bus.setUp(1);
  await world.bus.publish([...storyOf(B), ...storyOf(C)]);
  await until(async () => (await haltsOf(world.store)).some(({ part }) => part === PART));
  expect(await seqOf(world.store)).toBe(3);
  expect(await countOf(world.store, 'orders')).toBe(1);
});

test('a stream purged beyond the position halts the partition and skips nothing', async () => {
  const [world, probe] = [await aWorld(), await aProbe(nats.url)];
  const first = anOwner(world);
  const story = storyOf(A);
  await world.bus.publish(story.slice(0, 2));
  await readUpTo(world, 2);
  await first.stop();
  await world.bus.publish(story.slice(2));
  await probe.manager.streams.purge('EVT', { seq: 5 });
  anOwner(world, 'two');
  await until(async () => (await haltsOf(world.store)).some(({ part }) => part === PART));
  expect((await haltsOf(world.store)).find(({ part }) => part === PART)?.halted).toMatch(/begins at 5/);
  expect(await seqOf(world.store)).toBe(2);
  expect(await stateOf(world.store, A)).toBe('sourcing');
});

/** A partition is read up to 5, and the server's kept store ends at 2. */
async function readBeyondCopy(world: World): Promise<void> {
  const story = storyOf(A);
  await world.bus.publish(story.slice(0, 2));
  await readUpTo(world, 2);
  await nats.stop();
  nats.keepStore();
  await nats.start();
  await until(() => world.bus.isConnected());
  await world.bus.publish(story.slice(2, 5));
  await readUpTo(world, 5);
}

test('a server that comes back without its tail halts the partitions that had read it', async () => {
  const world = await aWorld();
  anOwner(world);
  await readBeyondCopy(world);
  await nats.kill();
  nats.restoreStore();
  await nats.start();
  await until(async () => (await haltsOf(world.store)).length > 0);
  expect(await haltsOf(world.store)).toEqual([{ part: PART, halted: expect.stringMatching(/tail is lost/) }]);
  await world.bus.publish(storyOf(A));
  expect(await seqOf(world.store)).toBe(5);
});

test('a tail that was lost and has grown as long again before anybody looked halts as well', async () => {
  const world = await aWorld();
  const first = anOwner(world);
  await readBeyondCopy(world);
  await first.stop();
  await nats.kill();
  nats.restoreStore();
  await nats.start();
  await until(() => world.bus.isConnected());
  await world.bus.publish(storyOf(B));
  anOwner(world, 'two');
  await until(async () => (await haltsOf(world.store)).length > 0);
  expect(await haltsOf(world.store)).toEqual([
    { part: PART, halted: expect.stringMatching(/another message at 5 .* tail is lost/) },
  ]);
  expect(await seqOf(world.store)).toBe(5);
  expect(await stateOf(world.store, B)).toBeUndefined();
});

test('events that waited in halted partitions for longer than the archive lasts are published again all the same', async () => {
  const [world, probe] = [await aWorld(), await aProbe(nats.url)];
  const first = anOwner(world);
  const say = (event: OrderEvent, id: string) =>
    commitAndPublish(world.store, world.bus, async (_sql, tell) => tell(aMessage(event, id)));
  await say(received(A.shopOrderId), 'm1');
  await readUpTo(world, 1);
  await first.stop();
  await say(received(B.shopOrderId), 'm2');
  await until(async () => (await probe.messagesIn('EVT')).length === 2);
  await probe.deleteStreams();
  await world.bus.setUp(1);
  await haltMisfits(world.store, world.bus);
  await world.store.run('delete from outbox_pending');
  await world.store.run("update outbox set published_at = published_at - interval '3 days'");
  const keeper = startArchiveKeeper(world.store, world.log, SETTINGS.ORDER_MANAGER_ARCHIVE_HOURS);
  onTestFinished(() => keeper.stop());
  await until(async () => (await countOf(world.store, "outbox where message_id = 'm1'")) === 0);
  await republish(world.store, world.bus, await planRepublish(world.store));
  anOwner(world, 'two');
  await until(async () => (await stateOf(world.store, B)) === 'grace');
});

test('what nobody can read in a stream made anew is set aside, though the one before had such a message in its place', async () => {
  const [world, probe] = [await aWorld(), await aProbe(nats.url)];
  const first = anOwner(world);
  await world.bus.publish([raw(A.orderId, 'not json')]);
  await readUpTo(world, 1);
  await first.stop();
  await probe.deleteStreams();
  await world.bus.setUp(1);
  await world.bus.publish([raw(B.orderId, 'not json either')]);
  await haltMisfits(world.store, world.bus);
  await republish(world.store, world.bus, await planRepublish(world.store));
  anOwner(world, 'two');
  await readUpTo(world, 1);
  expect(await lettersOf(world.store)).toMatchObject(
    [A, B].map(({ orderId }) => ({ order_id: orderId, state: 'open' })),
  );
});

test('a halted partition goes on from its position when an operator has lifted the halt', async () => {
  const world = await aWorld();
  await world.store.run(`update event_partitions set halted = 'for the test' where part = $1`, [PART]);
  anOwner(world);
  await until(async () => (await sharesOf(world.store)).one === PARTITIONS);
  await world.bus.publish(storyOf(A));
  await world.store.run('update event_partitions set halted = null');
  await readUpTo(world, 6);
  expect(await stateOf(world.store, A)).toBe('delivered');
});
