import { expect, test } from 'vitest';
import { PARTITIONS } from '../../contracts/ids.ts';
import type { OutgoingMessage } from '../../services/bus/publisher.ts';
import { commitBatch, FencedError } from '../../services/orders/commit-batch.ts';
import { sharedBatches, type Turn } from '../../services/orders/shared-batches.ts';
import { claim } from '../../services/store/partitions.ts';
import { aCuttingProxy } from '../fixtures/cutting-proxy.ts';
import { aStore } from '../fixtures/database.ts';
import { aMessage, ordersOfPartition, received } from '../fixtures/order-events.ts';
import {
  A,
  anEventLog,
  countOf,
  decoded,
  idsOf,
  lettersOf,
  type Order,
  PART,
  portsOf,
  seqOf,
  stateOf,
  storyOf,
  timelineOf,
  type World,
} from '../fixtures/partition-world.ts';

const { aWorld } = await anEventLog();

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
