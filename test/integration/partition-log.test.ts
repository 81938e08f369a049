import { expect, onTestFinished, test } from 'vitest';
import { PARTITIONS } from '../../contracts/ids.ts';
import type { Bus } from '../../services/bus/bus.ts';
import type { OutgoingMessage } from '../../services/bus/publisher.ts';
import { commitBatch, FencedError } from '../../services/orders/commit-batch.ts';
import { eventsBehind, readers } from '../../services/orders/partition-figures.ts';
import { startPartitionOwner } from '../../services/orders/partition-owner.ts';
import { startSweeper } from '../../services/orders/sweeper.ts';
import { haltEvery } from '../../services/store/partitions.ts';
import type { Store } from '../../services/store/store.ts';
import { clockAhead } from '../fixtures/clock-ahead.ts';
import { aCuttingProxy } from '../fixtures/cutting-proxy.ts';
import { aStore } from '../fixtures/database.ts';
import { boughtFor } from '../fixtures/order-events.ts';
import { startHostProcess, startServiceProcess } from '../fixtures/order-host.ts';
import {
  A,
  anEventLog,
  anOwner,
  B,
  C,
  countOf,
  decoded,
  haltsOf,
  idsOf,
  PART,
  portsOf,
  readUpTo,
  seqOf,
  sharesOf,
  stateOf,
  storyOf,
  timelineOf,
  until,
} from '../fixtures/partition-world.ts';
import { aProbe } from '../fixtures/probe-nats.ts';

const { nats, aWorld, someoneElse } = await anEventLog();

test('events of each order are applied in stream order, however they are interleaved', async () => {
  const world = await aWorld();
  const stories = [A, B, C].map(storyOf);
  const interleaved = [0, 1, 2, 3, 4, 5].flatMap((step) => stories.flatMap((story) => story[step] ?? []));
  await world.bus.publish(interleaved.slice(0, 10));
  anOwner(world);
  await readUpTo(world, 10);
  await world.bus.publish(interleaved.slice(10));
  await readUpTo(world, 18);
  for (const [index, order] of [A, B, C].entries()) {
    expect(await stateOf(world.store, order)).toBe('delivered');
    const expected = idsOf(stories[index] ?? []).map((message_id) => ({ message_id, accepted: true }));
    expect(await timelineOf(world.store, order)).toEqual(expected);
  }
});

test('what a batch says is published once, commands to their services and facts to the crew', async () => {
  const [world, probe] = [await aWorld(), await aProbe(nats.url)];
  await world.bus.publish(storyOf(A));
  anOwner(world);
  await readUpTo(world, 6);
  const crew = await probe.messagesIn('CREW');
  const commands = await probe.messagesIn('CMD');
  expect(crew.map(({ subject }) => subject)).toContain('oms.pub.order.delivered');
  expect(commands.map(({ subject }) => subject)).toContain(
    `oms.cmd.cj_dropshipping.buy.${boughtFor(A.orderId)}`,
  );
  const said = await world.store.query<{ id: string }>('select message_id as id from outbox');
  expect([...crew, ...commands].map(({ messageId }) => messageId).sort()).toEqual(
    said.map(({ id }) => id).sort(),
  );
  expect(new Set(said.map(({ id }) => id)).size).toBe(said.length);
});

test('an event that stands in the stream twice applies once, within a batch and hours later', async () => {
  const [world, probe] = [await aWorld(), await aProbe(nats.url)];
  const [first, second] = storyOf(A) as [OutgoingMessage, OutgoingMessage];
  const again = async ({ subject, payload }: OutgoingMessage): Promise<void> => {
    // Without its id the stream does not recognise it, as after its window.
    await probe.connection.jetstream().publish(subject, payload);
  };
  await world.bus.publish([first, second]);
  await again(first);
  await again(second);
  anOwner(world);
  await readUpTo(world, 4);
  await again(first);
  await again(second);
  await readUpTo(world, 6);
  expect((await timelineOf(world.store, A)).map(({ message_id }) => message_id)).toEqual(
    idsOf([first, second]),
  );
  expect(await countOf(world.store, 'inbox')).toBe(2);
});

