import { afterAll, beforeAll, beforeEach, expect, inject, onTestFinished, test } from 'vitest';
import { commandSubject, LANES, STREAMS } from '../../contracts/subjects.ts';
import { type Bus, openBus } from '../../services/bus/bus.ts';
import type { Command, CommandResult, Concurrency } from '../../services/bus/command-consumer.ts';
import type { PartitionReader } from '../../services/bus/partition-reader.ts';
import type { OutgoingMessage } from '../../services/bus/publisher.ts';
import { DONE, later } from '../../services/serve-commands.ts';
import { ordersOfPartition } from '../fixtures/order-events.ts';
import { type OwnNats, startOwnNats } from '../fixtures/own-nats.ts';
import { aProbe } from '../fixtures/probe-nats.ts';

const PART = 7;
const [{ orderId } = { orderId: '' }] = ordersOfPartition(PART, 1);
let nats: OwnNats;

beforeAll(async () => {
  nats = await startOwnNats();
});
afterAll(() => nats.remove());
beforeEach(async () => {
  await (await aProbe(nats.url)).deleteStreams();
  await (await aBus()).setUp(1);
});

async function aBus(url = nats.url): Promise<Bus> {
  const bus = await openBus(url, 'test');
  onTestFinished(() => bus.close());
  return bus;
}

async function aReader(bus: Bus, fromSeq: number): Promise<PartitionReader> {
  const reader = await bus.readPartition(PART, fromSeq);
  onTestFinished(() => reader.close());
  return reader;
}

const event = (number: number, partition = PART): OutgoingMessage => ({
  messageId: `e${number}`,
  subject: `oms.evt.${partition}.order.received.${orderId}`,
  payload: String(number),
});
const events = (from: number, to: number): OutgoingMessage[] =>
  Array.from({ length: to - from + 1 }, (_, index) => event(from + index));

const command = (id: string): OutgoingMessage => ({
  messageId: `c:${id}`,
  subject: commandSubject('suppliers', 'buy', id),
  payload: id,
});

const until = (isTrue: () => unknown, timeout = 60_000): Promise<void> =>
  expect.poll(isTrue, { timeout, interval: 10 }).toBe(true);

/** Takes what arrives until `count` payloads are there. */
async function read(reader: PartitionReader, count: number, timeoutMs = 10_000): Promise<string[]> {
  const payloads: string[] = [];
  const deadline = performance.now() + timeoutMs;
  while (payloads.length < count && performance.now() < deadline) {
    await reader.arrival(100);
    payloads.push(...reader.take(count - payloads.length).map(({ payload }) => payload));
  }
  return payloads;
}

const payloadsOf = (messages: readonly OutgoingMessage[]): string[] => messages.map(({ payload }) => payload);

test('the set-up can be repeated, keeps what is stored, and the server has taken every setting as wished', async () => {
  const [bus, probe] = [await aBus(), await aProbe(nats.url)];
  await bus.publish([event(1), command('a')]);
  const made = await bus.streamState(STREAMS.events);
  await bus.setUp(1);
  expect(await bus.streamState(STREAMS.events)).toEqual({ ...made, messages: 1 });

  const config = async (stream: string) => (await probe.manager.streams.info(stream)).config;
  const nanosOf = (days: number) => days * 24 * 3_600 * 1e9;
  expect(await config('EVT')).toMatchObject({
    subjects: ['oms.evt.>'],
    retention: 'limits',
    storage: 'file',
    discard: 'new',
    deny_delete: true,
    max_age: nanosOf(60),
    duplicate_window: 120 * 1e9,
    num_replicas: 1,
  });
  expect(await config('CMD')).toMatchObject({
    subjects: ['oms.cmd.>'],
    retention: 'workqueue',
    storage: 'file',
    discard: 'new',
    max_age: 0,
    max_msgs_per_subject: 1,
    duplicate_window: 600 * 1e9,
  });
  expect(await config('CREW')).toMatchObject({
    subjects: ['oms.pub.>'],
    discard: 'old',
    max_age: nanosOf(7),
  });
  expect((await config('ADV')).subjects).toHaveLength(2);
  for (const lane of LANES) {
    const { config: durable } = await probe.manager.consumers.info('CMD', `oms-${lane}`);
    expect(durable).toMatchObject({
      filter_subject: `oms.cmd.${lane}.>`,
      ack_policy: 'explicit',
      ack_wait: 30 * 1e9,
      max_deliver: 20,
    });
  }
});

