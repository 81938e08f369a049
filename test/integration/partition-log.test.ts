import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { OrderEvent } from '../../contracts/events/order-event.ts';
import { PARTITIONS } from '../../contracts/ids.ts';
import { eventSubject } from '../../contracts/subjects.ts';
import { type Bus, openBus } from '../../services/bus/bus.ts';
import { commitAndPublish } from '../../services/bus/commit-and-publish.ts';
import type { OutgoingMessage } from '../../services/bus/publisher.ts';
import { type BatchPorts, commitBatch, FencedError } from '../../services/orders/commit-batch.ts';
import { type DecodedMessage, decodeMessage } from '../../services/orders/decode-message.ts';
import { haltMisfits } from '../../services/orders/halt-misfits.ts';
import { eventsBehind, readers } from '../../services/orders/partition-figures.ts';
import { type PartitionOwner, startPartitionOwner } from '../../services/orders/partition-owner.ts';
import { sharedBatches, type Turn } from '../../services/orders/shared-batches.ts';
import { startArchiveKeeper, startSweeper } from '../../services/orders/sweeper.ts';
import { startTimerLoop } from '../../services/orders/timer-loop.ts';
import { planRepublish, republish } from '../../services/republish.ts';
import { claim, haltEvery, position } from '../../services/store/partitions.ts';
import type { Store } from '../../services/store/store.ts';
import { aCuttingProxy } from '../fixtures/cutting-proxy.ts';
import { aDatabase, aStore } from '../fixtures/database.ts';
import {
  accepted,
  aMessage,
  boughtFor,
  delivered,
  elapsed,
  ordersOfPartition,
  placing,
  received,
  sourced,
} from '../fixtures/order-events.ts';
import { aLog, DELAYS, SETTINGS, startHostProcess } from '../fixtures/order-host.ts';
import { type OwnNats, startOwnNats } from '../fixtures/own-nats.ts';
import { aProbe } from '../fixtures/probe-nats.ts';

const PART = 5;
const [A, B, C] = ordersOfPartition(PART, 3) as [Order, Order, Order];
type Order = { orderId: string; shopOrderId: string };
let nats: OwnNats;

beforeAll(async () => {
  nats = await startOwnNats();
});
afterAll(() => nats.remove());
beforeEach(async () => {
  await (await aProbe(nats.url)).deleteStreams();
  await (await aBus()).setUp(1);
});

async function aBus(): Promise<Bus> {
  const bus = await openBus(nats.url, 'test');
  onTestFinished(() => bus.close());
  return bus;
}

async function aWorld() {
  const url = await aDatabase();
  const { log, lines } = aLog();
  return { url, store: await aStore(url), bus: await aBus(), log, lines, delays: DELAYS, settings: SETTINGS };
}
type World = Awaited<ReturnType<typeof aWorld>>;

type Patience = { silenceMs?: number; idleAdvanceMs?: number };

/** An owner that stops at the test's end, if the test has not done so. */
function anOwner(world: World, copyId = 'one', times: Patience = {}): PartitionOwner {
  const owner = startPartitionOwner({ ...world, ...times }, copyId);
  onTestFinished(() => owner.stop());
  return owner;
}

async function someoneElse(world: World): Promise<World> {
  return { ...world, store: await aStore(world.url), bus: await aBus() };
}

/** The ports of a batch whose partition this copy has just claimed. */
async function portsOf(world: World, copyId = 'one'): Promise<BatchPorts> {
  const mine = (await claim(world.store, copyId, PARTITIONS)).find(({ part }) => part === PART);
  if (mine === undefined) throw new RangeError('the partition has an owner');
  return { ...world, part: PART, epoch: mine.epoch, pause: () => Promise.resolve(), isStopping: () => false };
}

/** As a reader would give them, at 1, 2, 3 … of the stream. */
const decoded = (messages: readonly OutgoingMessage[], from = 0): DecodedMessage[] =>
  messages.map(({ subject, payload }, index) =>
    decodeMessage({ seq: from + index + 1, subject, payload, pending: 0, storedAt: 0 }),
  );

