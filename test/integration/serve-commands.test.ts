import { randomBytes } from 'node:crypto';
import { AckPolicy } from 'nats';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { envelope } from '../../contracts/envelope.ts';
import { AppError } from '../../contracts/errors.ts';
import { commandFilter, commandSubject, type Lane } from '../../contracts/subjects.ts';
import { startSweeper } from '../../services/orders/sweeper.ts';
import {
  type CommandHandler,
  DONE,
  handling,
  later,
  type ServeOptions,
  serveCommands,
} from '../../services/serve-commands.ts';
import { aBreakableRoad } from '../fixtures/breakable-road.ts';
import { aDatabase, aStore } from '../fixtures/database.ts';
import { aProbe } from '../fixtures/probe-nats.ts';
import { anEmptyNats, aServiceContext, type TestContext } from '../fixtures/service-context.ts';

const nats = await anEmptyNats();

const ORDER = 'ord_1';
const send = (context: TestContext, verb: string, id: string, payload?: string, lane: Lane = 'notifier') =>
  context.bus.publish([
    {
      messageId: `${verb}:${id}`,
      subject: commandSubject(lane, verb, id),
      payload:
        payload ??
        JSON.stringify(
          envelope({
            id: `${verb}:${id}`,
            source: '/test',
            type: `notifier.${verb}`,
            subject: ORDER,
            time: '2026-11-22T10:00:00Z',
            data: { orderId: ORDER, id },
          }),
        ),
    },
  ]);

/** Five tries of two seconds each would be most of what these tests take. */
const RETRY_MS = 200;
const UNHEARD_MS = 100;

async function serve(
  context: TestContext,
  handlers: Record<string, CommandHandler>,
  options: ServeOptions = {},
): Promise<void> {
  const usual = { retryMs: RETRY_MS, unheardMs: UNHEARD_MS };
  const consumer = await serveCommands(context, 'notifier', 4, handlers, { ...usual, ...options });
  onTestFinished(() => consumer.stop());
}

const redelivered = async ({ manager }: Awaited<ReturnType<typeof aProbe>>): Promise<number> =>
  (await manager.consumers.info('CMD', 'oms-notifier')).num_redelivered;

const lettersIn = ({ store }: Pick<TestContext, 'store'>) =>
  store.query<{ subject: string; orderId: string | null; state: string; payload: string; failure: string }>(
    'select subject, order_id as "orderId", state, payload, failure from dead_letters order by subject',
  );

const waiting = async ({ bus }: TestContext): Promise<number> => (await bus.streamState('CMD')).messages;

const Data = z.object({ orderId: z.string(), id: z.string() });

test('what cannot be carried out is tried five times and set aside; its neighbours go on', async () => {
  const context = await aServiceContext(nats.url);
  const tries = new Map<string, number>();
  const done: string[] = [];
  await serve(context, {
    work: handling(Data, async ({ id }, commandId) => {
      expect(commandId).toBe(`work:${id}`);
      done.push(id);
      return DONE;
    }),
    fail: handling(Data, async ({ id }) => {
      tries.set(id, (tries.get(id) ?? 0) + 1);
      throw new RangeError('zora@customer.example is nobody');
    }),
    refuse: async () => {
      throw new AppError('order_not_found', 'no such order', { retryable: false });
    },
  });
  await send(context, 'work', 'before');
  await send(context, 'unheard', '1');
  await send(context, 'work', 'text', 'no JSON at all \u0000');
  await send(context, 'work', 'bare', '{"id":"no envelope"}');
  await send(context, 'work', 'cut', '{"id":"cut');
  await send(context, 'work', 'said', 'connection terminated');
  await send(context, 'work', `endless${randomBytes(1_600).toString('hex')}`, 'no JSON either');
  await send(context, 'fail', '1');
  await send(context, 'refuse', '1');
  await send(context, 'work', 'after');
  await expect.poll(() => done).toEqual(['before', 'after']);
  expect(await lettersIn(context)).toEqual([]);

  await expect.poll(() => waiting(context)).toBe(0);
  const letters = await lettersIn(context);
  expect(letters).toMatchObject([
    { subject: 'oms.cmd.notifier.fail.1', failure: expect.stringContaining('RangeError') },
    { subject: 'oms.cmd.notifier.refuse.1', failure: expect.stringContaining('order_not_found') },
    { subject: 'oms.cmd.notifier.unheard.1', failure: expect.stringContaining('UnheardError') },
    { subject: 'oms.cmd.notifier.work.bare', payload: '{"id":"no envelope"}' },
    { subject: 'oms.cmd.notifier.work.cut', payload: '{"id":"cut' },
    { subject: expect.stringMatching(/^oms\.cmd\.notifier\.work\.endless\w+$/), payload: 'no JSON either' },
    { subject: 'oms.cmd.notifier.work.said', payload: 'connection terminated' },
    { subject: 'oms.cmd.notifier.work.text', payload: expect.stringContaining('no JSON at all') },
  ]);
  for (const { state } of letters) expect(state).toBe('open');
  expect(letters.map(({ orderId }) => orderId)).toEqual([ORDER, ORDER, ORDER, null, null, null, null, null]);
  expect(tries.get('1')).toBe(5);
  expect(JSON.stringify([letters.map(({ failure }) => failure), context.lines])).not.toMatch(/zora/);
  expect(context.lines.filter(({ msg }) => msg === 'dead letter')).toHaveLength(8);

  await send(context, 'work', 'later');
  await expect.poll(() => done).toEqual(['before', 'after', 'later']);
});