test('the set-up mends a setting that somebody changed', async () => {
  const [bus, probe] = [await aBus(), await aProbe(nats.url)];
  const { config: wanted } = await probe.manager.streams.info('EVT');
  await probe.manager.streams.update('EVT', { max_bytes: 1_000_000 });
  await probe.manager.consumers.update('CMD', 'oms-suppliers', { max_ack_pending: 1 });
  await bus.setUp(1);
  expect((await probe.manager.streams.info('EVT')).config).toEqual(wanted);
  expect((await probe.manager.consumers.info('CMD', 'oms-suppliers')).config.max_ack_pending).toBe(4_096);
});

test('a message published again under its id is stored once', async () => {
  const [bus, probe] = [await aBus(), await aProbe(nats.url)];
  await bus.publish(events(1, 3));
  await bus.publish(events(2, 5));
  expect((await probe.messagesIn('EVT')).map(({ messageId }) => messageId)).toEqual([
    'e1',
    'e2',
    'e3',
    'e4',
    'e5',
  ]);
});

test('more messages than one window are stored in their order', async () => {
  const [bus, probe] = [await aBus(), await aProbe(nats.url)];
  await bus.publish(events(1, 1_100));
  expect((await probe.messagesIn('EVT')).map(({ payload }) => payload)).toEqual(payloadsOf(events(1, 1_100)));
});