const until = (isTrue: () => unknown, timeout = 10_000): Promise<void> =>
  expect.poll(isTrue, { timeout, interval: 20 }).toBe(true);

const countOf = async (store: Store, table: string): Promise<number> =>
  (await store.query<{ n: number }>(`select count(*)::int as n from ${table}`))[0]?.n ?? 0;

const seqOf = async (store: Store, part = PART): Promise<number> => (await position(store, part))?.seq ?? -1;

/** Until the partition has been read up to there, and what follows from it is published. */
const readUpTo = (world: World, seq: number): Promise<void> =>
  until(
    async () => (await seqOf(world.store)) >= seq && (await countOf(world.store, 'outbox_pending')) === 0,
  );

const stateOf = async (store: Store, { orderId }: Order): Promise<string | undefined> =>
  (await store.query<{ state: string }>('select state from orders where id = $1', [orderId]))[0]?.state;

const timelineOf = (store: Store, { orderId }: Order): Promise<{ message_id: string; accepted: boolean }[]> =>
  store.query('select message_id, accepted from timeline where order_id = $1 order by id', [orderId]);

const lettersOf = (store: Store): Promise<{ order_id: string; message_id: string; state: string }[]> =>
  store.query('select order_id, message_id, state from dead_letters order by id');

const haltsOf = (store: Store): Promise<{ part: number; halted: string }[]> =>
  store.query('select part, halted from event_partitions where halted is not null order by part');

/** From the first body to the delivered parcel. */
const storyOf = ({ orderId, shopOrderId }: Order): OutgoingMessage[] =>
  [
    received(shopOrderId),
    elapsed(orderId, 'grace'),
    sourced(orderId),
    placing(orderId),
    accepted(orderId),
    delivered(orderId),
  ].map((event, index) => aMessage(event, `${shopOrderId}:${index}`));

const idsOf = (messages: readonly OutgoingMessage[]): string[] => messages.map(({ messageId }) => messageId);

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
async function letTwoCommitsDie(world: Pick<World, 'store'>): Promise<void> {
  await world.store.run('create sequence commits');
  await world.store.run(`create function die_first() returns trigger language plpgsql as $$
    begin if nextval('commits') <= 2 then perform pg_terminate_backend(pg_backend_pid()); end if; return null; end $$`);
  await world.store.run(`create constraint trigger dies after insert on timeline deferrable initially deferred
    for each row execute function die_first()`);
}

test('a batch whose connection dies at the commit is repeated and applies once', async () => {
  const world = await aWorld();
  await letTwoCommitsDie(world);
  const story = storyOf(A);
  expect(await commitBatch(await portsOf(world), decoded(story), 0)).toBe(6);
  expect(world.lines.filter(({ msg }) => msg === 'the database is away, the batch waits')).toHaveLength(2);
  expect((await timelineOf(world.store, A)).map(({ message_id }) => message_id)).toEqual(idsOf(story));
  expect(await stateOf(world.store, A)).toBe('delivered');
});

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
  await until(async () => (await countOf(world.store, 'outbox_pending')) === 0, 15_000);
}, 40_000);

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

type Arrived = readonly [part: number, messages: readonly OutgoingMessage[]];

/** What has arrived of one order in each of these partitions, with the partitions claimed by this copy. */
async function turnsOf(world: World, arrived: readonly Arrived[]): Promise<Turn[]> {
  const mine = new Map((await claim(world.store, 'one', PARTITIONS)).map(({ part, epoch }) => [part, epoch]));
  return arrived.map(([part, messages]) => ({
    part,
    epoch: mine.get(part) ?? -1,
    from: 0,
    take: () => decoded(messages),
    pause: () => Promise.resolve(),
    isStopping: () => false,
  }));
}

const NEIGHBOURS = [PART, PART + 1, PART + 2].map(
  (part) => [part, ...ordersOfPartition(part, 1)] as const,
) as [[number, Order], [number, Order], [number, Order]];
const stories = () => NEIGHBOURS.map(([part, order]) => [part, storyOf(order)] as const);

