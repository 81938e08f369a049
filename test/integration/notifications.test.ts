import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { expect, onTestFinished, test } from 'vitest';
import { SEND_NOTIFICATION } from '../../contracts/commands/send-notification.ts';
import { envelope } from '../../contracts/envelope.ts';
import { commandSubject } from '../../contracts/subjects.ts';
import { CUSTOMER_MAILS } from '../../contracts/vocabulary.ts';
import { freePort } from '../../deploy/local/free-port.ts';
import type { Sandbox } from '../../deploy/sandbox/sandbox.ts';
import { readStoreGauges } from '../../gateway/store-gauges.ts';
import { sendDue, sendNotification } from '../../services/notifier/send-notification.ts';
import { startNotifier } from '../../services/notifier/service.ts';
import { type CustomerRow, saveCustomers } from '../../services/store/customers.ts';
import { sendAgain } from '../../services/store/notifications.ts';
import { aCuttingProxy } from '../fixtures/cutting-proxy.ts';
import { aStore, givenDeadlocks } from '../fixtures/database.ts';
import { FROM, mailsIn, notifierPorts, timePasses } from '../fixtures/post-office.ts';
import { anEmptyNats, aServiceContext, type TestContext } from '../fixtures/service-context.ts';
import {
  eventsIn,
  givenNotificationRow,
  givenOrderRows,
  givenParcelRow,
  ORDER_ID,
  PERSONAL,
} from '../fixtures/shipped-order.ts';
import { control, givenFaults, givenWorld, ledgerOf } from '../sandbox/world.ts';

const nats = await anEmptyNats();

// No test here waits it out: a machine that stands still for a moment must not look like a silent server.
const CALL_TIMEOUT = { ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '15' };

/** An order whose confirmation waits to be sent, and a mail server. */
async function aPost(customer?: Parameters<typeof givenOrderRows>[1]) {
  const world = await givenWorld();
  const context = await aServiceContext(nats.url, CALL_TIMEOUT);
  await givenOrderRows(context.store, customer);
  const id = await givenNotificationRow(context.store);
  return { world, context, ports: await notifierPorts(context, world.smtpPort), id };
}

const rowsOf = ({ store }: Pick<TestContext, 'store'>) =>
  store.query<{ state: string; attempt: number; evidence: unknown; isSent: boolean; waitS: number }>(
    `select state, attempt, evidence, sent_at is not null as "isSent",
            extract(epoch from next_try_at - now())::float8 as "waitS" from notifications order by id`,
  );
const rowOf = async (context: Pick<TestContext, 'store'>) => (await rowsOf(context))[0]!;

const triesIn = async (world: Sandbox) => (await ledgerOf(world)).calls['smtp.data'] ?? 0;

test('one row is one mail, whose Message-ID follows from the row, and an event', async () => {
  const { world, context, ports, id } = await aPost({ locale: 'fr-FR' });
  await sendNotification(ports, id);
  expect(await mailsIn(world)).toMatchObject([
    { to: ['elodie@buyer.example'], messageId: `<${id}@lantern.example>` },
  ]);
  const mail = await simpleParser(await (await control(world, 'GET', '/mails/1')).text());
  expect(mail.from?.value).toEqual([{ name: 'Lantern & Larch', address: 'hello@lantern.example' }]);
  expect(mail.headers.get('content-language')).toBe('fr');
  expect(mail.text).toContain('Bonjour Élodie Dupré');
  expect(await rowOf(context)).toMatchObject({ state: 'sent', isSent: true, evidence: { reply: 250 } });
  expect(await eventsIn(context.store)).toMatchObject([
    {
      type: 'notification.sent',
      id: `${id}:sent`,
      data: { orderId: ORDER_ID, notificationId: id, kind: 'order_confirmed' },
    },
  ]);
});

test('twenty sends at once, in two copies, make one mail', async () => {
  const { world, context, ports, id } = await aPost();
  const other = await notifierPorts(
    await aServiceContext(nats.url, CALL_TIMEOUT, context.connectionString),
    world.smtpPort,
  );
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => sendNotification(index % 2 === 0 ? ports : other, id)),
  );
  expect(await mailsIn(world)).toHaveLength(1);
  expect(await rowOf(context)).toMatchObject({ state: 'sent', attempt: 1 });
  expect(await eventsIn(context.store)).toHaveLength(1);
});

