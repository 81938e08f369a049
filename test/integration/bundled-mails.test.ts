import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { expect, onTestFinished, test } from 'vitest';
import { NO_SHOP } from '../../contracts/events/order-received.ts';
import { CUSTOMER_MAILS } from '../../contracts/vocabulary.ts';
import { freePort } from '../../deploy/local/free-port.ts';
import type { Sandbox } from '../../deploy/sandbox/sandbox.ts';
import { decideOperatorMails } from '../../services/notifier/operator-round.ts';
import { sendDue, sendNotification } from '../../services/notifier/send-notification.ts';
import { layDown, layDownCommand } from '../../services/store/dead-letters.ts';
import { mailsIn, notifierPorts, timePasses } from '../fixtures/post-office.ts';
import { anEmptyNats, aServiceContext } from '../fixtures/service-context.ts';
import {
  eventsIn,
  givenNotificationRow,
  givenOrderRows,
  givenParcelRow,
  ORDER_ID,
  PERSONAL,
  SUPPLIER_ORDER_ID,
} from '../fixtures/shipped-order.ts';
import { control, givenFaults, givenWorld } from '../sandbox/world.ts';

const nats = await anEmptyNats();

const OPERATOR = 'operator@lantern.example';
const SETTINGS = {
  ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '15',
  ORDER_MANAGER_OPERATOR_EMAIL: OPERATOR,
};

/** An order with its customer, and a mail server. */
async function aPost(environment: Readonly<Record<string, string>> = {}) {
  const world = await givenWorld();
  const context = await aServiceContext(nats.url, { ...SETTINGS, ...environment });
  await givenOrderRows(context.store);
  return { world, context, store: context.store, ports: await notifierPorts(context, world.smtpPort) };
}
type Post = Awaited<ReturnType<typeof aPost>>;

const mailIn = async (world: Sandbox, number: number) =>
  simpleParser(await (await control(world, 'GET', `/mails/${number}`)).text());
const statesIn = async ({ store }: Pick<Post, 'store'>) => {
  const rows = await store.query<{ kind: string; state: string }>('select kind, state from notifications');
  return rows.map(({ kind, state }) => `${kind} ${state}`).sort();
};

const inBundle = ({ store }: Post, id: string) =>
  store.run(
    `update notifications set bundle = 'parcel_shipped:' || order_id, next_try_at = now() + interval '1 hour'
      where id = $1`,
    [id],
  );

/** A parcel with a unit, whose shipped mail waits for company. */
async function aWaitingParcel(post: Post, trackingNumber: string): Promise<{ parcelId: string; id: string }> {
  const parcelId = await givenParcelRow(post.store, { 101: 1 }, trackingNumber);
  const id = await givenNotificationRow(post.store, 'parcel_shipped', parcelId);
  await inBundle(post, id);
  return { parcelId, id };
}

const dueNow = ({ store }: Post, id: string) =>
  store.run("update notifications set next_try_at = now() - interval '4 seconds' where id = $1", [id]);

test('every kind for a customer, each asked for ten times in two copies, is mailed once', async () => {
  const post = await aPost();
  const other = await notifierPorts(
    await aServiceContext(nats.url, SETTINGS, post.context.connectionString),
    post.world.smtpPort,
  );
  const ids: string[] = [];
  for (const kind of CUSTOMER_MAILS) {
    const parcelId =
      kind === 'order_confirmed' ? null : await givenParcelRow(post.store, { 101: 1 }, `YT-${kind}`);
    ids.push(await givenNotificationRow(post.store, kind, parcelId));
  }
  await Promise.all(
    ids.flatMap((id) =>
      Array.from({ length: 10 }, (_, index) => sendNotification(index % 2 === 0 ? post.ports : other, id)),
    ),
  );
  const mails = await mailsIn(post.world);
  expect(mails.map(({ messageId }) => messageId).sort()).toEqual(
    ids.map((id) => `<${id}@lantern.example>`).sort(),
  );
  expect(await eventsIn(post.store)).toHaveLength(ids.length);
  expect((await mailIn(post.world, 1)).replyTo?.text).toBe('help@lantern.example');
});