/** Transactions that the positions of today were written by. */
const transactionsOf = async ({ store }: World): Promise<number | undefined> =>
  (
    await store.query<{ n: number }>(
      'select count(distinct xmin::text)::int as n from event_partitions where seq > 0',
    )
  )[0]?.n;

test('what several partitions have at the same time is one transaction', async () => {
  const world = await aWorld();
  const turns = await turnsOf(world, stories());
  expect(await Promise.all(turns.map(sharedBatches(world)))).toEqual([6, 6, 6]);
  expect(await transactionsOf(world)).toBe(1);
  for (const [, order] of NEIGHBOURS) expect(await stateOf(world.store, order)).toBe('delivered');
});

test('a partition that was taken drops out of the shared transaction, and the others commit', async () => {
  const world = await aWorld();
  const turns = await turnsOf(world, stories());
  const [, [taken, order]] = NEIGHBOURS;
  await world.store.run('update event_partitions set epoch = epoch + 1 where part = $1', [taken]);
  const outcomes = await Promise.allSettled(turns.map(sharedBatches(world)));
  expect(outcomes).toEqual([
    { status: 'fulfilled', value: 6 },
    { status: 'rejected', reason: expect.any(FencedError) },
    { status: 'fulfilled', value: 6 },
  ]);
  expect(await transactionsOf(world)).toBe(1);
  expect(await seqOf(world.store, taken)).toBe(0);
  expect(await stateOf(world.store, order)).toBeUndefined();
  expect(await countOf(world.store, 'timeline')).toBe(12);
});

test('what the database refuses of one partition becomes a dead letter, and the other partitions go on', async () => {
  const world = await aWorld();
  const [first, [part, order], last] = NEIGHBOURS;
  const poison = aMessage(received(order.shopOrderId, { name: 'nul \u0000' }), 'poison');
  const turns = await turnsOf(
    world,
    stories().map((story) => (story[0] === part ? ([part, [poison]] as const) : story)),
  );
  expect(await Promise.all(turns.map(sharedBatches(world)))).toEqual([6, 1, 6]);
  expect(await lettersOf(world.store)).toEqual([
    { order_id: order.orderId, message_id: 'poison', state: 'open' },
  ]);
  for (const [, neighbour] of [first, last]) expect(await stateOf(world.store, neighbour)).toBe('delivered');
  expect(await countOf(world.store, 'timeline where accepted')).toBe(12);
});

test('a shared transaction whose answer is lost is recognised by each partition, and applies once', async () => {
  const world = await aWorld();
  const proxy = await aCuttingProxy(world.url);
  const turns = await turnsOf(world, stories());
  const commit = sharedBatches({ ...world, store: await aStore(proxy.connectionString) });
  proxy.cutNextCommit();
  expect(await Promise.all(turns.map(commit))).toEqual([6, 6, 6]);
  expect(proxy.cuts()).toBe(1);
  expect(await transactionsOf(world)).toBe(1);
  expect(await countOf(world.store, 'timeline')).toBe(18);
});

test('a shared transaction that dies at its commit is repeated by each partition, and applies once', async () => {
  const world = await aWorld();
  await letTwoCommitsDie(world);
  const turns = await turnsOf(world, stories());
  expect(await Promise.all(turns.map(sharedBatches(world)))).toEqual([6, 6, 6]);
  expect(await transactionsOf(world)).toBe(3);
  expect(await countOf(world.store, 'timeline')).toBe(18);
});

const sharesOf = async (store: Store): Promise<Record<string, number>> => {
  const rows = await store.query<{ owner: string; n: number }>(
    `select coalesce(owner, 'nobody') as owner, count(*)::int as n from event_partitions
      where owner is null or lease_until > now() group by 1 order by 1`,
  );
  return Object.fromEntries(rows.map(({ owner, n }) => [owner, n]));
};

