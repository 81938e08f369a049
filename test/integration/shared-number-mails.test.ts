import { simpleParser } from 'mailparser';
import { expect, test } from 'vitest';
import type { CustomerMail } from '../../contracts/vocabulary.ts';
import { sendDue, sendNotification } from '../../services/notifier/send-notification.ts';
import { mailsIn, notifierPorts, timePasses } from '../fixtures/post-office.ts';
import { anEmptyNats, aServiceContext } from '../fixtures/service-context.ts';
import { givenNotificationRow, givenOrderRows, givenParcelRow } from '../fixtures/shipped-order.ts';
import { control, givenFaults, givenWorld } from '../sandbox/world.ts';

const nats = await anEmptyNats();

/** Lamp and mug of two purchases, which their supplier put into one parcel: each knows it under the same number. */
async function aSharedParcel() {
  const world = await givenWorld();
  const context = await aServiceContext(nats.url, { ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '15' });
  const { store } = context;
  await givenOrderRows(store);
  const lamp = await givenParcelRow(store, { 101: 1 }, 'YT2600001');
  const mug = await givenParcelRow(store, { 102: 1 }, 'yt 2600001', 'sup_ord_other');
  const ports = await notifierPorts(context, world.smtpPort);
  return {
    store,
    lamp,
    mug,
    ports,
    world,
    copy: () => notifierPorts(context, world.smtpPort),
    tells: (kind: CustomerMail, parcelId: string) => givenNotificationRow(store, kind, parcelId),
    async send(kind: CustomerMail, parcelId: string) {
      await sendNotification(ports, await givenNotificationRow(store, kind, parcelId));
    },
    async texts() {
      const texts: string[] = [];
      for (const { number } of await mailsIn(world)) {
        const source = await (await control(world, 'GET', `/mails/${number}`)).text();
        texts.push((await simpleParser(source)).text ?? '');
      }
      return texts;
    },
  };
}

test.each(['parcel_in_transit', 'parcel_delayed', 'parcel_delivered'] as const)(
  'of one parcel in two purchases %s is told once, with all that is in it',
  async (kind) => {
    const post = await aSharedParcel();
    await post.send(kind, post.lamp);
    await post.send(kind, post.mug);
    const [text, ...others] = await post.texts();
    expect(others).toEqual([]);
    expect(text).toContain('Moon lamp');
    expect(text).toContain('Enamel mug, red');
    expect(text?.split('YT2600001').length).toBeLessThanOrEqual(3);
  },
);

test.each(['by one copy', 'by two copies'])(
  'asked for at once %s, the arrival of a shared parcel is told once',
  async (how) => {
    const post = await aSharedParcel();
    const lamp = await post.tells('parcel_delivered', post.lamp);
    const mug = await post.tells('parcel_delivered', post.mug);
    const other = how === 'by one copy' ? post.ports : await post.copy();
    await Promise.all([sendNotification(post.ports, lamp), sendNotification(other, mug)]);
    expect(await post.texts()).toHaveLength(1);
  },
);

test('once a shared parcel has arrived, nothing more is told of its way', async () => {
  const post = await aSharedParcel();
  await post.send('parcel_delivered', post.lamp);
  await post.send('parcel_in_transit', post.mug);
  await post.send('parcel_delayed', post.mug);
  expect(await post.texts()).toHaveLength(1);
});

test('what was not known to be in the parcel when it was told is told by itself', async () => {
  const post = await aSharedParcel();
  await post.store.run('update parcels set left_at = null where id = $1', [post.mug]);
  await post.send('parcel_delivered', post.lamp);
  await post.store.run('update parcels set left_at = now() where id = $1', [post.mug]);
  await post.send('parcel_shipped', post.mug);
  await post.send('parcel_delivered', post.mug);
  const texts = await post.texts();
  expect(texts).toHaveLength(3);
});

test('each purchase of a shared parcel is told as shipped with its own articles', async () => {
  const post = await aSharedParcel();
  await post.send('parcel_shipped', post.lamp);
  await post.send('parcel_shipped', post.mug);
  const [first, second] = await post.texts();
  expect(first).toContain('Moon lamp');
  expect(second).toContain('Enamel mug, red');
});

test('what was lost under the number of another parcel does not arrive with it', async () => {
  const post = await aSharedParcel();
  await post.store.run("update parcels set state = 'lost' where id = $1", [post.mug]);
  await post.send('parcel_delivered', post.lamp);
  expect((await post.texts())[0]).not.toContain('Enamel mug');
});

test('a mail of a shared parcel that is refused for now is sent once, and for all of it', async () => {
  const post = await aSharedParcel();
  await givenFaults(post.world, { operation: 'smtp.data', kind: 'error_before', times: 1 });
  await post.send('parcel_delivered', post.lamp);
  await post.send('parcel_delivered', post.mug);
  expect(await post.texts()).toEqual([]);
  await timePasses(post);
  await sendDue(post.ports);
  const [text, ...others] = await post.texts();
  expect(others).toEqual([]);
  expect(text).toContain('Enamel mug, red');
});