const environmentOf = (world: Sandbox) => ({
  ...CALL_TIMEOUT,
  SMTP_SERVER: '127.0.0.1',
  SMTP_PORT: String(world.smtpPort),
  EMAIL_FROM: FROM,
});

const commands = (ids: readonly string[], times = 1) =>
  ids.flatMap((id) =>
    Array.from({ length: times }, (_, index) => {
      const messageId = `send:${id}:${index}`;
      const message = envelope({
        id: messageId,
        source: '/test',
        type: 'notifier.send',
        subject: ORDER_ID,
        time: '2026-11-22T10:00:00Z',
        data: { orderId: ORDER_ID, notificationId: id },
      });
      const subject = commandSubject('notifier', SEND_NOTIFICATION, id);
      return { messageId, subject, payload: JSON.stringify(message) };
    }),
  );

test('commands delivered ten times to a running service make one mail each, of every kind', async () => {
  const { world, context, id } = await aPost();
  const ids = [id];
  for (const kind of CUSTOMER_MAILS.filter((known) => known !== 'order_confirmed')) {
    const parcelId = await givenParcelRow(context.store, { 101: 1 }, kind);
    ids.push(await givenNotificationRow(context.store, kind, parcelId));
  }
  const service = await aServiceContext(nats.url, environmentOf(world), context.connectionString);
  onTestFinished(await startNotifier(service));
  await context.bus.publish(commands(ids, 10));
  await expect.poll(async () => (await context.bus.streamState('CMD')).messages).toBe(0);
  expect((await mailsIn(world)).map(({ messageId }) => messageId).sort()).toEqual(
    ids.map((sent) => `<${sent}@lantern.example>`).sort(),
  );
  const events = async () => (await context.bus.streamState('EVT')).messages;
  await expect.poll(events).toBe(ids.length);
});

test('a mail whose command was lost is sent by the round that looks for it', async () => {
  const { world, context, id } = await aPost();
  await context.store.run("update notifications set next_try_at = now() - interval '2 seconds'");
  const service = await aServiceContext(nats.url, environmentOf(world), context.connectionString);
  onTestFinished(await startNotifier(service));
  await expect.poll(() => mailsIn(world)).toHaveLength(1);
  expect(await mailsIn(world)).toMatchObject([{ messageId: `<${id}@lantern.example>` }]);
});

test('a server that is busy gets the mail later, at growing distances, and once', async () => {
  const { world, context, ports, id } = await aPost();
  await givenFaults(world, { operation: 'smtp.data', kind: 'rate_limit', times: 2 });
  await sendNotification(ports, id);
  const first = await rowOf(context);
  expect(first).toMatchObject({ state: 'pending', attempt: 1, evidence: { reply: 451, status: '4.7.1' } });
  expect(first.waitS).toBeGreaterThan(4);
  expect(first.waitS).toBeLessThanOrEqual(5);

  await sendNotification(ports, id);
  await sendDue(ports);
  expect(await triesIn(world)).toBe(1);

  await timePasses(context);
  await sendDue(ports);
  expect((await rowOf(context)).waitS).toBeGreaterThan(9);
  await timePasses(context);
  await sendDue(ports);
  expect(await rowOf(context)).toMatchObject({ state: 'sent', attempt: 3 });
  expect(await mailsIn(world)).toHaveLength(1);
  expect(await eventsIn(context.store)).toMatchObject([{ type: 'notification.sent' }]);
});

test('mails that a server does not take count as waiting between their tries too', async () => {
  const { world, context, ports, id } = await aPost();
  const waiting = async () =>
    (await readStoreGauges(context.store)).filter(({ name }) => name === 'mails_waiting');
  await context.store.run("update notifications set next_try_at = now() + interval '1 hour'");
  expect(await waiting()).toEqual([]);
  await timePasses(context);
  await givenFaults(world, { operation: 'smtp.data', kind: 'rate_limit', times: 1 });
  await sendNotification(ports, id);
  expect(await rowOf(context)).toMatchObject({ state: 'pending', attempt: 1 });
  expect(await waiting()).toMatchObject([{ label: 'order_confirmed', value: 1 }]);
  await timePasses(context);
  await sendDue(ports);
  expect(await waiting()).toEqual([]);
});