test('a command that only the next release takes waits in its lane for it, longer than an upgrade takes', async () => {
  const context = await aServiceContext(nats.url);
  const before = await serveCommands(context, 'notifier', 4, {}, { retryMs: 20, unheardMs: 200 });
  onTestFinished(() => before.stop());
  await send(context, 'fresh', '1');
  const probe = await aProbe(nats.url);
  // More often than what fails is tried.
  await expect.poll(() => redelivered(probe)).toBe(1);
  await expect
    .poll(async () => (await probe.manager.consumers.info('CMD', 'oms-notifier')).delivered.consumer_seq)
    .toBeGreaterThan(6);
  await before.stop();
  expect(await lettersIn(context)).toEqual([]);
  const taken: string[] = [];
  await serve(context, {
    fresh: handling(Data, async ({ id }) => {
      taken.push(id);
      return DONE;
    }),
  });
  await expect.poll(() => taken).toEqual(['1']);
  await expect.poll(() => waiting(context)).toBe(0);
});

test('at the level DEBUG the log says each command and what came of it', async () => {
  const context = await aServiceContext(nats.url);
  context.log.level = 'debug';
  await serve(context, { work: async () => DONE });
  await send(context, 'work', 'a');
  const wanted = { msg: 'command', subject: commandSubject('notifier', 'work', 'a'), verdict: 'done' };
  await expect.poll(() => context.lines).toContainEqual(expect.objectContaining(wanted));
});

test('a command that the server hands to the wrong lane is left to its own', async () => {
  const context = await aServiceContext(nats.url);
  const { manager } = await aProbe(nats.url);
  // As a consumer whose remembered positions were given to other commands, after a leader of a cluster had died.
  for (const durable of ['oms-shopify', 'oms-notifier']) await manager.consumers.delete('CMD', durable);
  await manager.consumers.add('CMD', {
    durable_name: 'oms-notifier',
    filter_subject: commandFilter('shopify'),
    ack_policy: AckPolicy.Explicit,
  });
  const astray: string[] = [];
  const work = (handled: string[]) => ({
    work: handling(Data, async ({ id }) => {
      handled.push(id);
      return DONE;
    }),
  });
  await serve(context, work(astray));
  await send(context, 'work', '1', undefined, 'shopify');
  await expect.poll(() => waiting(context)).toBe(0);
  await manager.consumers.delete('CMD', 'oms-notifier');
  await context.bus.setUp(1);

  const own: string[] = [];
  const consumer = await serveCommands(context, 'shopify', 4, work(own));
  onTestFinished(() => consumer.stop());
  const sweeper = startSweeper(context.store, context.bus, context.log);
  onTestFinished(() => sweeper.stop());
  await expect.poll(() => own).toEqual(['1']);
  expect([astray, await lettersIn(context)]).toEqual([[], []]);
});

test('a foreseen trouble that passes is waited for, however often, by what nothing asks for again', async () => {
  const context = await aServiceContext(nats.url);
  // More often than the server would deliver one message.
  const TROUBLES = 25;
  let tries = 0;
  await serve(
    context,
    {
      work: handling(Data, async (_, commandId) => {
        expect(commandId).toBe('work:1');
        tries += 1;
        if (tries <= TROUBLES) throw new AppError('shop_failed', 'throttled', { retryable: true });
        return DONE;
      }),
    },
    { retryMs: 20, lasting: ['work'] },
  );
  await send(context, 'work', '1');
  await expect.poll(() => tries).toBe(TROUBLES + 1);
  await expect.poll(() => waiting(context)).toBe(0);
  expect(await lettersIn(context)).toEqual([]);
});

