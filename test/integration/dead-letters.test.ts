import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { deadlineDelays } from '../../contracts/deadlines.ts';
import {
  DEAD_LETTER_SETTLE_REQUESTED,
  type DeadLetterSettleRequested,
} from '../../contracts/events/dead-letter-settlement.ts';
import type { DeadLetterSummary, DeadLetterView } from '../../contracts/resources/dead-letter.ts';
import type { Explanation } from '../../contracts/resources/explanation.ts';
import type { Timeline } from '../../contracts/resources/timeline.ts';
import { eventSubject } from '../../contracts/subjects.ts';
import { audit } from '../../services/audit.ts';
import type { OutgoingMessage } from '../../services/bus/publisher.ts';
import { startPartitionOwner } from '../../services/orders/partition-owner.ts';
import { startUndeliveredLoop } from '../../services/orders/undelivered-loop.ts';
import { DONE, handling, serveCommands } from '../../services/serve-commands.ts';
import { type DeadLetterRow, layDownCommand } from '../../services/store/dead-letters.ts';
import { aGateway, type Gateway } from '../fixtures/a-gateway.ts';
import { aMessage, boughtFor, elapsed, sourced } from '../fixtures/order-events.ts';
import { startServiceProcess } from '../fixtures/order-host.ts';
import { A, B, type Order, storyOf } from '../fixtures/partition-world.ts';
import { aProbe } from '../fixtures/probe-nats.ts';
import { anEmptyNats } from '../fixtures/service-context.ts';

const nats = await anEmptyNats();

async function aWorld(): Promise<Gateway> {
  const gateway = await aGateway(nats.url);
  const { context } = gateway;
  const owner = startPartitionOwner({ ...context, delays: deadlineDelays(context.settings) }, 'one');
  onTestFinished(() => owner.stop());
  return gateway;
}

const raw = ({ orderId }: Order, type: string, payload: string): OutgoingMessage => ({
  messageId: `raw:${type}:${orderId}`,
  subject: eventSubject(type, orderId),
  payload,
});

/** More units sourced than were ordered, under the id of the answer that the order waits for. */
const tooMany = ({ orderId, shopOrderId }: Order): OutgoingMessage =>
  aMessage(sourced(orderId, 5), `${shopOrderId}:2`);

const states = ({ context }: Gateway): Promise<Record<string, string>> =>
  context.store
    .query<{ id: string; state: string }>('select id, state from orders')
    .then((rows) => Object.fromEntries(rows.map(({ id, state }) => [id, state])));

const lettersOf = async (gateway: Gateway, query = ''): Promise<DeadLetterSummary[]> =>
  (await (await gateway.call(`/dead-letters${query}`)).json()).items;

const letter = async (gateway: Gateway, id: string): Promise<DeadLetterView> =>
  (await gateway.call(`/dead-letters/${id}`)).json();

const timeline = async (gateway: Gateway, { orderId }: Order): Promise<Timeline['items']> =>
  (await (await gateway.call(`/orders/${orderId}/timeline`)).json()).items;

const until = (check: () => unknown): Promise<unknown> => expect.poll(check).toBe(true);

/** Both orders, the first with this in the place of its third event. @returns the open letter. */
async function poisoned(gateway: Gateway, poison: OutgoingMessage): Promise<DeadLetterSummary> {
  const [story, neighbour] = [storyOf(A), storyOf(B)];
  const { bus } = gateway.context;
  await bus.publish([...story.slice(0, 2), ...neighbour.slice(0, 2), poison, ...story.slice(3, 5)]);
  await bus.publish([...neighbour.slice(2), ...story.slice(5)]);
  await until(async () => {
    const letters = await lettersOf(gateway);
    return letters.length === 4 && (await states(gateway))[B.orderId] === 'delivered';
  });
  expect((await states(gateway))[A.orderId]).toBe('sourcing');
  const [open] = await lettersOf(gateway, '?state=open');
  if (open === undefined) throw new Error('no letter is open');
  return open;
}

const audited = async ({ context }: Gateway): Promise<void> => {
  const said: string[] = [];
  const { violations, checked } = await audit(context.store, (text) => said.push(text));
  expect([violations, checked.replayed], said.join('\n')).toEqual([0, checked.orders]);
};