test('an order whose last unit was cancelled while its confirmation waited is not confirmed', async () => {
  const { world, context, ports, id } = await aPost();
  await givenFaults(world, { operation: 'smtp.data', kind: 'rate_limit', times: 1 });
  await sendNotification(ports, id);
  await context.store.run(
    `update orders set context = jsonb_set(context::jsonb, '{lines}', (
       select jsonb_object_agg(key, value || jsonb_build_object('cancelled', value -> 'ordered'))
         from jsonb_each(context::jsonb -> 'lines')))::json`,
  );
  await timePasses(context);
  await sendDue(ports);
  expect(await rowOf(context)).toMatchObject({ state: 'skipped', isSent: false });
  expect(await mailsIn(world)).toEqual([]);
});

test('an order that the mail server took no confirmation of until a parcel of it was told is not confirmed after it', async () => {
  const { world, context, ports, id } = await aPost();
  await givenFaults(world, { operation: 'smtp.data', kind: 'rate_limit', times: 1 });
  await sendNotification(ports, id);
  const parcelId = await givenParcelRow(context.store, { 101: 2 });
  const shipped = await givenNotificationRow(context.store, 'parcel_shipped', parcelId);
  await sendNotification(ports, shipped);
  await timePasses(context);
  await sendDue(ports);
  expect(await mailsIn(world)).toMatchObject([{ messageId: `<${shipped}@lantern.example>` }]);
  expect((await rowsOf(context)).map(({ state }) => state).sort()).toEqual(['sent', 'skipped']);
});

test('a confirmation that a person wants sent again is sent, also when the server refuses it for now and a parcel was told', async () => {
  const { world, context, ports, id } = await aPost();
  const parcelId = await givenParcelRow(context.store, { 101: 2 });
  await sendNotification(ports, await givenNotificationRow(context.store, 'parcel_shipped', parcelId));
  await context.store.run("update notifications set state = 'failed', attempt = 1 where id = $1", [id]);
  expect(await sendAgain(context.store, ORDER_ID)).toEqual(['order_confirmed']);
  await givenFaults(world, { operation: 'smtp.data', kind: 'rate_limit', times: 2 });
  for (let tries = 0; tries < 3; tries += 1) {
    await sendNotification(ports, id);
    await timePasses(context);
  }
  expect((await mailsIn(world)).map(({ messageId }) => messageId)).toContain(`<${id}@lantern.example>`);
});

test.each(['parcel_shipped', 'parcel_delayed', 'parcel_in_transit'] as const)(
  '%s, delayed by an outage until the parcel was delivered, is not said after it',
  async (kind) => {
    const { world, context, ports } = await aPost();
    await context.store.run('delete from notifications');
    const parcelId = await givenParcelRow(context.store, { 101: 2 });
    const overtaken = await givenNotificationRow(context.store, kind, parcelId);
    await givenFaults(world, { operation: 'smtp.data', kind: 'rate_limit', times: 1 });
    await sendNotification(ports, overtaken);
    const delivered = await givenNotificationRow(context.store, 'parcel_delivered', parcelId);
    await sendNotification(ports, delivered);
    await timePasses(context);
    await sendDue(ports);
    expect(await mailsIn(world)).toMatchObject([{ messageId: `<${delivered}@lantern.example>` }]);
    expect((await rowsOf(context)).map(({ state }) => state).sort()).toEqual(['sent', 'skipped']);
  },
);

test.each(['parcel_delayed', 'parcel_in_transit'] as const)(
  '%s, delayed by an outage until the parcel was on its way back, is not said any more',
  async (kind) => {
    const { world, context, ports } = await aPost();
    await context.store.run('delete from notifications');
    const parcelId = await givenParcelRow(context.store, { 101: 2 });
    const id = await givenNotificationRow(context.store, kind, parcelId);
    await context.store.run("update parcels set state = 'returned'");
    await sendNotification(ports, id);
    expect(await mailsIn(world)).toEqual([]);
    expect(await rowOf(context)).toMatchObject({ state: 'skipped' });
  },
);