test('in bad times the commands of a lane stay there instead of coming and going', async () => {
  const context = await aServiceContext(nats.url);
  const COMMANDS = 30;
  for (let id = 1; id <= COMMANDS; id += 1) await send(context, 'work', String(id));
  let tries = 0;
  await serve(context, {
    work: async () => {
      tries += 1;
      throw new AppError('store_unavailable', 'the database is away', { retryable: true });
    },
  });
  const probe = await aProbe(nats.url);
  await expect.poll(() => redelivered(probe)).toBeGreaterThan(0);
  expect(tries).toBeLessThan(COMMANDS / 2);
});

test('waits for better times use up no tries of a command that then fails', async () => {
  const context = await aServiceContext(nats.url);
  let calls = 0;
  await serve(context, {
    work: async () => {
      calls += 1;
      if (calls <= 7) return later(10);
      throw new RangeError('only now');
    },
  });
  await send(context, 'work', '1');
  await expect.poll(() => calls).toBe(8);
  expect(await lettersIn(context)).toEqual([]);
  await expect.poll(() => lettersIn(context)).toHaveLength(1);
  expect(calls).toBe(12);
});

test('while the database is away commands wait, and what was hopeless is set aside once it is back', async () => {
  const direct = await aServiceContext(nats.url, {}, await aDatabase());
  const road = await aBreakableRoad(direct.connectionString);
  const context = { ...direct, store: await aStore(road.connectionString) };
  let tries = 0;
  await serve(context, {
    work: handling(Data, async ({ id }) => {
      tries += 1;
      await context.store.run('insert into copies (id, seen_at) values ($1, now())', [id]);
      return DONE;
    }),
  });
  await road.breakDown();
  await send(context, 'work', '1');
  await send(context, 'unheard', '1');
  await expect.poll(() => tries).toBeGreaterThan(5);
  expect(await waiting(context)).toBe(2);

  await road.mend();
  await expect.poll(() => waiting(context)).toBe(0);
  expect(await direct.store.query('select id from copies')).toEqual([{ id: '1' }]);
  expect(await lettersIn(direct)).toMatchObject([{ subject: 'oms.cmd.notifier.unheard.1' }]);
});

test('a command that comes again while the first is at work starts when that one is through, and not beside it', async () => {
  const context = await aServiceContext(nats.url);
  const probe = await aProbe(nats.url);
  const work = Promise.withResolvers<void>();
  let started = 0;
  let atWork = 0;
  const besides: number[] = [];
  await serve(context, {
    work: handling(Data, async () => {
      started += 1;
      besides.push(atWork);
      atWork += 1;
      await work.promise;
      atWork -= 1;
      return DONE;
    }),
  });
  await send(context, 'work', '1');
  await expect.poll(() => started).toBe(1);
  const again = commandSubject('notifier', 'work', '1');
  const message = {
    id: 'work:1:again',
    source: '/test',
    type: 'notifier.work',
    subject: ORDER,
    time: '2026-11-22T10:00:00Z',
  };
  const payload = JSON.stringify(envelope({ ...message, data: { orderId: ORDER, id: '1' } }));
  await context.bus.publish([{ messageId: message.id, subject: again, payload }]);
  await expect.poll(() => redelivered(probe)).toBe(1);
  expect(started).toBe(1);
  work.resolve();
  await expect.poll(() => waiting(context)).toBe(0);
  expect(started).toBe(2);
  expect(besides).toEqual([0, 0]);
});

test('while a partition is halted no command is carried out', async () => {
  const context = await aServiceContext(nats.url);
  await context.store.run("update event_partitions set halted = 'the stream was made anew' where part = 3");
  let calls = 0;
  await serve(context, {
    work: handling(Data, async () => {
      calls += 1;
      return DONE;
    }),
  });
  await send(context, 'work', '1');
  const probe = await aProbe(nats.url);
  await expect.poll(() => redelivered(probe)).toBe(1);
  expect(calls).toBe(0);
  await context.store.run('update event_partitions set halted = null');
  await expect.poll(() => calls).toBe(1);
});

test('a queue that was lost while its service runs is said with what to do, and commands go on once it is there again', async () => {
  const context = await aServiceContext(nats.url);
  const done: string[] = [];
  await serve(context, {
    work: handling(Data, async ({ id }) => {
      done.push(id);
      return DONE;
    }),
  });
  const { manager } = await aProbe(nats.url);
  await manager.consumers.delete('CMD', 'oms-notifier');
  await send(context, 'work', 'meanwhile');
  const said = () =>
    context.lines.filter(({ err }) => JSON.stringify(err ?? '').includes('run the set-up step')).length;
  await expect.poll(said).toBeGreaterThan(0);
  expect(done).toEqual([]);
  await context.bus.setUp(1);
  await expect.poll(() => done).toEqual(['meanwhile']);
});