/** The stored states of an order and its purchase, but for what names them. */
async function whatIsKnownOf({ context }: Gateway, { orderId }: Order): Promise<unknown> {
  const rows = await context.store.query(
    `select o.state, o.context, s.state as purchase, s.context as "purchaseContext"
       from orders o join supplier_orders s on s.order_id = o.id where o.id = $1 and s.id = $2`,
    [orderId, boughtFor(orderId)],
  );
  return JSON.parse(JSON.stringify(rows).replaceAll(/(?:ord|pcl)_\w+/g, 'x'));
}

const edit = (gateway: Gateway, id: string, data: object): Promise<Response> =>
  gateway.send('POST', `/dead-letters/${id}/edit`, { note: 'the count was wrong', data });

test('a letter is listed with its reason, and explain says that the order waits behind it and what can be done', async () => {
  const gateway = await aWorld();
  const open = await poisoned(gateway, tooMany(A));
  expect(open).toMatchObject({
    kind: 'event',
    reason: 'impossible',
    failure: expect.stringContaining('conservation_violated'),
    message: 'order.sourced',
    orderId: A.orderId,
    attempts: 1,
    waiting: 3,
    can: ['replay', 'skip', 'edit'],
  });
  const all = await lettersOf(gateway, `?orderId=${A.orderId}&limit=3`);
  expect(all.map(({ state }) => state)).toEqual(['parked', 'parked', 'parked']);
  expect(await lettersOf(gateway, '?reason=unreadable')).toEqual([]);
  const explained: Explanation = await (await gateway.call(`/orders/${A.orderId}/explain`)).json();
  expect(explained.deadLetters).toMatchObject([{ id: open.id, reason: 'impossible', waiting: 3 }]);
  expect(explained.sentences.join(' ')).toMatch(/waits behind a message that could not be handled/);
  expect(explained.can.map(({ path }) => path)).toContain(`/dead-letters/${open.id}/replay`);
  const parked = await gateway.call(`/dead-letters/${all[0]?.id}/replay`, { method: 'POST' });
  expect(parked.status).toBe(409);
  expect((await parked.json()).detail).toContain(`the dead letter ${open.id}`);
  expect((await gateway.call('/dead-letters/99999/replay', { method: 'POST' })).status).toBe(404);
  expect(await (await gateway.call('/metrics')).text()).toContain(
    'order_manager_dead_letters{kind="event",reason="impossible"} 1',
  );
});

test('an order of which nothing could be taken yet is answered for by the letter that waits', async () => {
  const gateway = await aWorld();
  await gateway.context.bus.publish([raw(A, 'order.received', 'not json')]);
  await until(async () => (await lettersOf(gateway)).length === 1);
  const [{ id } = { id: '' }] = await lettersOf(gateway);
  for (const path of ['', '/explain']) {
    const answer = await gateway.call(`/orders/${A.orderId}${path}`);
    const { code, detail } = await answer.json();
    expect([answer.status, code]).toEqual([404, 'order_not_found']);
    expect(detail).toContain(`waits for a person as the dead letter ${id} (GET /dead-letters/${id})`);
  }
  const cancelled = await gateway.call(`/orders/${A.orderId}`, { method: 'DELETE' });
  expect((await cancelled.json()).detail).toContain(`the dead letter ${id}`);
  expect((await (await gateway.call(`/orders/${B.orderId}`)).json()).detail).toContain('there is no order');
});