test.each(['parcel_in_transit', 'parcel_delayed'] as const)(
  '%s is told after it was told that the parcel was shipped, and at once, whatever is asked for first',
  async (kind) => {
    const { world, context, ports, id } = await aPost();
    await sendNotification(ports, id);
    const parcelId = await givenParcelRow(context.store, { 101: 1 }, 'parcel');
    const shipped = await givenNotificationRow(context.store, 'parcel_shipped', parcelId);
    const ahead = await givenNotificationRow(context.store, kind, parcelId);
    await givenFaults(world, { operation: 'smtp.data', kind: 'rate_limit', times: 1 });
    const sent = async () => (await mailsIn(world)).slice(1).map(({ messageId }) => messageId);
    await Promise.all([sendNotification(ports, ahead), sendNotification(ports, shipped)]);
    await sendNotification(ports, ahead);
    await context.store.run(
      "update notifications set next_try_at = now() - interval '5 seconds' where id = $1",
      [ahead],
    );
    await sendDue(ports);
    expect(await sent()).toEqual([]);

    await timePasses(context);
    await sendDue(ports);
    expect(await sent()).toEqual([shipped, ahead].map((each) => `<${each}@lantern.example>`));
  },
);

test('of a parcel that is known as shipped and as delivered at once both are told, in that order', async () => {
  const { world, context, ports, id } = await aPost();
  await sendNotification(ports, id);
  const parcelId = await givenParcelRow(context.store, { 101: 1 }, 'parcel');
  const shipped = await givenNotificationRow(context.store, 'parcel_shipped', parcelId);
  const delivered = await givenNotificationRow(context.store, 'parcel_delivered', parcelId);
  await Promise.all([sendNotification(ports, delivered), sendNotification(ports, shipped)]);
  const sent = (await mailsIn(world)).slice(1).map(({ messageId }) => messageId);
  expect(sent).toEqual([shipped, delivered].map((each) => `<${each}@lantern.example>`));
});

test('a recipient that the server refuses for good fails once, with codes as evidence', async () => {
  const { context, id } = await aPost();
  let tries = 0;
  const server = new SMTPServer({
    authOptional: true,
    hideSTARTTLS: true,
    closeTimeout: 1,
    onRcptTo({ address }, _session, callback) {
      tries += 1;
      callback(Object.assign(new Error(`5.1.1 <${address}> is unknown`), { responseCode: 550 }));
    },
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(resolve)));
  const ports = await notifierPorts(context, port);
  await sendNotification(ports, id);
  await timePasses(context);
  await sendDue(ports);
  expect(tries).toBe(1);
  expect(await rowOf(context)).toMatchObject({
    state: 'failed',
    isSent: false,
    evidence: { reply: 550, status: '5.1.1' },
  });
  const events = await eventsIn(context.store);
  expect(events).toMatchObject([
    {
      type: 'notification.failed',
      id: `${id}:failed:1`,
      data: { notificationId: id, doubt: false, evidence: { reply: 550 } },
    },
  ]);
  expect(JSON.stringify([events, await rowsOf(context), context.lines])).not.toMatch(PERSONAL);
});

test.each([
  ['no_answer_after', 1],
  ['no_answer_before', 0],
  ['garbage', 1],
])('a mail cut after its final dot (%s) is in doubt and never sent again', async (kind, arrived) => {
  const { world, context, ports, id } = await aPost();
  await givenFaults(world, { operation: 'smtp.data', kind, times: 1 });
  await sendNotification(ports, id);
  await timePasses(context);
  await sendNotification(ports, id);
  await sendDue(ports);
  expect(await triesIn(world)).toBe(1);
  expect(await mailsIn(world)).toHaveLength(arrived);
  expect(await rowOf(context)).toMatchObject({ state: 'doubt', isSent: false });
  const events = await eventsIn(context.store);
  expect(events).toMatchObject([{ type: 'notification.failed', data: { doubt: true } }]);
  expect(JSON.stringify([events, await rowsOf(context), context.lines])).not.toMatch(PERSONAL);
});

test('a mail in doubt is sent once more when a person wants it, and each doubt is told', async () => {
  const { world, context, ports, id } = await aPost();
  await givenFaults(world, { operation: 'smtp.data', kind: 'no_answer_before', times: 2 });
  await sendNotification(ports, id);
  const wanted = () => sendAgain(context.store, ORDER_ID);
  expect(await wanted()).toEqual(['order_confirmed']);
  expect(await wanted()).toEqual([]);
  await sendNotification(ports, id);
  expect(await rowOf(context)).toMatchObject({ state: 'doubt' });
  expect(await wanted()).toEqual(['order_confirmed']);
  await sendNotification(ports, id);
  await sendNotification(ports, id);
  expect(await rowOf(context)).toMatchObject({ state: 'sent' });
  expect(await wanted()).toEqual([]);
  expect(await mailsIn(world)).toHaveLength(1);
  const told = (await eventsIn(context.store)).map((event) => event.id);
  expect(told).toEqual([`${id}:failed:1`, `${id}:failed:2`, `${id}:sent`]);
});