test('batches published at the same time do not take each other for their own', async () => {
  const bus = await aBus();
  const refused = { messageId: 'x', subject: 'nobody.listens', payload: '' };
  const outcomes = await Promise.allSettled([
    bus.publish(events(1, 40)),
    bus.publish([...events(41, 60), refused]),
    bus.publish(events(61, 100)),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('a subject that no stream has is refused at once', async () => {
  const bus = await aBus(inject('bareNatsUrl'));
  const startedAt = performance.now();
  await expect(bus.publish([event(1)])).rejects.toMatchObject({ code: 'bus_unavailable', retryable: true });
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

test('what the server cannot store is refused and the next batch goes through', async () => {
  const [bus, probe] = [await aBus(), await aProbe(nats.url)];
  const big = { ...event(1), payload: 'x'.repeat(1_100_000) };
  await expect(bus.publish([big])).rejects.toMatchObject({ code: 'bus_unavailable' });
  await probe.manager.streams.update('EVT', { max_bytes: 1_000 });
  await expect(bus.publish(events(2, 30))).rejects.toThrow(/maximum bytes/);
  await probe.manager.streams.update('EVT', { max_bytes: 1_000_000 });
  await bus.publish(events(101, 130));
  const stored = (await probe.messagesIn('EVT')).map(({ payload }) => payload);
  expect(stored.slice(-30)).toEqual(payloadsOf(events(101, 130)));
});

test('a missing stream is named, and nobody home is an outage', async () => {
  const bare = await aBus(inject('bareNatsUrl'));
  await expect(bare.streamState('EVT')).rejects.toMatchObject({ code: 'stream_mismatch', retryable: true });
  const bus = await aBus();
  expect(bus.isConnected()).toBe(true);
  expect(await bus.lastSeqOn('EVT', `oms.evt.${PART}.>`)).toBe(0);
  await bus.publish([event(1), event(2, 8), event(3)]);
  expect(await bus.lastSeqOn('EVT', `oms.evt.${PART}.>`)).toBe(3);
  expect(await bus.lastSeqOn('EVT', 'oms.evt.8.>')).toBe(2);
});

test('publishing while the server is down is refused, and the repeat after its restart arrives once', async () => {
  const bus = await aBus();
  await bus.publish([event(1)]);
  await nats.kill();
  await until(() => !bus.isConnected());
  await expect(bus.publish(events(1, 2))).rejects.toMatchObject({ code: 'bus_unavailable', retryable: true });
  await nats.start();
  await until(() => bus.isConnected());
  expect(bus.reconnects()).toBe(1);
  await bus.publish(events(1, 2));
  const probe = await aProbe(nats.url);
  expect((await probe.messagesIn('EVT')).map(({ messageId }) => messageId)).toEqual(['e1', 'e2']);
});

test('a bus waits for a server that starts later', async () => {
  await nats.stop();
  const opening = openBus(nats.url, 'test');
  await nats.start();
  const bus = await opening;
  onTestFinished(() => bus.close());
  await bus.publish([event(1)]);
});

test('a reader gives its partition alone, in order, from the wanted position on', async () => {
  const bus = await aBus();
  await bus.publish(events(1, 4));
  await bus.publish([event(100, 8)]);
  await bus.publish(events(5, 6));
  const reader = await aReader(bus, 3);
  await until(() => reader.take(0).length === 0);
  const first = await read(reader, 2);
  await bus.publish(events(7, 8));
  expect([...first, ...(await read(reader, 4))]).toEqual(['3', '4', '5', '6', '7', '8']);
  expect(reader.take(10)).toEqual([]);
});

test('a reader says where each message stands and how many wait behind it', async () => {
  const bus = await aBus();
  await bus.publish([event(1), event(100, 8), event(2)]);
  const reader = await aReader(bus, 1);
  const batch: unknown[] = [];
  await until(() => batch.push(...reader.take(10)) === 2);
  const subject = event(1).subject;
  expect(batch).toEqual([
    { seq: 1, subject, payload: '1', pending: 1, storedAt: expect.any(Number) },
    { seq: 3, subject, payload: '2', pending: 0, storedAt: expect.any(Number) },
  ]);
});

test('waiting for an arrival ends with the arrival, and without one with the time', async () => {
  const bus = await aBus();
  const reader = await aReader(bus, 1);
  await reader.arrival(20);
  const startedAt = performance.now();
  const arrival = reader.arrival(15_000);
  await bus.publish([event(1)]);
  await arrival;
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  expect(reader.take(1)).toHaveLength(1);
});

test('a reader whose messages nobody takes stops asking for more', async () => {
  const [bus, probe] = [await aBus(), await aProbe(nats.url)];
  await bus.publish(events(1, 4_000));
  const reader = await aReader(bus, 1);
  const deliveredOf = async (): Promise<number> => {
    const [consumer] = await probe.manager.consumers.list('EVT').next();
    return consumer?.delivered.stream_seq ?? 0;
  };
  await until(async () => (await deliveredOf()) >= 512);
  // What was in flight has arrived when the server says the same number over several of the reader's heartbeats.
  let seen = -1;
  let same = 0;
  await until(async () => {
    const delivered = await deliveredOf();
    same = delivered === seen ? same + 1 : 0;
    seen = delivered;
    return same > 50;
  });
  expect(seen).toBeLessThanOrEqual(1_536);
  expect(await read(reader, 4_000)).toEqual(payloadsOf(events(1, 4_000)));
});

test('a reader goes on in order after the server was killed and started again on its store', async () => {
  const bus = await aBus();
  await bus.publish(events(1, 20));
  const reader = await aReader(bus, 1);
  expect(await read(reader, 10)).toEqual(payloadsOf(events(1, 10)));
  await nats.kill();
  await nats.start();
  await until(() => bus.isConnected());
  await bus.publish(events(15, 30));
  // What the worker does after each new connection.
  const next = await aReader(bus, 11);
  expect(await read(next, 20, 15_000)).toEqual(payloadsOf(events(11, 30)));
});

test('a reader whose stream was made anew does not go on by itself in the other one', async () => {
  const [bus, probe] = [await aBus(), await aProbe(nats.url)];
  await bus.publish(events(1, 3));
  const reader = await aReader(bus, 1);
  expect(await read(reader, 3)).toEqual(['1', '2', '3']);
  await probe.deleteStreams();
  await bus.setUp(1);
  await bus.publish(events(11, 18));
  const got: string[] = [];
  await until(async () => {
    await reader.arrival(50);
    try {
      got.push(...reader.take(10).map(({ payload }) => payload));
      return false;
    } catch (error) {
      expect(error).toMatchObject({ code: 'bus_unavailable', retryable: true });
      return true;
    }
  });
  expect(got).toEqual([]);
});

/** A consumer of the suppliers' commands that remembers what it was given. */
async function aConsumer(
  bus: Bus,
  handle: (command: Command) => Promise<CommandResult>,
  concurrency: Concurrency = 4,
): Promise<{ seen: Command[]; stop(): Promise<void> }> {
  const seen: Command[] = [];
  const consumer = await bus.consume('suppliers', concurrency, async (given) => {
    seen.push(given);
    return handle(given);
  });
  onTestFinished(() => consumer.stop());
  return { seen, stop: () => consumer.stop() };
}

const waitingCommands = async (bus: Bus): Promise<number> => (await bus.streamState('CMD')).messages;

test('a copy that may have fewer commands in hand gives back those that it has not begun', async () => {
  const bus = await aBus();
  let hands = 3;
  const [first, others] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const handle = async ({ payload }: Command): Promise<CommandResult> => {
    await (payload === 'a' ? first : others).promise;
    return DONE;
  };
  const one = await aConsumer(bus, handle, () => hands);
  onTestFinished(() => others.resolve());
  await bus.publish(['a', 'b', 'c', 'd', 'e', 'f'].map((id) => command(id)));
  const { manager } = await aProbe(nats.url);
  await until(async () => (await manager.consumers.info('CMD', 'oms-suppliers')).num_ack_pending === 6);
  hands = 1;
  const other = await aConsumer(bus, async () => DONE);
  first.resolve();
  await until(() => other.seen.length === 2);
  expect(one.seen).toHaveLength(3);
});

test('a command that is done leaves the queue', async () => {
  const bus = await aBus();
  const consumer = await aConsumer(bus, async () => DONE);
  await bus.publish([command('a')]);
  await until(async () => consumer.seen.length === 1 && (await waitingCommands(bus)) === 0);
  expect(consumer.seen).toEqual([
    { subject: 'oms.cmd.suppliers.buy.a', verb: 'buy', payload: 'a', deliveries: 1 },
  ]);
});

test('of a command that is asked for again while it waits the newest stands, and what was in hand meanwhile is let go', async () => {
  const bus = await aBus();
  const again = (number: number): OutgoingMessage => ({
    ...command('a'),
    messageId: `c:a:${number}`,
    payload: `a${number}`,
  });
  await bus.publish([command('a'), command('b'), again(1)]);
  expect(await waitingCommands(bus)).toBe(2);
  const inHand = Promise.withResolvers<void>();
  const consumer = await aConsumer(bus, async ({ payload }) => {
    if (payload === 'a1') await inHand.promise;
    return DONE;
  });
  await until(() => consumer.seen.length === 2);
  await bus.publish([again(2)]);
  await until(() => consumer.seen.length === 3);
  inHand.resolve();
  await until(async () => (await waitingCommands(bus)) === 0);
  expect(consumer.seen.map(({ payload }) => payload)).toEqual(['b', 'a1', 'a2']);
});

test('a command for later comes again after the delay and says so', async () => {
  const bus = await aBus();
  const at: number[] = [];
  const consumer = await aConsumer(bus, async ({ deliveries }) => {
    at.push(performance.now());
    return deliveries === 1 ? later(400) : DONE;
  });
  await bus.publish([command('a')]);
  await until(async () => at.length === 2 && (await waitingCommands(bus)) === 0);
  expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(390);
  expect(consumer.seen.map(({ deliveries }) => deliveries)).toEqual([1, 2]);
});

test('a buried command leaves the queue and is noted among the advisories', async () => {
  const bus = await aBus();
  await aConsumer(bus, async () => ({ verdict: 'bury' }));
  await bus.publish([command('a')]);
  await until(async () => (await waitingCommands(bus)) === 0);
  await until(async () => (await bus.streamState('ADV')).messages === 1);
});

test('two copies share the commands, each command with one of them, at most as many at once as each allows', async () => {
  const [one, two] = [await aBus(), await aBus()];
  let atOnce = 0;
  let most = 0;
  const slowly = async (): Promise<CommandResult> => {
    atOnce += 1;
    most = Math.max(most, atOnce);
    await new Promise(setImmediate);
    atOnce -= 1;
    return DONE;
  };
  const consumers = [await aConsumer(one, slowly, 3), await aConsumer(two, slowly, 3)];
  const ids = Array.from({ length: 200 }, (_, index) => String(index));
  await one.publish(ids.map(command));
  await until(async () => (await waitingCommands(one)) === 0);
  const shares = consumers.map(({ seen }) => seen.map(({ payload }) => payload));
  expect(shares.flat().sort()).toEqual(ids.sort());
  for (const share of shares) expect(share.length).toBeGreaterThan(10);
  expect(most).toBeLessThanOrEqual(6);
});

test('a stopped consumer finishes what it has in hand and takes nothing new', async () => {
  const bus = await aBus();
  const release = Promise.withResolvers<void>();
  let finished = 0;
  const consumer = await aConsumer(bus, async () => {
    await release.promise;
    finished += 1;
    return DONE;
  });
  await bus.publish(['a', 'b'].map(command));
  await until(() => consumer.seen.length === 2);
  const stopping = consumer.stop();
  await bus.publish([command('c')]);
  release.resolve();
  await stopping;
  expect(finished).toBe(2);
  await until(async () => (await waitingCommands(bus)) === 1);
  const next = await aConsumer(bus, async () => DONE);
  await until(() => next.seen.length === 1);
  expect(next.seen[0]?.payload).toBe('c');
});

test('a consumer goes on after the server was killed, and what was acknowledged may come again', async () => {
  const bus = await aBus();
  const consumer = await aConsumer(bus, async () => DONE);
  await bus.publish([command('a')]);
  await until(async () => (await waitingCommands(bus)) === 0);
  await nats.kill();
  await nats.start();
  await until(() => bus.isConnected());
  await bus.publish([command('b')]);
  await until(() => consumer.seen.some(({ payload }) => payload === 'b'), 15_000);
});

test('a consumer that stops gives back what it has not begun, long before its time for an answer is over', async () => {
  const bus = await aBus();
  await bus.publish(['1', '2', '3', '4', '5', '6'].map(command));
  const release = Promise.withResolvers<void>();
  const first = await aConsumer(bus, () => release.promise.then(() => DONE), 2);
  // Two are in hand, and two more have been fetched.
  const probe = await aProbe(nats.url);
  await until(async () => {
    const { num_ack_pending: fetched } = await probe.manager.consumers.info(
      STREAMS.commands,
      'oms-suppliers',
    );
    return first.seen.length === 2 && fetched === 4;
  });
  onTestFinished(() => release.resolve());
  const stopped = first.stop();
  const second = await aConsumer(await aBus(), async () => DONE, 2);
  await until(() => second.seen.length === 4, 20_000);
  release.resolve();
  await stopped;
  const payloads = [...first.seen, ...second.seen].map(({ payload }) => payload);
  expect(payloads.sort()).toEqual(['1', '2', '3', '4', '5', '6']);
});

test('a reader that missed a message says so, and lets itself be closed', async () => {
  const bus = await aBus();
  const reader = await aReader(bus, 1);
  const probe = await aProbe(nats.url);
  const [{ name } = { name: '' }] = await probe.manager.consumers.list(STREAMS.events).next();
  const thief = await probe.connection.jetstream().consumers.get(STREAMS.events, name);
  const stolen = thief.next({ expires: 10_000 });
  await until(async () => (await probe.manager.consumers.info(STREAMS.events, name)).num_waiting > 1);
  await bus.publish(events(1, 4));
  expect(await stolen).not.toBeNull();
  await expect(read(reader, 4)).rejects.toThrow('has lost its place');
  await reader.close();
});