/** The connections of the next two commits end while they commit. */
test('a commit whose answer is lost is recognised by the position, and the sweeper publishes what it promised', async () => {
  const [world, probe] = [await aWorld(), await aProbe(nats.url)];
  const proxy = await aCuttingProxy(world.url);
  const ports = { ...(await portsOf(world)), store: await aStore(proxy.connectionString) };
  proxy.cutNextCommit();
  expect(await commitBatch(ports, decoded(storyOf(A)), 0)).toBe(6);
  expect(proxy.cuts()).toBe(1);
  expect(await countOf(world.store, 'timeline')).toBe(6);
  expect(await probe.messagesIn('CREW')).toEqual([]);

  const sweeper = startSweeper(world.store, world.bus, world.log);
  onTestFinished(() => sweeper.stop());
  await until(async () => (await countOf(world.store, 'outbox_pending')) === 0);
  expect((await probe.messagesIn('CREW')).length + (await probe.messagesIn('CMD')).length).toBe(
    await countOf(world.store, 'outbox'),
  );
});

test('what was committed and not published goes out by any copy’s sweeper, in the order it was written, each once', async () => {
  const [world, probe] = [await aWorld(), await aProbe(nats.url)];
  const mute: Bus = { ...world.bus, publish: () => Promise.reject(new Error('the process died here')) };
  await commitBatch({ ...(await portsOf(world)), bus: mute }, decoded(storyOf(A)), 0);
  const said = await world.store.query<{ message_id: string; subject: string }>(
    'select * from outbox order by id',
  );
  expect(await countOf(world.store, 'outbox_pending')).toBe(1);
  const others = [world, await someoneElse(world)];
  const sweepers = others.map(({ store, bus, log }) => startSweeper(store, bus, log));
  for (const sweeper of sweepers) onTestFinished(() => sweeper.stop());
  await until(async () => (await countOf(world.store, 'outbox_pending')) === 0);
  const facts = said.filter(({ subject }) => subject.startsWith('oms.pub.'));
  expect((await probe.messagesIn('CREW')).map(({ messageId }) => messageId)).toEqual(
    facts.map((row) => row.message_id),
  );
  expect((await probe.messagesIn('CMD')).length).toBe(said.length - facts.length);
});

/** What was queued a minute ago and never published, each in a transaction of its own. */
const leaveBehind = (store: Store, subject: string, messages: number): Promise<number> =>
  store.run(
    `with queued as (
       insert into outbox (message_id, subject, payload, published_at)
       select $1::text || ' ' || n, $1, '{}', now() from generate_series(1, $2::int) n returning id)
     insert into outbox_pending (first_id, ids, created_at)
     select id, array[id], now() - interval '1 minute' from queued`,
    [subject, messages],
  );

test('what the bus refuses for good, however much, keeps nothing else back', async () => {
  const world = await aWorld();
  await leaveBehind(world.store, 'nobody.listens', 220);
  const mute: Bus = { ...world.bus, publish: () => Promise.reject(new Error('the process died here')) };
  await commitBatch({ ...(await portsOf(world)), bus: mute }, decoded(storyOf(A)), 0);
  await world.store.run(
    "update outbox_pending set created_at = now() - interval '4 seconds' where first_id > 220",
  );
  const sweeper = startSweeper(world.store, world.bus, world.log);
  onTestFinished(() => sweeper.stop());
  await until(async () => (await countOf(world.store, 'outbox_pending')) === 220);
  const told = world.lines.filter(({ msg }) => String(msg).startsWith('the bus refuses'));
  expect(told.filter(({ messages }) => Number(messages) < 20)).toEqual([]);
});

test('messages that are never answered, however many, keep nothing else back', async () => {
  const [world, probe] = [await aWorld(), await aProbe(nats.url)];
  probe.connection.subscribe('nobody.answers');
  await leaveBehind(world.store, 'nobody.answers', 4);
  await leaveBehind(world.store, 'oms.pub.order.updated', 1);
  const sweeper = startSweeper(world.store, world.bus, world.log);
  onTestFinished(() => sweeper.stop());
  await until(async () => (await countOf(world.store, 'outbox_pending')) === 4, 30_000);
  expect((await probe.messagesIn('CREW')).map(({ messageId }) => messageId)).toEqual([
    'oms.pub.order.updated 1',
  ]);
});