test('two owners share the partitions fairly, and one that stops gives its leases back at once', async () => {
  const world = await aWorld();
  anOwner(world, 'one');
  await expect.poll(() => sharesOf(world.store), { timeout: 5_000 }).toEqual({ one: 32 });
  const two = anOwner(await someoneElse(world), 'two');
  await expect.poll(() => sharesOf(world.store), { timeout: 8_000 }).toEqual({ one: 16, two: 16 });
  await two.stop();
  // Whoever looks now finds nothing that still belongs to the stopped one.
  expect(await world.store.query("select part from event_partitions where owner = 'two'")).toEqual([]);
  expect(await world.store.query("select id from copies where id = 'two'")).toEqual([]);
  await expect.poll(() => sharesOf(world.store), { timeout: 5_000 }).toEqual({ one: 32 });
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
  await expect.poll(() => sharesOf(world.store), { timeout: 20_000 }).toEqual({ one: 32 });
  await readUpTo(world, 6);
  expect(await stateOf(world.store, A)).toBe('delivered');
}, 40_000);

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
  await expect.poll(() => sharesOf(world.store), { timeout: 8_000 }).toEqual({ one: PARTITIONS });
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
  await expect.poll(() => sharesOf(world.store), { timeout: 8_000 }).toEqual({ one: PARTITIONS });
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
  await until(async () => (await haltsOf(world.store)).some(({ part }) => part === PART), 15_000);
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
  await until(async () => (await haltsOf(world.store)).length > 0, 15_000);
  expect(await haltsOf(world.store)).toEqual([{ part: PART, halted: expect.stringMatching(/tail is lost/) }]);
  await world.bus.publish(storyOf(A));
  expect(await seqOf(world.store)).toBe(5);
}, 40_000);

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
  await until(async () => (await haltsOf(world.store)).length > 0, 15_000);
  expect(await haltsOf(world.store)).toEqual([
    { part: PART, halted: expect.stringMatching(/another message at 5 .* tail is lost/) },
  ]);
  expect(await seqOf(world.store)).toBe(5);
  expect(await stateOf(world.store, B)).toBeUndefined();
}, 40_000);

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
}, 30_000);

test('an owner stops while the bus is away, and its leases are free', async () => {
  const world = await aWorld();
  const owner = anOwner(world);
  await until(async () => (await sharesOf(world.store)).one === PARTITIONS);
  await nats.kill();
  onTestFinished(() => nats.start());
  await owner.stop();
  expect(await sharesOf(world.store)).toEqual({ nobody: PARTITIONS });
});

/** What nobody can read or carry out, in the place of the second event of an order. */
const POISON: Record<string, (order: Order) => OutgoingMessage> = {
  'a payload that is no JSON': ({ orderId }) => raw(orderId, 'not json'),
  'a payload with a NUL byte': ({ orderId }) => raw(orderId, '{"nul": "\u0000"}'),
  'an envelope without data': ({ orderId }) => raw(orderId, '{"specversion":"1.0"}'),
  'a type that nobody knows': ({ orderId, shopOrderId }) =>
    changed(received(shopOrderId), orderId, { type: 'order.exploded' }),
  'data that its contract refuses': ({ orderId, shopOrderId }) =>
    changed(received(shopOrderId), orderId, { data: { orderId, payment: 'shells' } }),
  'data of another order than the subject says': ({ orderId }) =>
    changed(elapsed(B.orderId, 'grace'), orderId, {}),
  'a message id that no database takes': ({ orderId }) =>
    changed(elapsed(orderId, 'grace'), orderId, { id: 'nul \u0000' }),
  'a message id of half a character': ({ orderId }) =>
    changed(elapsed(orderId, 'grace'), orderId, { id: 'half \ud83d' }),
  'a body that belongs to another order of the shop': ({ orderId }) =>
    changed(received('4711', { orderId }), orderId, {}),
  'more units sourced than were ordered': ({ orderId }) => aMessage(sourced(orderId, 5), `poison:${orderId}`),
  'a timer that the database cannot store': ({ orderId }) =>
    aMessage(
      {
        type: 'order.sourced',
        data: {
          orderId,
          round: 1,
          parts: [],
          refused: [{ lineId: '1', reason: 'out_of_stock', evidence: { note: 'nul \u0000' } }],
        },
      },
      `poison:${orderId}`,
    ),
};

