import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { pushSignatureOf } from '../../deploy/sandbox/aliexpress/sign.ts';
import { listenOn } from '../../deploy/sandbox/listen.ts';
import type { Sandbox } from '../../deploy/sandbox/sandbox.ts';
import { APP, placed, turn } from './aliexpress-client.ts';
import { control, eventually, givenWorld } from './world.ts';

const Body = z.object({
  message_type: z.int(),
  seller_id: z.string(),
  site: z.literal('ae_global'),
  timestamp: z.int(),
  data: z.object({ orderId: z.int().optional(), orderStatus: z.string().optional() }),
});

/** An app's callback that checks each signature and answers with `status`. */
async function givenCallback(world: Sandbox, status: (call: number) => number = () => 200) {
  const received: z.infer<typeof Body>[] = [];
  const server = createServer(async (request, response) => {
    const raw = await text(request);
    expect(request.headers.authorization).toBe(pushSignatureOf(APP, raw));
    received.push(Body.parse(JSON.parse(raw)));
    response.writeHead(status(received.length)).end();
  });
  const port = await listenOn(server, '127.0.0.1', 0);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await turn(world, { pushAnswerMs: 10_000 });
  await control(world, 'PUT', '/aliexpress/push', { url: `http://127.0.0.1:${port}/callback` });
  return { received, statuses: () => received.map(({ data }) => data.orderStatus) };
}

const Pushes = z.array(z.object({ state: z.string(), attempts: z.int(), dueAt: z.int() }));
const pushesOf = async (world: Sandbox) =>
  Pushes.parse(await (await control(world, 'GET', '/aliexpress/pushes')).json());

/** Nothing that is due waits any more. */
const settled = (world: Sandbox) =>
  eventually(
    () => pushesOf(world),
    (pushes) => pushes.every(({ state, dueAt }) => state !== 'waiting' || dueAt > Date.now() + 60_000),
  );

test('every step of a paid order is pushed, signed, in its order', async () => {
  const world = await givenWorld();
  const { received, statuses } = await givenCallback(world);
  const orderId = await placed(world, { triesToPay: true });
  await settled(world);
  expect(statuses()).toEqual(['OrderCreated', 'PaymentAuthorized', 'OrderShipped', 'OrderConfirmed']);
  expect(received[0]).toMatchObject({ message_type: 53, data: { orderId: Number(orderId) } });
});

test('an order that its owner pays late says nothing of a timeout', async () => {
  const world = await givenWorld();
  const { statuses } = await givenCallback(world);
  await turn(world, { isAutoPayAllowed: false });
  const orderId = await placed(world, { triesToPay: true });
  await eventually(
    async () => statuses(),
    (seen) => seen.length === 2,
  );
  expect(statuses()).toEqual(['OrderCreated', 'paymentFailedEvent']);
  await control(world, 'POST', `/aliexpress/orders/${orderId}/pay`);
  await eventually(
    async () => statuses(),
    (seen) => seen.includes('OrderConfirmed'),
  );
  expect(statuses().slice(2)).toEqual(['PaymentAuthorized', 'OrderShipped', 'OrderConfirmed']);
  expect((await pushesOf(world)).map(({ state }) => state)).toEqual([
    'delivered',
    'delivered',
    'dropped',
    'delivered',
    'delivered',
    'delivered',
  ]);
});

test.each([
  ['left unpaid', { payTimeoutMs: 1 }],
  ['cancelled', {}],
])('an order that is %s says that it was closed', async (_, switches) => {
  const world = await givenWorld();
  const { statuses } = await givenCallback(world);
  await turn(world, switches);
  const orderId = await placed(world);
  await control(world, 'POST', `/aliexpress/orders/${orderId}/close`, {});
  await eventually(
    async () => statuses(),
    (seen) => seen.includes('OrderClosed'),
  );
  await settled(world);
  expect(statuses()).toEqual(['OrderCreated', 'OrderClosed']);
});

test.each([
  ['twice', ['OrderCreated', 'OrderCreated', 'PaymentAuthorized', 'PaymentAuthorized']],
  ['swapped', ['PaymentAuthorized', 'OrderCreated']],
])('%s, pushes of a new paid order begin with %j', async (pushes, expected) => {
  const world = await givenWorld({ timing: { processMs: 60_000 } });
  const { statuses } = await givenCallback(world);
  await turn(world, { pushes });
  await placed(world, { triesToPay: true });
  await eventually(
    async () => statuses(),
    (seen) => seen.length >= expected.length,
  );
  expect(statuses()).toEqual(expected);
});

test('dropped pushes are not even planned, delayed ones wait', async () => {
  const world = await givenWorld();
  const { received } = await givenCallback(world);
  await turn(world, { pushes: 'dropped' });
  await placed(world, { triesToPay: true });
  expect(await pushesOf(world)).toEqual([]);
  await turn(world, { pushes: 'once', pushDelayMs: 600_000 });
  const from = Date.now();
  await placed(world, { outOrderId: 'N-2', triesToPay: true });
  const waiting = await pushesOf(world);
  expect(waiting).toHaveLength(4);
  for (const { state, dueAt } of waiting) {
    expect(state).toBe('waiting');
    expect(dueAt).toBeGreaterThanOrEqual(from + 600_000);
  }
  expect(received).toEqual([]);
});

test('a push is tried three times and no more, and again after a refusal only', async () => {
  const world = await givenWorld();
  await turn(world, { pushRetryMs: 1 });
  const { received } = await givenCallback(world, (call) => (call < 3 ? 500 : call === 3 ? 200 : 503));
  await placed(world);
  await settled(world);
  expect(received).toHaveLength(3);
  await placed(world, { outOrderId: 'N-2' });
  await settled(world);
  expect(received).toHaveLength(6);
  const tried = (await pushesOf(world)).filter(({ attempts }) => attempts > 0);
  expect(tried).toMatchObject([
    { state: 'delivered', attempts: 3 },
    { state: 'given_up', attempts: 3 },
  ]);
});

test('a probe tells what the callback answers, and null without one', async () => {
  const world = await givenWorld();
  const probe = async () => (await control(world, 'POST', '/aliexpress/push/probe')).json();
  expect(await probe()).toEqual({ status: null });
  const { received } = await givenCallback(world, () => 204);
  expect(await probe()).toEqual({ status: 204 });
  expect(received).toMatchObject([{ message_type: 0, data: {} }]);
});

test.each([{ url: 'callback' }, { url: 'ftp://a.example/' }, {}])('%j is no callback', async (body) => {
  expect((await control(await givenWorld(), 'PUT', '/aliexpress/push', body)).status).toBe(400);
});