test('leftovers wait while NATS is away and are published after its return', async () => {
  const world = await aWorld();
  await nats.kill();
  await until(() => !world.bus.isConnected());
  const ports = await portsOf(world);
  await commitBatch(ports, decoded(storyOf(A)), 0);
  expect(await stateOf(world.store, A)).toBe('delivered');
  const sweeper = startSweeper(world.store, world.bus, world.log);
  onTestFinished(() => sweeper.stop());
  await until(() => world.lines.some(({ work }) => work === 'outbox sweep'));
  await nats.start();
  await until(async () => (await countOf(world.store, 'outbox_pending')) === 0);
});

test('a zombie whose partition was taken writes nothing', async () => {
  const world = await aWorld();
  const zombie = await portsOf(world, 'zombie');
  await world.store.run(`update event_partitions set lease_until = now() - interval '1 second'`);
  const heir = await portsOf(world, 'heir');
  await expect(commitBatch(zombie, decoded(storyOf(A)), 0)).rejects.toThrow(FencedError);
  for (const table of ['inbox', 'orders', 'timeline', 'outbox', 'timers']) {
    expect([table, await countOf(world.store, table)]).toEqual([table, 0]);
  }
  expect(await commitBatch(heir, decoded(storyOf(A)), 0)).toBe(6);
  await expect(commitBatch(zombie, decoded(storyOf(A)), 0)).rejects.toThrow(FencedError);
  expect(await countOf(world.store, 'timeline')).toBe(6);
});

test('an owner that has not heard yet that its partition is halted writes nothing', async () => {
  const world = await aWorld();
  const owner = await portsOf(world);
  await haltEvery(world.store, 'to be looked at');
  await expect(commitBatch(owner, decoded(storyOf(A)), 0)).rejects.toThrow(FencedError);
  expect(await countOf(world.store, 'timeline')).toBe(0);
  expect(await haltsOf(world.store)).toHaveLength(PARTITIONS);
});

test('two owners share the partitions fairly, and one that stops gives its leases back at once', async () => {
  const world = await aWorld();
  anOwner(world, 'one');
  await expect.poll(() => sharesOf(world.store)).toEqual({ one: 32 });
  const two = anOwner(await someoneElse(world), 'two');
  await expect.poll(() => sharesOf(world.store)).toEqual({ one: 16, two: 16 });
  await two.stop();
  // Whoever looks now finds nothing that still belongs to the stopped one.
  expect(await world.store.query("select part from event_partitions where owner = 'two'")).toEqual([]);
  expect(await world.store.query("select id from copies where id = 'two'")).toEqual([]);
  await expect.poll(() => sharesOf(world.store)).toEqual({ one: 32 });
});

test('an owner that is stopped while it takes its first partitions leaves no reader and no lease behind', async () => {
  const [world, probe] = [await aWorld(), await aProbe(nats.url)];
  for (let round = 0; round < 10; round += 1) {
    const owner = startPartitionOwner(world, `hasty-${round}`);
    for (let turn = 0; turn < round; turn += 1) await world.store.query('select 1');
    await owner.stop();
    expect(await world.store.query('select part from event_partitions where owner is not null')).toEqual([]);
  }
  await until(async () => (await probe.manager.consumers.list('EVT').next()).length === 0);
});

test('the partitions of a process that was killed are taken over after its lease, and its events go on', async () => {
  const world = await aWorld();
  const host = startHostProcess(world.url, nats.url);
  await host.ready;
  const story = storyOf(A);
  await world.bus.publish(story.slice(0, 3));
  await readUpTo(world, 3);
  host.kill('SIGKILL');
  await host.ended;
  await world.bus.publish(story.slice(3));
  anOwner(world);
  await expect.poll(() => sharesOf(world.store)).toEqual({ one: 32 });
  await readUpTo(world, 6);
  expect(await stateOf(world.store, A)).toBe('delivered');
});

test('orders and parcels are of the hour of the database, whatever the clock of the copy that writes them', async () => {
  const world = await aWorld();
  const host = startServiceProcess('services/orders/main.ts', {
    DB_CONNECTION_STRING: world.url,
    NATS_URL: nats.url,
    ...clockAhead(26 * 3_600_000),
  });
  await host.ready;
  await world.bus.publish(storyOf(A));
  await readUpTo(world, 6);
  const hours = await world.store.query(
    `select o.created_at between now() - interval '1 minute' and now() as "isOrderNow",
            p.left_at between now() - interval '1 minute' and now() as "isParcelNow"
       from orders o join parcels p on p.order_id = o.id`,
  );
  expect(hours).toEqual([{ isOrderNow: true, isParcelNow: true }]);
  const said = /"aheadSeconds":(\d+)/.exec(host.output())?.[1];
  expect(Math.abs(Number(said) - 26 * 3_600)).toBeLessThan(10);
});

