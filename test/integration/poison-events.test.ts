import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { eventSubject } from '../../contracts/subjects.ts';
import type { OutgoingMessage } from '../../services/bus/publisher.ts';
import { commitBatch } from '../../services/orders/commit-batch.ts';
import { aMessage, elapsed, ordersOfPartition, received, sourced } from '../fixtures/order-events.ts';
import {
  A,
  anEventLog,
  anOwner,
  B,
  countOf,
  decoded,
  idsOf,
  lettersOf,
  type Order,
  PART,
  portsOf,
  raw,
  readUpTo,
  seqOf,
  stateOf,
  storyOf,
} from '../fixtures/partition-world.ts';

const { aWorld } = await anEventLog();

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

test('events are no dead letters while the disk of the database fails: they are applied once it works again', async () => {
  const world = await aWorld();
  await world.store.run(
    `create function fail_disk() returns trigger language plpgsql as $$ begin
       raise exception 'could not read blocks: Input/output error' using errcode = '58030';
     end $$`,
  );
  await world.store.run('create trigger fail_disk before insert on timeline execute function fail_disk()');
  await world.bus.publish(storyOf(A));
  anOwner(world);
  await expect
    .poll(() => world.lines.map(({ msg }) => msg))
    .toContain('the database is away, the batch waits');
  await world.store.run('drop function fail_disk() cascade');
  await readUpTo(world, 6);
  expect(await stateOf(world.store, A)).toBe('delivered');
  expect(await lettersOf(world.store)).toEqual([]);
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