const raw = (orderId: string, payload: string): OutgoingMessage => ({
  messageId: `poison:${orderId}`,
  subject: eventSubject('order.received', orderId),
  payload,
});

function changed(event: Parameters<typeof aMessage>[0], orderId: string, change: object): OutgoingMessage {
  const message = aMessage(event, `poison:${orderId}`);
  const payload = JSON.stringify({ ...JSON.parse(message.payload), ...change });
  return { ...message, payload, subject: eventSubject(event.type, orderId) };
}

test('whatever nobody can read or carry out becomes a dead letter, its order waits behind it in order, and its neighbours go on', async () => {
  const world = await aWorld();
  const [neighbour, late, ...poisoned] = ordersOfPartition(PART, 2 + Object.keys(POISON).length) as [
    Order,
    Order,
    ...Order[],
  ];
  const cases = Object.entries(POISON).flatMap(([what, poisonOf], index) => {
    const order = poisoned[index];
    return order === undefined ? [] : [{ what, order, story: storyOf(order), poison: poisonOf(order) }];
  });
  const beside = storyOf(neighbour);
  const batch = [
    ...cases.flatMap(({ story, poison }) => [...story.slice(0, 2), poison]),
    ...beside.slice(0, 2),
    ...cases.flatMap(({ story }) => story.slice(2, 4)),
    ...beside.slice(2),
  ];
  await world.bus.publish(batch);
  anOwner(world);
  await readUpTo(world, batch.length);
  const rest = [...cases.flatMap(({ story }) => story.slice(4)), ...storyOf(late)];
  await world.bus.publish(rest);
  await readUpTo(world, batch.length + rest.length);

  for (const order of [neighbour, late]) expect(await stateOf(world.store, order)).toBe('delivered');
  const letters = await lettersOf(world.store);
  for (const { what, order, story, poison } of cases) {
    const [open, ...parked] = letters.filter(({ order_id }) => order_id === order.orderId);
    expect([what, open?.state]).toEqual([what, 'open']);
    const kept = await world.store.query<{ payload: string }>(
      `select payload from dead_letters where state = 'open' and order_id = $1`,
      [order.orderId],
    );
    expect([what, kept]).toEqual([what, [{ payload: poison.payload.replaceAll('\u0000', '\ufffd') }]]);
    expect([what, ...parked.map(({ message_id, state }) => [message_id, state])]).toEqual([
      what,
      ...idsOf(story.slice(2)).map((id) => [id, 'parked']),
    ]);
    expect([what, await stateOf(world.store, order)]).toEqual([what, 'sourcing']);
  }
  expect(letters).toHaveLength(cases.length * 5);
  expect(world.lines.filter(({ msg }) => msg === 'dead letter').length).toBeGreaterThanOrEqual(cases.length);
});

const LONG_ID = randomBytes(1_600).toString('hex');

test.each([
  [
    'names an order by an id that no index can hold',
    `oms.evt.${PART}.order.received.${LONG_ID}`,
    LONG_ID.slice(0, 200),
  ],
  ['has a subject that no database takes', eventSubject('order.nul\u0000', A.orderId), A.orderId],
])('a message that %s is set aside and stops nobody', async (_, subject, orderId) => {
  const world = await aWorld();
  const batch = [{ messageId: 'poison', subject, payload: 'not json' }, ...storyOf(B)];
  await world.bus.publish(batch);
  anOwner(world);
  await readUpTo(world, batch.length);
  expect(await stateOf(world.store, B)).toBe('delivered');
  expect(await lettersOf(world.store)).toMatchObject([{ order_id: orderId, state: 'open' }]);
});