test('parcels that ship within the window share one mail, whoever of them is due first', async () => {
  const post = await aPost();
  const first = await aWaitingParcel(post, 'YT1');
  const second = await aWaitingParcel(post, 'YT2');
  await sendDue(post.ports);
  expect(await mailsIn(post.world)).toEqual([]);
  await dueNow(post, second.id);
  await Promise.all([sendDue(post.ports), sendDue(post.ports)]);
  const mails = await mailsIn(post.world);
  expect(mails).toHaveLength(1);
  const { text } = await mailIn(post.world, 1);
  expect(text).toContain('Several parcels of your order');
  for (const number of ['YT1', 'YT2']) expect(text).toContain(`Tracking number: ${number}`);
  expect((await eventsIn(post.store)).map(({ id }) => id).sort()).toEqual(
    [first.id, second.id].map((id) => `${id}:sent`).sort(),
  );
});

test('a digest that the server refuses for now goes out later as a whole, with who has joined it', async () => {
  const post = await aPost();
  const first = await aWaitingParcel(post, 'YT1');
  await givenFaults(post.world, { operation: 'smtp.data', kind: 'rate_limit', times: 1 });
  await dueNow(post, first.id);
  await sendDue(post.ports);
  await aWaitingParcel(post, 'YT2');
  await timePasses(post);
  await sendDue(post.ports);
  expect(await mailsIn(post.world)).toMatchObject([{ messageId: `<${first.id}@lantern.example>` }]);
  expect((await mailIn(post.world, 1)).text).toContain('YT2');
  expect(await statesIn(post)).toEqual(['parcel_shipped sent', 'parcel_shipped sent']);
});

test('in a round of several mails each ends by itself: sent, without an address, overtaken, not to be written', async () => {
  const post = await aPost();
  const { store } = post;
  const { parcelId } = await aWaitingParcel(post, 'YT1');
  const copies = ['addressless', 'unwritable', 'other'];
  await store.run(
    `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context)
     select c, o.shop, c, o.name, case c when 'unwritable' then 'EURO' else o.currency end, o.total_minor, o.placed_at,
            o.state, o.context from orders o, unnest($1::text[]) c`,
    [copies],
  );
  await store.run(
    `insert into customer_details (order_id, source_updated_at, email)
     select c, now(), case c when 'addressless' then null else c || '@buyer.example' end from unnest($1::text[]) c`,
    [copies],
  );
  await store.run(
    `insert into notifications (id, order_id, kind, state, next_try_at)
     select c, c, 'order_confirmed', 'pending', now() - interval '1 second' from unnest($1::text[]) c`,
    [copies],
  );
  const overtaken = await givenNotificationRow(store, 'parcel_in_transit', parcelId);
  const commits = async () =>
    (await store.query<{ n: number }>('select count(distinct xmin::text)::int as n from notifications'))[0]
      ?.n;
  const results = await Promise.allSettled(
    [...copies, overtaken].map((id) => sendNotification(post.ports, id)),
  );
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  const rows = await store.query<{ id: string; state: string; attempt: number }>(
    'select id, state, attempt from notifications where id = any($1::text[])',
    [[...copies, overtaken]],
  );
  expect(Object.fromEntries(rows.map(({ id, state, attempt }) => [id, `${state} ${attempt}`]))).toEqual({
    addressless: 'skipped 1',
    unwritable: 'pending 1',
    other: 'sent 1',
    [overtaken]: 'skipped 1',
  });
  expect(await mailsIn(post.world)).toMatchObject([{ to: ['other@buyer.example'] }]);
  // The row that waits for company, the round, and the end of the one mail.
  expect(await commits()).toBe(3);
});

test('an address that is refused harms no other mail of its round', async () => {
  const { context, store } = await aPost();
  await store.run(
    `insert into orders (id, shop, shop_order_id, name, currency, total_minor, placed_at, state, context)
     select 'other', shop, 'other', name, currency, total_minor, placed_at, state, context from orders`,
  );
  await store.run(
    `insert into customer_details (order_id, source_updated_at, email) values ('other', now(), 'no one')`,
  );
  await store.run(
    `insert into notifications (id, order_id, kind, state, next_try_at)
     values ('other', 'other', 'order_confirmed', 'pending', now() - interval '1 second')`,
  );
  const world = await givenWorld();
  const ports = await notifierPorts(context, world.smtpPort);
  const id = await givenNotificationRow(store);
  await Promise.all([sendNotification(ports, 'other'), sendNotification(ports, id)]);
  const rows = await store.query<{ id: string; state: string }>('select id, state from notifications');
  expect(Object.fromEntries(rows.map((row) => [row.id, row.state]))).toEqual({
    other: 'failed',
    [id]: 'sent',
  });
  expect(await mailsIn(world)).toHaveLength(1);
});