test('mails of a time without a mail server are all sent once it is back', async () => {
  const context = await aServiceContext(nats.url, CALL_TIMEOUT);
  await givenOrderRows(context.store);
  const parcelIds = [
    await givenParcelRow(context.store, { 101: 2 }, 'YT1'),
    await givenParcelRow(context.store, { 101: 1 }, 'YT2'),
  ] as const;
  const ids = [
    await givenNotificationRow(context.store),
    await givenNotificationRow(context.store, 'parcel_shipped', parcelIds[0]),
    await givenNotificationRow(context.store, 'parcel_delivered', parcelIds[1]),
  ];
  const smtpPort = await freePort();
  const ports = await notifierPorts(context, smtpPort);
  for (let times = 1; times <= 3; times += 1) {
    await Promise.all(ids.map((id) => sendNotification(ports, id)));
    await timePasses(context);
  }
  expect((await rowsOf(context)).map(({ state }) => state)).toEqual(['pending', 'pending', 'pending']);
  expect(await eventsIn(context.store)).toEqual([]);

  const world = await givenWorld({ smtpPort });
  await expect
    .poll(
      async () => {
        await timePasses(context);
        await sendDue(ports);
        return (await rowsOf(context)).map(({ state }) => state);
      },
      { timeout: 60_000 },
    )
    .toEqual(['sent', 'sent', 'sent']);
  expect((await mailsIn(world)).map(({ messageId }) => messageId).sort()).toEqual(
    ids.map((id) => `<${id}@lantern.example>`).sort(),
  );
  expect(await eventsIn(context.store)).toHaveLength(3);
});

const MAIN = fileURLToPath(new URL('../../services/notifier/main.ts', import.meta.url));