test('a batch that takes longer than a statement may is halved until its parts are done in time', async () => {
  const world = await aWorld();
  await world.store.run(
    `create function too_long() returns trigger language plpgsql as $$ begin
       if (select count(*) from fresh) > 4 then raise exception 'timeout' using errcode = '57014'; end if;
       return null;
     end $$`,
  );
  await world.store.run(
    `create trigger too_long after insert on orders referencing new table as fresh
       for each statement execute function too_long()`,
  );
  const messages = ordersOfPartition(PART, 16).map(({ shopOrderId }) =>
    aMessage(received(shopOrderId), `first:${shopOrderId}`),
  );
  expect(await commitBatch(await portsOf(world), decoded(messages), 0)).toBe(16);
  expect(await countOf(world.store, 'orders')).toBe(16);
  expect(await lettersOf(world.store)).toEqual([]);
});

test('a batch that the database refuses is halved until the culprit is alone, and every other event applies once', async () => {
  const world = await aWorld();
  const orders = ordersOfPartition(PART, 16);
  const messages = orders.map(({ shopOrderId }, index) => {
    const event = received(shopOrderId, index === 11 ? { name: 'nul \u0000' } : {});
    return aMessage(event, `first:${shopOrderId}`);
  });
  const ports = await portsOf(world);
  expect(await commitBatch(ports, decoded(messages), 0)).toBe(16);
  expect(await seqOf(world.store)).toBe(16);
  expect(await lettersOf(world.store)).toEqual([
    { order_id: orders[11]?.orderId, message_id: messages[11]?.messageId, state: 'open' },
  ]);
  const stored = await world.store.query<{ id: string }>('select id from orders');
  expect(stored.map(({ id }) => id).sort()).toEqual(
    orders.flatMap(({ orderId }, at) => (at === 11 ? [] : [orderId])).sort(),
  );
  expect(await countOf(world.store, 'timeline where accepted')).toBe(15);
  expect(await countOf(world.store, 'inbox')).toBe(16);
});

const loopsOf = (...worlds: World[]): void => {
  for (const { store, bus, log } of worlds) {
    const loop = startTimerLoop(store, bus, log, () => 0);
    onTestFinished(() => loop.stop());
  }
};

const insertTimers = (store: Store, count: number): Promise<number> =>
  store.run(
    `insert into timers (order_id, key, deadline, setting, due_at)
     select 'ord_' || n, 'grace', 'grace', 1000 + n, now() - interval '1 second' from generate_series(1, $1::int) n`,
    [count],
  );

test('due timers become events once, however many loops look', async () => {
  const [world, probe] = [await aWorld(), await aProbe(nats.url)];
  await insertTimers(world.store, 600);
  loopsOf(world, await someoneElse(world));
  await until(async () => (await countOf(world.store, 'outbox')) === 600);
  await until(async () => (await countOf(world.store, 'outbox_pending')) === 0);
  const ids = (await probe.messagesIn('EVT')).map(({ messageId }) => messageId);
  expect(new Set(ids)).toEqual(
    new Set(Array.from({ length: 600 }, (_, n) => `tmr:ord_${n + 1}:grace:${1001 + n}:1`)),
  );
  expect(ids).toHaveLength(600);
  const [row] = await world.store.query<{ ahead: boolean }>(
    `select bool_and(attempt = 1 and due_at > now() + interval '14 minutes') as ahead from timers`,
  );
  expect(row?.ahead).toBe(true);
});

test('due timers wait while much waits to be stepped, and while nothing can be published', async () => {
  const world = await aWorld();
  await insertTimers(world.store, 300);
  const refusals = { behind: 0, away: 0 };
  let events = 1_000_000;
  let isConnected = true;
  const bus: Bus = {
    ...world.bus,
    isConnected: () => {
      if (!isConnected) refusals.away += 1;
      return isConnected;
    },
  };
  const loop = startTimerLoop(world.store, bus, world.log, () => {
    if (events > 0) refusals.behind += 1;
    return events;
  });
  onTestFinished(() => loop.stop());
  await until(() => refusals.behind > 2);
  isConnected = false;
  events = 0;
  await until(() => refusals.away > 2);
  expect(await countOf(world.store, 'timers where attempt = 0')).toBe(300);
  expect(await countOf(world.store, 'outbox')).toBe(0);
  isConnected = true;
  await until(async () => (await countOf(world.store, 'timers where attempt = 1')) === 300);
});