test('two copies that take the same many rows at once, in opposite orders, send each mail once', async () => {
  const post = await aPost();
  const other = await notifierPorts(
    await aServiceContext(nats.url, SETTINGS, post.context.connectionString),
    post.world.smtpPort,
  );
  const ids = Array.from({ length: 40 }, (_, index) => `ntf_${index}`);
  await post.store.run(
    `insert into notifications (id, order_id, kind, state, next_try_at)
     select id, $2, 'order_confirmed', 'pending', now() - interval '1 second' from unnest($1::text[]) id`,
    [ids, ORDER_ID],
  );
  await Promise.all([
    ...ids.map((id) => sendNotification(post.ports, id)),
    ...ids.toReversed().map((id) => sendNotification(other, id)),
  ]);
  const sent = (await mailsIn(post.world)).map(({ messageId }) => messageId);
  expect(sent.toSorted()).toEqual(ids.map((id) => `<${id}@lantern.example>`).toSorted());
  expect(await statesIn(post)).toEqual(ids.map(() => 'order_confirmed sent'));
});

test('a digest in doubt is in doubt for each of its parcels', async () => {
  const post = await aPost();
  const first = await aWaitingParcel(post, 'YT1');
  await aWaitingParcel(post, 'YT2');
  await givenFaults(post.world, { operation: 'smtp.data', kind: 'no_answer_after', times: 1 });
  await dueNow(post, first.id);
  await sendDue(post.ports);
  await timePasses(post);
  await sendDue(post.ports);
  expect(await statesIn(post)).toEqual(['parcel_shipped doubt', 'parcel_shipped doubt']);
  expect(await mailsIn(post.world)).toHaveLength(1);
  expect(await eventsIn(post.store)).toMatchObject([{ data: { doubt: true } }, { data: { doubt: true } }]);
});

test('a parcel in transit says nothing that its waiting shipped mail will say', async () => {
  const post = await aPost();
  const { parcelId } = await aWaitingParcel(post, 'YT1');
  const id = await givenNotificationRow(post.store, 'parcel_in_transit', parcelId);
  await sendNotification(post.ports, id);
  expect(await mailsIn(post.world)).toEqual([]);
  expect(await statesIn(post)).toEqual(['parcel_in_transit skipped', 'parcel_shipped pending']);
});

test('a delay is not told before the shipped mail that waits for company, and right behind it', async () => {
  const post = await aPost();
  const { parcelId, id } = await aWaitingParcel(post, 'YT1');
  const late = await givenNotificationRow(post.store, 'parcel_delayed', parcelId);
  await sendNotification(post.ports, late);
  expect(await mailsIn(post.world)).toEqual([]);
  await dueNow(post, id);
  await sendDue(post.ports);
  expect(await mailsIn(post.world)).toMatchObject([{ number: 1 }, { number: 2 }]);
  expect((await mailIn(post.world, 1)).subject).toContain('on its way');
  expect((await mailIn(post.world, 2)).subject).toContain('longer than expected');
  expect(await statesIn(post)).toEqual(['parcel_delayed sent', 'parcel_shipped sent']);
});

test('a parcel that arrives before its digest is due is told as delivered and not as shipped', async () => {
  const post = await aPost();
  const { parcelId } = await aWaitingParcel(post, 'YT1');
  await aWaitingParcel(post, 'YT2');
  await sendNotification(post.ports, await givenNotificationRow(post.store, 'parcel_delivered', parcelId));
  await timePasses(post);
  await sendDue(post.ports);
  expect(await statesIn(post)).toEqual([
    'parcel_delivered sent',
    'parcel_shipped sent',
    'parcel_shipped skipped',
  ]);
  expect((await mailIn(post.world, 2)).text).not.toContain('YT1');
});

const aHold = ({ store }: Post, id: string, reason = 'out_of_stock') =>
  store.run(
    `insert into holds (id, order_id, reason, evidence) values ($1, $2, $3, '{"code": "1600200"}')
     on conflict (id) do update set opened_at = now(), released_at = null`,
    [id, ORDER_ID, reason],
  );

