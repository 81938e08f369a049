import { expect, onTestFinished, test } from 'vitest';
import type { Bus } from '../../services/bus/bus.ts';
import { startTimerLoop } from '../../services/orders/timer-loop.ts';
import { haltEvery } from '../../services/store/partitions.ts';
import type { Store } from '../../services/store/store.ts';
import { DELAYS } from '../fixtures/order-host.ts';
import {
  A,
  anEventLog,
  anOwner,
  countOf,
  readUpTo,
  storyOf,
  timelineOf,
  until,
  type World,
} from '../fixtures/partition-world.ts';
import { aProbe } from '../fixtures/probe-nats.ts';

const { nats, aWorld, someoneElse } = await anEventLog();

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
  await until(async () => (await ofSourcing()).length >= 3);
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