test('what still cannot be taken stays open with one attempt more; edited, it ends the order as if nothing had happened', async () => {
  const gateway = await aWorld();
  const open = await poisoned(gateway, tooMany(A));
  const again = await gateway.call(`/dead-letters/${open.id}/replay`, { method: 'POST' });
  expect([again.status, await again.json()]).toEqual([202, { requested: 1, more: false }]);
  await until(async () => (await letter(gateway, open.id)).attempts === 2);
  expect(await lettersOf(gateway, '?state=parked')).toHaveLength(3);

  const right = sourced(A.orderId).data;
  const wrong = await edit(gateway, open.id, { ...right, parts: 'none' });
  expect([wrong.status, (await wrong.json()).errors[0].path]).toEqual([422, 'data.parts']);
  const other = await edit(gateway, open.id, { ...right, orderId: B.orderId });
  expect([other.status, (await other.json()).errors[0].path]).toEqual([422, 'data.orderId']);
  const { orderId: _, ...data } = right;
  expect((await edit(gateway, open.id, data)).status).toBe(202);
  await until(async () => (await states(gateway))[A.orderId] === 'delivered');

  expect(await letter(gateway, open.id)).toMatchObject({
    state: 'edited',
    can: [],
    requests: [
      { action: 'replay', by: 'owner' },
      { action: 'edit', by: 'owner', note: 'the count was wrong', data },
    ],
  });
  expect(await lettersOf(gateway)).toEqual([]);
  const settled = await edit(gateway, open.id, data);
  expect([settled.status, (await settled.json()).detail]).toEqual([
    409,
    `${open.id} is settled: it was edited`,
  ]);
  const events = (await timeline(gateway, A)).map(({ event, accepted: taken }) => `${event} ${taken}`);
  expect(events).toEqual([
    'order.received true',
    'timer.elapsed true',
    'dead_letter.opened false',
    'dead_letter.settle_requested true',
    'dead_letter.opened false',
    'dead_letter.settle_requested true',
    'order.sourced true',
    'dead_letter.replayed false',
    'supplier_order.placing true',
    'dead_letter.replayed false',
    'supplier_order.accepted true',
    'dead_letter.replayed false',
    'supplier_order.observed true',
    'dead_letter.replayed false',
  ]);
  const [ours, theirs] = await Promise.all([A, B].map((order) => whatIsKnownOf(gateway, order)));
  expect(ours).toEqual(theirs);
  await audited(gateway);
});

test('a letter that can be read by now is replayed, all of a reason at once, and the same message in a second letter does nothing', async () => {
  const gateway = await aWorld();
  const [, , third] = storyOf(A);
  if (third === undefined) throw new Error('no third event');
  const open = await poisoned(gateway, raw(A, 'order.sourced', 'not json'));
  expect(open.reason).toBe('unreadable');
  // As under a version that reads it; and once more behind the others, as when its sender was repeated.
  await gateway.context.bus.publish([raw(A, 'order.sourced.again', 'not json')]);
  await until(async () => (await lettersOf(gateway)).length === 5);
  await gateway.context.store.run("update dead_letters set payload = $1 where payload = 'not json'", [
    third.payload,
  ]);
  const replayed = await gateway.send('POST', '/dead-letters/replay', { reason: 'unreadable' });
  expect([replayed.status, await replayed.json()]).toEqual([202, { requested: 1, more: false }]);
  await until(async () => (await lettersOf(gateway)).length === 0);
  expect((await states(gateway))[A.orderId]).toBe('delivered');
  const sourcings = (await timeline(gateway, A)).filter(({ event }) => event === 'order.sourced');
  expect(sourcings).toHaveLength(1);
  const none = await gateway.send('POST', '/dead-letters/replay', { reason: 'unreadable' });
  expect(await none.json()).toEqual({ requested: 0, more: false });
  await audited(gateway);
});

test('a skipped letter is left out with a record, and the next that fails keeps the rest waiting in its turn', async () => {
  const gateway = await aWorld();
  const { bus } = gateway.context;
  const story = storyOf(A);
  await bus.publish([
    ...story.slice(0, 2),
    raw(A, 'order.exploded', '{}'),
    ...story.slice(2, 4),
    raw(A, 'order.imploded', '{}'),
    ...story.slice(4),
  ]);
  await until(async () => (await lettersOf(gateway)).length === 6);
  const skip = (id: string) => gateway.send('POST', `/dead-letters/${id}/skip`, { note: 'noise' });
  const [first] = await lettersOf(gateway, '?state=open');
  expect((await edit(gateway, first?.id ?? '', {})).status).toBe(409);
  // The same request twice is one.
  expect((await skip(first?.id ?? '')).status).toBe(202);
  await skip(first?.id ?? '');
  await until(async () => (await lettersOf(gateway)).length === 3);
  expect((await states(gateway))[A.orderId]).toBe('purchasing');
  const [second] = await lettersOf(gateway, '?state=open');
  expect(second).toMatchObject({ message: 'order.imploded', attempts: 1, waiting: 2 });
  const skipped = await gateway.send('POST', '/dead-letters/skip', { reason: 'unreadable', note: 'noise' });
  expect(await skipped.json()).toEqual({ requested: 1, more: false });
  await until(async () => (await states(gateway))[A.orderId] === 'delivered');
  expect(await letter(gateway, first?.id ?? '')).toMatchObject({
    state: 'skipped',
    requests: [{ action: 'skip', by: 'owner', note: 'noise' }],
  });
  await audited(gateway);
});