test('a reader that falls silent while messages wait is opened again', async () => {
  const [world, probe] = [await aWorld(), await aProbe(nats.url)];
  anOwner(world, 'one', { silenceMs: 300 });
  const story = storyOf(A);
  await world.bus.publish(story.slice(0, 1));
  await readUpTo(world, 1);
  const readers = await probe.manager.consumers.list('EVT').next();
  const mine = readers.find(({ config }) => config.filter_subject === `oms.evt.${PART}.>`);
  // From now on the server keeps the heartbeats coming and gives this reader nothing of its partition.
  await probe.manager.consumers.update('EVT', mine?.name ?? '', { filter_subject: 'oms.evt.nothing' });
  await world.bus.publish(story.slice(1));
  await readUpTo(world, 6);
  expect(world.lines.some(({ msg }) => String(msg).includes('hears nothing'))).toBe(true);
  expect(await stateOf(world.store, A)).toBe('delivered');
});

test('an owner reads on after NATS was killed and after every backend of the database was', async () => {
  const world = await aWorld();
  anOwner(world);
  const story = storyOf(A);
  await world.bus.publish(story.slice(0, 2));
  await readUpTo(world, 2);
  await nats.kill();
  await nats.start();
  await until(() => world.bus.isConnected());
  await world.bus.publish(story.slice(2, 4));
  await readUpTo(world, 4);
  const observer = await aStore(world.url, 1);
  await observer.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
  await world.bus.publish(story.slice(4));
  await readUpTo(world, 6);
  expect(await stateOf(world.store, A)).toBe('delivered');
});

test('an owner stops while the bus is away, and its leases are free', async () => {
  const world = await aWorld();
  const owner = anOwner(world);
  await until(async () => (await sharesOf(world.store)).one === PARTITIONS);
  await nats.kill();
  onTestFinished(() => nats.start());
  await owner.stop();
  expect(await sharesOf(world.store)).toEqual({ nobody: PARTITIONS });
});

test('events count as waiting to be stepped from their arrival until they are committed', async () => {
  const world = await aWorld();
  anOwner(world);
  await until(async () => (await countOf(world.store, 'event_partitions where owner is null')) === 0);
  const locked = await world.store.pool.connect();
  onTestFinished(() => locked.release(true));
  await locked.query('begin');
  await locked.query('lock table inbox in exclusive mode');
  await world.bus.publish(storyOf(A));
  await until(() => eventsBehind() === 6);
  await locked.query('rollback');
  await until(() => eventsBehind() === 0);
  expect(await seqOf(world.store)).toBe(6);
});

test('idle positions follow the stream, so that expired messages never look like a loss', async () => {
  const [world, probe] = [await aWorld(), await aProbe(nats.url)];
  const owner = anOwner(world, 'one', { silenceMs: 100, idleAdvanceMs: 200 });
  await world.bus.publish(storyOf(A));
  const lowest = async (): Promise<number | undefined> =>
    (await world.store.query<{ seq: number }>('select min(seq)::int as seq from event_partitions'))[0]?.seq;
  await expect.poll(lowest).toBe(6);
  await owner.stop();
  await probe.manager.streams.purge('EVT');
  await world.bus.publish(storyOf(B));
  anOwner(world, 'two');
  await readUpTo(world, 12);
  expect(await haltsOf(world.store)).toEqual([]);
  expect(await stateOf(world.store, B)).toBe('delivered');
});

test('a partition that its owner cannot read shows as lag', async () => {
  const world = await aWorld();
  const owner = anOwner(world);
  const lags = () => [...readers].map(({ lag }) => lag().seconds);
  await expect.poll(() => lags().filter((seconds) => seconds === 0).length).toBe(PARTITIONS);
  await (await aProbe(nats.url)).deleteStreams();
  await expect.poll(() => lags().filter((seconds) => seconds > 0).length).toBe(PARTITIONS);
  await owner.stop();
  expect(lags()).toEqual([]);
});