test('a process killed while it was sending leaves a doubt behind and no second mail', async () => {
  const { world, context, ports, id } = await aPost();
  await givenFaults(world, { operation: 'smtp.data', kind: 'slow', times: 1, delayMs: 60_000 });
  const child = spawn(process.execPath, [MAIN], {
    env: {
      ...environmentOf(world),
      ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '30',
      DB_CONNECTION_STRING: context.connectionString,
      NATS_URL: nats.url,
    },
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await context.bus.publish(commands([id]));
  // A process of its own takes its time to start on a machine that is busy.
  await expect.poll(() => mailsIn(world)).toHaveLength(1);
  child.kill('SIGKILL');
  await ended;

  const row = await rowOf(context);
  expect(row).toMatchObject({ state: 'sending' });
  expect(row.waitS).toBeGreaterThan(60);
  await sendDue(ports);
  await sendNotification(ports, id);
  expect(await rowOf(context)).toMatchObject({ state: 'sending' });
  await timePasses(context);
  await sendDue(ports);
  expect(await rowOf(context)).toMatchObject({ state: 'doubt' });
  expect(await eventsIn(context.store)).toMatchObject([{ id: `${id}:failed:1`, data: { doubt: true } }]);
  expect(await mailsIn(world)).toHaveLength(1);
});

test('a mail that could not be written because the database failed is not in doubt: it is sent later', async () => {
  const { world, context, ports, id } = await aPost();
  await context.store.run('alter table order_lines rename to order_lines_away');
  await expect(sendNotification(ports, id)).rejects.toMatchObject({ code: '42P01' });
  await context.store.run('alter table order_lines_away rename to order_lines');
  await timePasses(context);
  await sendDue(ports);
  expect(await rowOf(context)).toMatchObject({ state: 'sent' });
  expect(await mailsIn(world)).toHaveLength(1);
  expect(await eventsIn(context.store)).toMatchObject([{ type: 'notification.sent' }]);
});

test('a mail that the server took is no doubt when the database breaks off what writes it down', async () => {
  const { world, context, ports, id } = await aPost();
  const condition = "new.state = 'sent'";
  await givenDeadlocks(context.store, 'update on notifications', { times: 3, condition });
  await sendNotification(ports, id);
  expect(await rowOf(context)).toMatchObject({ state: 'sent', attempt: 1 });
  expect(await mailsIn(world)).toHaveLength(1);
});

test('a mail that was taken is sent though the database’s word for it got lost', async () => {
  const { world, context, id } = await aPost();
  const proxy = await aCuttingProxy(context.connectionString);
  const cut = { ...context, store: await aStore(proxy.connectionString) };
  const ports = await notifierPorts(cut, world.smtpPort);
  proxy.cutNextCommit();
  await sendNotification(ports, id);
  expect(proxy.cuts()).toBe(1);
  expect(await rowOf(context)).toMatchObject({ state: 'sent', attempt: 1 });
  expect(await mailsIn(world)).toHaveLength(1);
});

test('a mail that cannot be written does not keep the others of the round', async () => {
  const { world, context, ports } = await aPost();
  const { store } = context;
  await store.run(
    `insert into orders select 'ord_bad', shop, '2', name, 'EURO', total_minor, placed_at, state, context from orders`,
  );
  await store.run(
    "insert into customer_details (order_id, source_updated_at, email) values ('ord_bad', now(), 'a@buyer.example')",
  );
  await store.run(
    `insert into notifications (id, order_id, kind, state, next_try_at)
     values ('ntf_bad', 'ord_bad', 'order_confirmed', 'pending', now() - interval '1 hour')`,
  );
  await store.run(
    "update notifications set next_try_at = now() - interval '4 seconds' where id <> 'ntf_bad'",
  );
  await sendDue(ports);
  expect(await mailsIn(world)).toHaveLength(1);
  expect(await store.query("select state from notifications where id = 'ntf_bad'")).toEqual([
    { state: 'pending' },
  ]);
  expect(JSON.stringify(context.lines)).not.toMatch(PERSONAL);
});

test('who stops the service waits for the mail in hand and not for all that are due', async () => {
  const { world, context } = await aPost();
  await context.store.run(
    `insert into notifications (id, order_id, kind, state)
     select 'ntf_' || n, $1, 'order_confirmed', 'pending' from generate_series(1, 19) n`,
    [ORDER_ID],
  );
  await timePasses(context);
  await givenFaults(world, { operation: 'smtp.data', kind: 'slow', delayMs: 300 });
  const service = await aServiceContext(nats.url, environmentOf(world), context.connectionString);
  const stop = await startNotifier(service);
  await expect.poll(() => mailsIn(world), { interval: 10 }).not.toEqual([]);
  const stoppedAt = performance.now();
  await stop();
  expect(performance.now() - stoppedAt).toBeLessThan(2_000);
  const states = (await rowsOf(context)).map(({ state }) => state);
  expect(states).toContain('pending');
  expect(states.filter((state) => state === 'sent')).toHaveLength((await mailsIn(world)).length);
  expect(states).not.toContain('sending');
});

test('an order without an e-mail address is skipped without an event', async () => {
  const { world, context, ports, id } = await aPost({ email: null });
  await sendNotification(ports, id);
  await timePasses(context);
  await sendDue(ports);
  expect(await rowOf(context)).toMatchObject({ state: 'skipped', isSent: false });
  expect(await mailsIn(world)).toEqual([]);
  expect(await eventsIn(context.store)).toEqual([]);
});

const aCustomer = (email: string): CustomerRow => ({
  order_id: ORDER_ID,
  customer_id: null,
  name: null,
  total_minor: null,
  total_currency: null,
  source_updated_at: new Date(Date.now() + 1_000).toISOString(),
  email,
  phone: null,
  locale: null,
  tax_id: null,
  birthday: null,
  national_address: null,
  shipping_address: null,
});

test('an order that was taken in without an e-mail address is confirmed once the shop names one', async () => {
  const { world, context, ports, id } = await aPost({ email: null });
  await context.store.run("update orders set state = 'grace'");
  await sendNotification(ports, id);
  expect(await rowOf(context)).toMatchObject({ state: 'skipped' });
  await context.store.transaction((sql) => saveCustomers(sql, [aCustomer('late@buyer.example')], true));
  await timePasses(context);
  await sendDue(ports);
  expect(await mailsIn(world)).toMatchObject([{ to: ['late@buyer.example'] }]);
  await context.store.transaction((sql) => saveCustomers(sql, [aCustomer('later@buyer.example')], true));
  await timePasses(context);
  await sendDue(ports);
  expect(await mailsIn(world)).toHaveLength(1);
});

test('an address that comes while the mail is being skipped is not missed', async () => {
  const { world, context, ports, id } = await aPost({ email: null });
  await context.store.run("update orders set state = 'grace'");
  for (let round = 0; round < 20; round += 1) {
    await context.store.run('update customer_details set email = null');
    await context.store.run("update notifications set state = 'pending', attempt = 0, next_try_at = now()");
    const email = `late${round}@buyer.example`;
    await Promise.all([
      sendNotification(ports, id),
      context.store.transaction((sql) => saveCustomers(sql, [aCustomer(email)], true)),
    ]);
    await timePasses(context);
    await sendDue(ports);
    expect((await mailsIn(world)).map(({ to }) => to[0])).toContain(email);
  }
});

test('an order that has ended, or is on its way, is not confirmed any more when an address comes', async () => {
  const { context, ports, id } = await aPost({ email: null });
  await sendNotification(ports, id);
  for (const state of ['shipped', 'delivered', 'cancelled']) {
    await context.store.run('update orders set state = $1', [state]);
    await context.store.transaction((sql) => saveCustomers(sql, [aCustomer('late@buyer.example')], true));
    expect(await rowOf(context)).toMatchObject({ state: 'skipped' });
  }
});

test.each([
  ['parcel_delayed', 'delayed', 'pending'],
  ['parcel_delayed', 'out_for_delivery', 'skipped'],
  ['parcel_shipped', 'out_for_delivery', 'pending'],
  ['parcel_shipped', 'returned', 'skipped'],
  ['parcel_in_transit', 'lost', 'skipped'],
] as const)('%s of a parcel that is %s by the time an address comes is %s', async (kind, state, expected) => {
  const { context, ports } = await aPost({ email: null });
  await context.store.run('delete from notifications');
  await context.store.run("update orders set state = 'shipped'");
  const id = await givenNotificationRow(
    context.store,
    kind,
    await givenParcelRow(context.store, { 101: 1 }, 'parcel'),
  );
  await sendNotification(ports, id);
  expect(await rowOf(context)).toMatchObject({ state: 'skipped' });
  await context.store.run('update parcels set state = $1', [state]);
  await context.store.transaction((sql) => saveCustomers(sql, [aCustomer('late@buyer.example')], true));
  expect(await rowOf(context)).toMatchObject({ state: expected });
});

test('without a mail server in the settings mails are skipped, nothing piles up', async () => {
  const { world, context, id } = await aPost();
  const service = await aServiceContext(nats.url, CALL_TIMEOUT, context.connectionString);
  onTestFinished(await startNotifier(service));
  await context.bus.publish(commands([id]));
  await expect.poll(() => rowOf(context)).toMatchObject({ state: 'skipped' });
  expect(await mailsIn(world)).toEqual([]);
  expect(await eventsIn(context.store)).toEqual([]);
});

test('row and event commit together: without the event the mail is not marked as sent', async () => {
  const { world, context, ports, id } = await aPost();
  await context.store.run('alter table outbox add constraint closed check (false) not valid');
  await expect(sendNotification(ports, id)).rejects.toMatchObject({ code: '23514' });
  expect(await rowOf(context)).toMatchObject({ state: 'sending' });
  await context.store.run('alter table outbox drop constraint closed');
  await timePasses(context);
  await sendDue(ports);
  expect(await rowOf(context)).toMatchObject({ state: 'doubt' });
  expect(await mailsIn(world)).toHaveLength(1);
});

test('nothing personal leaves in an event, a log line or an evidence', async () => {
  const { world, context, ports, id } = await aPost();
  await givenFaults(
    world,
    { operation: 'smtp.data', kind: 'error_before', times: 1 },
    { operation: 'smtp.data', kind: 'no_answer_after', times: 1 },
  );
  await sendNotification(ports, id);
  await timePasses(context);
  await sendDue(ports);
  await sendNotification(
    ports,
    await givenNotificationRow(
      context.store,
      'parcel_shipped',
      await givenParcelRow(context.store, { 101: 1 }),
    ),
  );
  expect((await rowsOf(context)).map(({ state }) => state).sort()).toEqual(['doubt', 'sent']);
  const outbox = await context.store.query('select payload from outbox');
  expect(outbox).toHaveLength(2);
  expect(context.lines).toHaveLength(2);
  expect(JSON.stringify([outbox, context.lines, await rowsOf(context)])).not.toMatch(PERSONAL);
});