test('one of the line that the database refuses is found out; what stood before it is taken', async () => {
  const gateway = await aWorld();
  const { bus } = gateway.context;
  const story = storyOf(A);
  const nul = aMessage(
    {
      type: 'order.sourced',
      data: {
        orderId: A.orderId,
        round: 1,
        parts: [],
        refused: [{ lineId: '1', reason: 'out_of_stock', evidence: { note: 'nul \u0000' } }],
      },
    },
    'nul',
  );
  await bus.publish([...story.slice(0, 1), raw(A, 'order.exploded', '{}'), ...story.slice(1, 2), nul]);
  await bus.publish(story.slice(2));
  await until(async () => (await lettersOf(gateway)).length === 7);
  await gateway.send('POST', '/dead-letters/skip', { reason: 'unreadable', note: 'noise' });
  await until(async () => (await lettersOf(gateway, '?reason=unstorable')).length === 1);
  expect((await states(gateway))[A.orderId]).toBe('sourcing');
  expect(await lettersOf(gateway, '?state=open')).toMatchObject([{ messageId: 'nul', waiting: 4 }]);
  await gateway.send('POST', '/dead-letters/skip', { reason: 'unstorable', note: 'noise' });
  await until(async () => (await states(gateway))[A.orderId] === 'delivered');
  await audited(gateway);
});

test('a request that comes again, or that is late, does nothing twice', async () => {
  const gateway = await aWorld();
  const open = await poisoned(gateway, tooMany(A));
  const data: DeadLetterSettleRequested = {
    orderId: A.orderId,
    letterId: open.id,
    action: 'skip',
    requestId: `api:letter:${open.id}:skip:1`,
  };
  await gateway.send('POST', `/dead-letters/${open.id}/skip`, { note: 'noise' });
  await until(async () => (await letter(gateway, open.id)).state === 'skipped');
  const before = (await timeline(gateway, A)).length;
  // As after a crash of NATS: the same message, and another one about a letter that is settled.
  const late = (messageId: string) => aMessage({ type: DEAD_LETTER_SETTLE_REQUESTED, data }, messageId);
  await gateway.context.bus.publish([late(`${data.requestId}:late`), late('late')]);
  await until(async () => (await timeline(gateway, A)).some(({ messageId }) => messageId === 'late'));
  const after = (await timeline(gateway, A)).slice(before);
  expect(after.map(({ accepted: taken }) => taken)).toEqual([false, false]);
  await audited(gateway);
});

test.each(['batch: before commit', 'batch: after commit before publish'])(
  'a settlement in the midst of which its host dies (%s) is ended once by the next one',
  async (where) => {
    const gateway = await aGateway(nats.url);
    const { context } = gateway;
    const owner = startPartitionOwner({ ...context, delays: deadlineDelays(context.settings) }, 'one');
    const open = await poisoned(gateway, tooMany(A)).finally(() => owner.stop());
    const environment = { DB_CONNECTION_STRING: context.connectionString, NATS_URL: nats.url };
    const dying = startServiceProcess('services/orders/main.ts', { ...environment, FAULT_MOMENT: where });
    await dying.ready;
    const { orderId: _, ...data } = sourced(A.orderId).data;
    expect((await edit(gateway, open.id, data)).status).toBe(202);
    expect(await dying.ended, dying.output()).toEqual({ code: null, signal: 'SIGKILL' });
    expect((await letter(gateway, open.id)).state).toBe(where === 'batch: before commit' ? 'open' : 'edited');

    startServiceProcess('services/orders/main.ts', environment);
    await expect.poll(async () => (await states(gateway))[A.orderId], { timeout: 60_000 }).toBe('delivered');
    await expect
      .poll(() => context.store.query('select first_id from outbox_pending'), {
        timeout: 60_000,
      })
      .toEqual([]);
    expect(await letter(gateway, open.id)).toMatchObject({ state: 'edited', attempts: 2 });
    expect(await lettersOf(gateway)).toEqual([]);
    const events = (await timeline(gateway, A)).map(({ event }) => event);
    for (const once of [DEAD_LETTER_SETTLE_REQUESTED, 'order.sourced', 'supplier_order.placing'])
      expect([once, events.filter((event) => event === once).length]).toEqual([once, 1]);
    await audited(gateway);
  },
);