async function aHoldOfPurchase(post: Post, supplier: string, state: string, reason: string): Promise<void> {
  await post.store.run(
    `insert into supplier_orders (id, order_id, supplier, state, context, shipping_method, ships_from,
       expected_cost_minor, currency) values ($1, $2, $3, $4, '{}', 'CJPacket', 'CN', 1, 'USD')`,
    [SUPPLIER_ORDER_ID, ORDER_ID, supplier, state],
  );
  await aHold(post, 'hld_1', reason);
  await post.store.run('update holds set supplier_order_id = $1', [SUPPLIER_ORDER_ID]);
}

const tell = async (post: Post): Promise<void> => {
  await decideOperatorMails(post.store, post.context.settings);
  await timePasses(post);
  await sendDue(post.ports);
};

test('a storm of held orders is one mail, which names the first and counts the rest', async () => {
  const post = await aPost();
  await post.store.run(
    `insert into holds (id, order_id, reason, evidence)
     select 'hld_' || n, $1, 'out_of_stock', '{}' from generate_series(1, 1000) n`,
    [ORDER_ID],
  );
  await decideOperatorMails(post.store, post.context.settings);
  await sendDue(post.ports);
  expect(await mailsIn(post.world)).toEqual([]);
  await tell(post);
  await tell(post);
  expect(await mailsIn(post.world)).toMatchObject([{ to: [OPERATOR], subject: 'Held orders: 1,000' }]);
  const { text } = await mailIn(post.world, 1);
  expect(text).toContain('- Order #1042: the supplier or the shop has no stock\n  Reason: out_of_stock\n');
  expect(text).toContain('And 970 more.');
  expect(await eventsIn(post.store)).toEqual([]);
});

test('copies that look at the same time tell a hold once; one opened anew is told anew', async () => {
  const post = await aPost();
  await aHold(post, 'hld_1');
  const decide = () => decideOperatorMails(post.store, post.context.settings);
  await Promise.all([decide(), decide(), decide()]);
  await tell(post);
  await aHold(post, 'hld_1');
  await tell(post);
  await tell(post);
  expect(await mailsIn(post.world)).toHaveLength(2);
});

test('what was mended before its mail is not told, and an unpaid order is no trouble yet', async () => {
  const post = await aPost();
  await aHold(post, 'hld_1');
  await aHold(post, 'hld_2', 'payment_pending');
  await decideOperatorMails(post.store, post.context.settings);
  await post.store.run('update holds set released_at = now()');
  await tell(post);
  expect(await mailsIn(post.world)).toEqual([]);
  expect(await statesIn(post)).toEqual(['order_held skipped']);
});

