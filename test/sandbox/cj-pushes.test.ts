import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Sandbox } from '../../deploy/sandbox/sandbox.ts';
import { anEar, type Ear } from '../fixtures/push-ear.ts';
import { anOrder, buy, type CjCaller, fields, login } from './cj-client.ts';
import { control, eventually, givenWorld } from './world.ts';

const Message = z.object({
  messageId: z.string(),
  type: z.string(),
  messageType: z.string(),
  params: z.record(z.string(), z.unknown()),
});
type Message = z.infer<typeof Message>;

const everyTopic = (url: string, type = 'ENABLE'): object => {
  const channel = { type, callbackUrls: [url] };
  return { product: channel, stock: channel, order: channel, logistics: channel };
};

const textOf = (body: Uint8Array): string => Buffer.from(body).toString();

/** The probe is the first thing heard. */
const messagesOf = ({ heard }: Ear): Message[] =>
  heard.slice(1).map(({ body }) => Message.parse(JSON.parse(textOf(body))));
const statesOf = (ear: Ear): unknown[] =>
  messagesOf(ear).flatMap(({ type, params }) => (type === 'ORDER' ? [params.orderStatus] : []));

async function givenEar(settings: object = {}): Promise<{ world: Sandbox; call: CjCaller; ear: Ear }> {
  const [world, ear] = [await givenWorld(), await anEar()];
  await control(world, 'PUT', '/settings', { cjPushUrls: 'any', cjPushRetryMs: 10, ...settings });
  const call = await login(world);
  expect(await call('POST', '/webhook/set', everyTopic(ear.url))).toMatchObject({ code: 200, data: true });
  return { world, call, ear };
}

const SENT = z.array(
  z.object({ topic: z.string(), type: z.string(), messageId: z.string(), tries: z.int(), state: z.string() }),
);
const sentBy = async (world: Sandbox) => SENT.parse(await (await control(world, 'GET', '/cj/pushes')).json());

test('a registration probes the address once without a signature, and shows in the settings', async () => {
  const { call, ear } = await givenEar();
  expect(ear.heard.map(({ body, headers }) => [textOf(body), headers.sign])).toEqual([['{}', undefined]]);
  expect((await call('GET', '/setting/get')).data).toMatchObject({
    callback: {
      order: { type: 'ENABLE', urls: [ear.url] },
      logistics: { type: 'ENABLE', urls: [ear.url] },
      makeup: { type: 'CANCEL', urls: [] },
    },
  });
});

test('each step of an order is told and signed over its raw bytes with the account’s number', async () => {
  const { call, ear } = await givenEar();
  const sdCode = await buy(call, 'N-1');
  await eventually(
    async () => messagesOf(ear),
    (messages) => messages.some(({ params }) => params.trackingStatus === 12),
  );
  expect(statesOf(ear)).toEqual(expect.arrayContaining(['UNPAID', 'UNSHIPPED', 'SHIPPED', 'DELIVERED']));
  for (const { params, type } of messagesOf(ear)) {
    const named = type === 'ORDER' ? [params.cjOrderId, params.orderNumber] : [params.orderId, 'N-1'];
    expect(named).toEqual([sdCode, 'N-1']);
  }
  for (const { body, headers } of ear.heard.slice(1)) {
    expect(headers.sign).toBe(createHmac('sha256', '987654321').update(body).digest('base64'));
  }
  const events = messagesOf(ear).flatMap(({ params }) => params.logisticsTrackEvents ?? []);
  for (const event of events) expect(JSON.parse(String(event))).toHaveLength(1);
});

test('pushes come twice, late, out of order or not at all on demand', async () => {
  const { world, call, ear } = await givenEar({ cjPushDoubled: true, cjPushOutOfOrder: true });
  await buy(call, 'N-1');
  await eventually(
    async () => statesOf(ear),
    (states) => states.filter((state) => state === 'UNPAID').length === 2,
  );
  const states = statesOf(ear);
  expect(states.indexOf('UNSHIPPED')).toBeLessThan(states.indexOf('UNPAID'));
  const ids = messagesOf(ear).map(({ messageId }) => messageId);
  expect(new Set(ids).size).toBeLessThan(ids.length);

  await control(world, 'PUT', '/settings', { cjPushDropped: true });
  const before = (await sentBy(world)).length;
  await buy(call, 'N-2');
  const dropped = (await sentBy(world)).slice(before).filter(({ state }) => state === 'dropped');
  expect(dropped.length).toBeGreaterThan(0);
  expect(ear.heard.some(({ body }) => textOf(body).includes('N-2'))).toBe(false);
});

test('a push that is not taken is repeated three times, and a topic that fails on is closed until it is registered again', async () => {
  const { world, call, ear } = await givenEar();
  ear.status = 500;
  for (let n = 1; n <= 5; n += 1) {
    const orderId = fields(
      (await call('POST', '/shopping/order/createOrderV2', anOrder(`N-${n}`))).data,
    ).orderId;
    await call('PATCH', '/shopping/order/confirmOrder', { orderId });
  }
  const sent = await eventually(
    () => sentBy(world),
    (pushes) => pushes.length >= 5 && pushes.every(({ state }) => state === 'given_up'),
  );
  expect(sent.map(({ tries }) => tries)).toEqual([4, 4, 4, 4, 4]);
  const setting = async () => fields(fields((await call('GET', '/setting/get')).data).callback);
  expect(await setting()).toMatchObject({ order: { type: 'CANCEL' }, logistics: { type: 'ENABLE' } });
  ear.status = 200;
  await call('POST', '/webhook/set', everyTopic(ear.url));
  expect(await setting()).toMatchObject({ order: { type: 'ENABLE' } });
});

test.each([
  [
    'a topic that is missing',
    'public',
    { order: { type: 'ENABLE', callbackUrls: ['https://a.example'] } },
    1606001,
  ],
  ['an unknown type', 'public', everyTopic('https://a.example', 'ALL'), 1606001],
  ['an address of this machine', 'public', everyTopic('https://localhost/x'), 1607000],
  ['an address without https', 'public', everyTopic('http://a.example/x'), 1607001],
  ['an address where nobody answers', 'any', everyTopic('http://127.0.0.1:9/x'), 1607003],
])('a registration with %s is refused', async (_, cjPushUrls, body, code) => {
  const world = await givenWorld();
  await control(world, 'PUT', '/settings', { cjPushUrls });
  const call = await login(world);
  expect((await call('POST', '/webhook/set', body)).code).toBe(code);
});

test('without a registration nothing is sent', async () => {
  const world = await givenWorld();
  await buy(await login(world), 'N-1');
  expect(await sentBy(world)).toEqual([]);
});