test('a command that whoever takes it dies of leaves the queue for the same list, also behind an advisory that nobody can read', async () => {
  const gateway = await aWorld();
  const { context } = gateway;
  const { connection } = await aProbe(nats.url);
  const subject = 'oms.cmd.notifier.tell.deadly';
  for (const unreadable of ['{"stream_seq":', '{}'])
    connection.publish('$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.CMD.oms-notifier', unreadable);
  await context.bus.publish([{ ...aMessage(elapsed(A.orderId, 'grace'), 'deadly'), subject }]);
  const consumer = await connection.jetstream().consumers.get('CMD', 'oms-notifier');
  // As often as the server delivers it; nobody answers.
  for (let delivery = 1; delivery <= 20; delivery += 1) (await consumer.next({ expires: 10_000 }))?.nak();
  expect(await consumer.next({ expires: 1_000 })).toBeNull();
  const loop = startUndeliveredLoop(context.store, context.bus, context.log);
  onTestFinished(() => loop.stop());
  await until(async () => (await context.bus.streamState('CMD')).messages === 0);
  expect(await lettersOf(gateway, '?reason=undelivered')).toMatchObject([
    { kind: 'command', orderId: A.orderId, attempts: 1, can: ['replay', 'skip'] },
  ]);
});

test('a command that no service can carry out is in the same list, is one letter however often it fails, and is sent again or left out', async () => {
  const gateway = await aWorld();
  const { context } = gateway;
  const command = (id: string): DeadLetterRow => ({
    order_id: A.orderId,
    message_id: `oms.cmd.notifier.tell.${id}`,
    subject: `oms.cmd.notifier.tell.${id}`,
    seq: 0,
    payload: aMessage(elapsed(A.orderId, 'grace'), `command:${id}`).payload,
    kind: 'command',
    state: 'open',
    reason: 'failed',
    failure: '{"name":"RangeError"}',
    attempts: 1,
  });
  for (const id of ['1', '2', '1']) await layDownCommand(context.store, command(id));
  await context.bus.publish(storyOf(A));
  // A letter of a command stops no event of its order.
  await until(async () => (await states(gateway))[A.orderId] === 'delivered');
  const [second, first] = await lettersOf(gateway, `?kind=command&orderId=${A.orderId}`);
  expect(first).toMatchObject({ attempts: 2, message: 'notifier.tell', can: ['replay', 'skip'] });
  expect((await edit(gateway, first?.id ?? '', {})).status).toBe(409);

  await gateway.send('POST', `/dead-letters/${second?.id}/skip`, { note: 'noise' });
  await gateway.call(`/dead-letters/${first?.id}/replay`, { method: 'POST' });
  const done: string[] = [];
  const handler = handling(z.object({ orderId: z.string() }), async (_, commandId) => {
    done.push(commandId);
    return DONE;
  });
  const consumer = await serveCommands(context, 'notifier', 2, {
    tell: handler,
    // The mails of the order itself.
    send: () => Promise.resolve(DONE),
  });
  onTestFinished(() => consumer.stop());
  await expect.poll(() => done).toEqual(['command:1']);
  expect(await lettersOf(gateway)).toEqual([]);
  // Failing again it is the same letter, open once more.
  await layDownCommand(context.store, command('1'));
  expect(await letter(gateway, first?.id ?? '')).toMatchObject({ state: 'open', attempts: 3 });
  const told = (await timeline(gateway, A)).map(({ event }) => event);
  expect(told.slice(-2)).toEqual(['dead_letter.skipped', 'dead_letter.replayed']);
  await audited(gateway);
});