test.each([
  ['lantern-shop.myshopify.com', ['https://lantern-shop.myshopify.com/admin/orders/']],
  [NO_SHOP, []],
])(
  'the mail about a held order names the call that explains it, and its page in the shop %s, where there is one',
  async (shop, links) => {
    const post = await aPost();
    await post.store.run('update orders set shop = $1', [shop]);
    await aHold(post, 'hld_1');
    await tell(post);
    const { text } = await mailIn(post.world, 1);
    expect(text).toContain(`\n  GET /orders/${ORDER_ID}/explain\n`);
    expect(text?.match(/https:.*\/orders\//g) ?? []).toEqual(links);
  },
);

test('a purchase that somebody has to pay at its supplier is told', async () => {
  const post = await aPost();
  await aHoldOfPurchase(post, 'aliexpress', 'awaiting_payment', 'payment_pending');
  await tell(post);
  expect((await mailIn(post.world, 1)).text).toContain('payment_pending');
});

test('orders that wait for a supplier’s account are told as the supplier’s trouble, once a day', async () => {
  const post = await aPost();
  await aHoldOfPurchase(post, 'cj_dropshipping', 'draft', 'insufficient_funds');
  await tell(post);
  await tell(post);
  const { subject, text } = await mailIn(post.world, 1);
  expect(subject).toBe('Suppliers in trouble: 1');
  expect(text).toContain(
    '- cj_dropshipping: the supplier’s account has no funds\n  Reason: insufficient_funds\n  Orders waiting: 1',
  );
  expect(await mailsIn(post.world)).toHaveLength(1);
  await post.store.run(
    "update notifications set created_at = created_at - interval '25 hours', id = 'ntf_yesterday'",
  );
  await tell(post);
  expect(await mailsIn(post.world)).toHaveLength(2);
});

test('what the shop refused of a parcel is told with its order, and never as its supplier’s trouble', async () => {
  const post = await aPost();
  await aHoldOfPurchase(post, 'cj_dropshipping', 'shipped', 'account_risk');
  await post.store.run(`update holds set evidence = '{"refusedBy":"shop","status":402}'`);
  await tell(post);
  const mails = await mailsIn(post.world);
  expect(mails).toHaveLength(1);
  const { subject, text } = await mailIn(post.world, 1);
  expect(subject).toBe('Held orders: 1');
  expect(text).toContain('the supplier or the shop has blocked the account');
  expect(text).toContain('refusedBy: shop');
});

test('a supplier’s trouble that was over before its mail, and comes back, is told the same day', async () => {
  const post = await aPost();
  await aHoldOfPurchase(post, 'cj_dropshipping', 'draft', 'insufficient_funds');
  await decideOperatorMails(post.store, post.context.settings);
  await post.store.run('update holds set released_at = now()');
  await tell(post);
  // A minute passes.
  await post.store.run("update notifications set id = 'ntf_earlier'");
  await post.store.run('update holds set released_at = null');
  await tell(post);
  expect(await statesIn(post)).toEqual(['supplier_trouble sent', 'supplier_trouble skipped']);
});

test('a dead letter is told with what waits behind it, one without an order too', async () => {
  const post = await aPost();
  const letter = {
    message_id: 'm1',
    seq: 7,
    payload: '{}',
    failure: '{"name":"AppError","code":"conservation_violated","message":"line 1","at":["x.ts"]}',
    kind: 'event',
    reason: 'impossible',
    attempts: 1,
  } as const;
  await layDown(post.store, [
    { ...letter, order_id: ORDER_ID, subject: 'oms.evt.1.order.updated', state: 'open' },
    { ...letter, order_id: ORDER_ID, subject: 'oms.evt.1.order.paid', state: 'parked' },
    { ...letter, order_id: null, subject: 'oms.cmd.suppliers.buy.x', state: 'open' },
  ]);
  await tell(post);
  const { subject, text } = await mailIn(post.world, 1);
  expect(subject).toBe('Messages set aside: 2');
  expect(text).toMatch(/- Order #1042\n {2}Message: oms\.evt\.1\.order\.updated\n.*wait behind it: 1\n/s);
  expect(text).toContain('Details: name: AppError, code: conservation_violated, message: line 1\n');
  expect(text).toContain('  To settle it: POST /dead-letters/1/replay, skip, edit\n');
  expect(text).toContain('- Without an order\n  Message: oms.cmd.suppliers.buy.x');
});

test('a command that fails again after it was replayed is told again, and as long as it is open once', async () => {
  const post = await aPost();
  const letter = {
    order_id: null,
    message_id: 'm1',
    subject: 'oms.cmd.suppliers.buy.x',
    seq: 0,
    payload: '{}',
    failure: null,
    kind: 'command',
    reason: 'failed',
    state: 'open',
    attempts: 1,
  } as const;
  for (const _ of [1, 2]) {
    await layDownCommand(post.store, letter);
    await tell(post);
    await layDownCommand(post.store, letter);
    await tell(post);
    await post.store.run("update dead_letters set state = 'replayed', settled_at = now()");
  }
  expect(await statesIn(post)).toEqual(['dead_letter sent', 'dead_letter sent']);
});

test('who asks for their data is told to the operator once, and again in the week before it is due', async () => {
  const post = await aPost();
  const { store } = post;
  await store.run(
    `insert into privacy_requests (shop, kind, order_ids, due_at)
     values ('shop.example', 'data_requested', '["ord_1", "ord_2"]', now() + interval '30 days'),
            ('shop.example', 'customer_redacted', '[]', now() + interval '30 days')`,
  );
  await tell(post);
  await tell(post);
  const { subject, text } = await mailIn(post.world, 1);
  expect(subject).toBe('Customers who ask for their data: 1');
  expect(text).toMatch(/- Request 1 of shop\.example\n {2}Orders: 2\n/);
  await store.run(`update notifications set created_at = created_at - interval '20 days'`);
  await store.run(`update privacy_requests set due_at = now() + interval '6 days'`);
  await tell(post);
  await tell(post);
  expect(await statesIn(post)).toEqual(['privacy_request sent', 'privacy_request sent']);
});

test('a customer whose address is refused for good stops no order: the operator hears of it, without the address', async () => {
  const { context, store } = await aPost();
  const server = new SMTPServer({
    authOptional: true,
    hideSTARTTLS: true,
    closeTimeout: 1,
    onRcptTo({ address }, _session, callback) {
      if (address === OPERATOR) return callback();
      callback(Object.assign(new Error(`5.1.1 <${address}> is unknown`), { responseCode: 550 }));
    },
    onData(stream, _session, callback) {
      let raw = '';
      stream.on('data', (bytes: Buffer) => {
        raw += bytes.toString();
      });
      stream.on('end', () => {
        taken.push(raw);
        callback();
      });
    },
  });
  const taken: string[] = [];
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(resolve)));
  const ports = await notifierPorts(context, port);
  await sendNotification(ports, await givenNotificationRow(store));
  await decideOperatorMails(store, context.settings);
  await timePasses({ store });
  await sendDue(ports);
  await decideOperatorMails(store, context.settings);
  expect(await statesIn({ store })).toEqual(['mail_failed sent', 'order_confirmed failed']);
  expect(taken).toHaveLength(1);
  const { subject, text } = await simpleParser(taken[0] ?? '');
  expect(subject).toBe('Mails that may not have arrived: 1');
  expect(text).toContain('- Order #1042: refused for good\n  Mail: order_confirmed');
  expect(text).toContain('reply: 550');
  expect(text).toContain(`\n  POST /orders/${ORDER_ID}/mails/send-again\n`);
  expect(`${subject} ${text}`).not.toMatch(PERSONAL);
  expect(await store.query('select 1 from holds')).toEqual([]);
});

test('a mail that waited for weeks before it was refused is told to the operator all the same', async () => {
  const post = await aPost();
  await post.store.run("update customer_details set email = 'no one'");
  const id = await givenNotificationRow(post.store);
  await post.store.run(
    `update notifications set created_at = now() - interval '20 days', next_try_at = now() - interval '20 days'`,
  );
  await sendNotification(post.ports, id);
  await tell(post);
  expect(await statesIn(post)).toEqual(['mail_failed sent', 'order_confirmed failed']);
});

test('a mail to the operator that is in doubt is sent again: better told twice than not at all', async () => {
  const post = await aPost();
  await aHold(post, 'hld_1');
  await givenFaults(post.world, { operation: 'smtp.data', kind: 'no_answer_after', times: 1 });
  await tell(post);
  expect(await statesIn(post)).toEqual(['order_held pending']);
  await timePasses(post);
  await sendDue(post.ports);
  expect(await statesIn(post)).toEqual(['order_held sent']);
  const ids = (await mailsIn(post.world)).map(({ messageId }) => messageId);
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(1);
});

test('a mail to the operator that is refused for good goes out once the refusal is mended', async () => {
  const post = await aPost();
  await aHold(post, 'hld_1');
  let isFull = true;
  const server = new SMTPServer({
    authOptional: true,
    hideSTARTTLS: true,
    closeTimeout: 1,
    onRcptTo: (_address, _session, callback) =>
      callback(isFull ? Object.assign(new Error('5.2.2 mailbox full'), { responseCode: 552 }) : null),
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(resolve)));
  const ports = await notifierPorts(post.context, port);
  await tell({ ...post, ports });
  expect(await statesIn(post)).toEqual(['order_held pending']);
  isFull = false;
  await timePasses(post);
  await sendDue(ports);
  expect(await statesIn(post)).toEqual(['order_held sent']);
});

test.each([{ ORDER_MANAGER_OPERATOR_EMAIL: '' }, { ORDER_MANAGER_MAILS: 'order_confirmed,dead_letter' }])(
  'an operator who wants no mails of held orders gets none: %j',
  async (environment) => {
    const post = await aPost(environment);
    await aHold(post, 'hld_1');
    await tell(post);
    expect(await post.store.query('select 1 from notifications')).toEqual([]);
  },
);