test('due timers wait while every partition is halted, instead of elapsing again and again for nobody', async () => {
  const world = await aWorld();
  await haltEvery(world.store, 'for the test');
  await insertTimers(world.store, 3);
  let rounds = 0;
  const loop = startTimerLoop(world.store, world.bus, world.log, () => {
    rounds += 1;
    return 0;
  });
  onTestFinished(() => loop.stop());
  await until(() => rounds > 3);
  expect(await countOf(world.store, 'outbox')).toBe(0);
  await world.store.run('update event_partitions set halted = null where part = 0');
  await until(async () => (await countOf(world.store, 'timers where attempt = 1')) === 3);
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

test('a timer whose elapsed event was lost elapses again under another id', async () => {
  const [world, probe] = [await aWorld(), await aProbe(nats.url)];
  await insertTimers(world.store, 1);
  loopsOf(world);
  await until(async () => (await probe.messagesIn('EVT')).length === 1);
  await world.store.run("update timers set due_at = now() - interval '1 second'");
  await until(async () => (await probe.messagesIn('EVT')).length === 2);
  expect((await probe.messagesIn('EVT')).map(({ messageId }) => messageId)).toEqual([
    'tmr:ord_1:grace:1001:1',
    'tmr:ord_1:grace:1001:2',
  ]);
});

test('a timer that is set again elapses under another id, so that no elapsed event looks like a repeat', async () => {
  const world = await aWorld();
  const hasty = { ...world, delays: { ...DELAYS, grace: 0, sourcing: 20 } };
  anOwner(hasty);
  loopsOf(hasty);
  const probe = await aProbe(nats.url);
  await world.bus.publish(storyOf(A).slice(0, 1));
  const elapsed = async () =>
    (await probe.messagesIn('EVT')).map(({ messageId }) => messageId).filter((id) => id.startsWith('tmr:'));
  const ofSourcing = async () => (await elapsed()).filter((id) => id.includes(':sourcing:'));
  await until(async () => (await ofSourcing()).length >= 3, 15_000);
  const ids = await elapsed();
  expect((await ofSourcing()).every((id) => id.endsWith(':1'))).toBe(true);
  expect(new Set(ids).size).toBe(ids.length);
});

test('a timer that nobody waits for any more is deleted when it elapses', async () => {
  const world = await aWorld();
  await world.bus.publish(storyOf(A));
  anOwner(world);
  await readUpTo(world, 6);
  await world.store.run(
    `insert into timers (order_id, key, deadline, setting, due_at) values ($1, 'payment', 'payment', 1, now())`,
    [A.orderId],
  );
  loopsOf(world);
  await readUpTo(world, 7);
  expect((await timelineOf(world.store, A)).at(-1)).toEqual({
    message_id: `tmr:${A.orderId}:payment:1:1`,
    accepted: false,
  });
  expect(await world.store.query(`select key from timers where key = 'payment'`)).toEqual([]);
});

test('idle positions follow the stream, so that expired messages never look like a loss', async () => {
  const [world, probe] = [await aWorld(), await aProbe(nats.url)];
  const owner = anOwner(world, 'one', { silenceMs: 100, idleAdvanceMs: 200 });
  await world.bus.publish(storyOf(A));
  const lowest = async (): Promise<number | undefined> =>
    (await world.store.query<{ seq: number }>('select min(seq)::int as seq from event_partitions'))[0]?.seq;
  await expect.poll(lowest, { timeout: 10_000 }).toBe(6);
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
  await expect
    .poll(() => lags().filter((seconds) => seconds === 0).length, { timeout: 10_000 })
    .toBe(PARTITIONS);
  await (await aProbe(nats.url)).deleteStreams();
  await expect
    .poll(() => lags().filter((seconds) => seconds > 0).length, { timeout: 15_000 })
    .toBe(PARTITIONS);
  await owner.stop();
  expect(lags()).toEqual([]);
});
