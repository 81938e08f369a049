import {
  NOTIFICATION_FAILED,
  NOTIFICATION_SENT,
  type NotificationFailed,
  type NotificationSent,
} from '../../contracts/events/notification-outcome.ts';
import {
  CUSTOMER_MAILS,
  type Evidence,
  type NotificationKind,
  OPERATOR_MAILS,
} from '../../contracts/vocabulary.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import type { ServiceContext } from '../run-service.ts';
import type { OutboxRow } from '../store/outbox.ts';
import type { Sql } from '../store/store.ts';
import { type ComposedMail, composeCustomerMail, type Writer } from './customer-mail.ts';
import type { Mailer } from './mailer.ts';
import { composeOperatorMail } from './operator-mail.ts';

export interface NotifierPorts extends ServiceContext, Writer {
  /** Undefined while no mail server is configured: nothing is sent, and nothing piles up. */
  readonly mailer: Mailer | undefined;
  /** Right side of our Message-IDs. */
  readonly domain: string;
}

interface Claimed {
  readonly id: string;
  readonly orderId: string | null;
  readonly kind: NotificationKind;
  readonly parcelId: string | null;
  readonly about: string | null;
  readonly attempt: number;
}
/** The rows of one mail, the oldest first: its id is the mail's. */
type Mail = readonly [Claimed, ...Claimed[]];

const CLAIMED = 'n.id, n.order_id as "orderId", n.kind, n.parcel_id as "parcelId", n.about, n.attempt';
/** 5 s, 10 s, 20 s … an hour. @param after how many attempts, in SQL. */
const retryIn = (attempts: string): string =>
  `least(5 * 2 ^ least(${attempts}, 20), 3600) * interval '1 second'`;

const idsOf = (rows: readonly Claimed[]): string[] => rows.map(({ id }) => id);

/**
 * Exactly one caller gets the row, and with it all that wait in its bundle. They still wait: if writing the mail fails,
 * it is due again after a while.
 */
async function claim({ store }: NotifierPorts, notificationId: string): Promise<Claimed[]> {
  return store.transaction(async (sql) => {
    // One caller at a time for each bundle, who then sees what the one before has done.
    await sql.query(
      `select pg_advisory_xact_lock(hashtextextended(coalesce(bundle, id), 0)) from notifications where id = $1`,
      [notificationId],
    );
    const rows = await sql.query<Claimed & { createdAt: number }>(
      `update notifications n set attempt = n.attempt + 1, next_try_at = now() + ${retryIn('n.attempt')}
         from notifications d
        where d.id = $1 and d.state = 'pending' and d.next_try_at <= now()
          and n.state = 'pending' and (n.id = d.id or n.bundle = d.bundle)
       returning ${CLAIMED}, extract(epoch from n.created_at)::float8 as "createdAt"`,
      [notificationId],
    );
    return rows.sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  });
}

/** The last thing before the mail server is spoken to: from here on a dead process leaves a doubt. */
const markSending = ({ store, settings }: NotifierPorts, rows: Mail): Promise<boolean> =>
  store.transaction(async (sql) => {
    // Twice as long as the mail server is waited for: a row still `sending` after it belongs to a dead process.
    const marked = await sql.query(
      `update notifications n
          set state = 'sending', next_try_at = now() + (2 * $2::float8 + 5) * interval '1 second'
         from json_to_recordset($1::json) as d(id text, attempt int)
        where n.id = d.id and n.attempt = d.attempt and n.state = 'pending' returning n.id`,
      [JSON.stringify(rows), settings.ORDER_MANAGER_CALL_TIMEOUT_SECONDS],
    );
    return marked.length === rows.length;
  });

/** News that a later mail of the same parcel tells, or that an earlier one which still waits for company will tell. */
const overtaken = (sql: Sql, rows: readonly Claimed[]): Promise<{ id: string }[]> =>
  sql.query<{ id: string }>(
    `select n.id from notifications n join notifications o on o.parcel_id = n.parcel_id
      where n.id = any($1::text[])
        and ((n.kind = 'parcel_shipped' and n.bundle is not null and o.kind = 'parcel_delivered')
          or (n.kind = 'parcel_in_transit' and o.kind = 'parcel_shipped' and o.bundle is not null
              and o.state = 'pending'))`,
    [idsOf(rows)],
  );

async function compose(ports: NotifierPorts, rows: Mail): Promise<ComposedMail | { readonly skip: string }> {
  const { store, settings } = ports;
  const [{ kind, orderId }] = rows;
  const customerKind = CUSTOMER_MAILS.find((known) => known === kind);
  const operatorKind = OPERATOR_MAILS.find((known) => known === kind);
  if (customerKind !== undefined && orderId !== null) {
    const parcelIds = rows.flatMap(({ parcelId }) => parcelId ?? []);
    const mail = await composeCustomerMail(store, ports, { orderId, kind: customerKind, parcelIds });
    return mail ?? { skip: 'the order has no e-mail address' };
  }
  const to = settings.ORDER_MANAGER_OPERATOR_EMAIL;
  if (operatorKind === undefined || to === undefined) return { skip: 'the operator has no e-mail address' };
  const about = rows.flatMap((row) => row.about ?? []);
  const mail = await composeOperatorMail(store, ports, { kind: operatorKind, about, to });
  return mail ?? { skip: 'what it tells of was mended before' };
}

/**
 * Sends one mail whose row is waiting, with all that wait in its bundle. To a customer, a mail that may have been
 * accepted is never sent again; to the operator it is. What it throws happened before the mail server was spoken to, or
 * after its answer.
 */
export async function sendNotification(ports: NotifierPorts, notificationId: string): Promise<void> {
  const claimed = await claim(ports, notificationId);
  if (ports.mailer === undefined)
    return finish(ports, claimed, 'skipped', { cause: 'no mail server is configured' });
  const late = new Set((await overtaken(ports.store, claimed)).map(({ id }) => id));
  await finish(
    ports,
    claimed.filter(({ id }) => late.has(id)),
    'skipped',
    { cause: 'another mail of the parcel tells it' },
  );
  const [first, ...others] = claimed.filter(({ id }) => !late.has(id));
  if (first === undefined) return;
  const rows: Mail = [first, ...others];
  const mail = await compose(ports, rows);
  if ('skip' in mail) return finish(ports, rows, 'skipped', { cause: mail.skip });
  if (!(await markSending(ports, rows))) return;

  const outcome = await ports.mailer.send({ messageId: `<${first.id}@${ports.domain}>`, ...mail });
  switch (outcome.result) {
    case 'sent':
      return finish(ports, rows, 'sent', outcome.evidence);
    case 'refused':
      return finish(ports, rows, 'failed', outcome.evidence);
    case 'doubt':
      return endInDoubt(ports, rows, outcome.evidence);
    case 'refused_for_now':
      return retryLater(ports, rows, outcome.evidence);
  }
}

/** A customer is not told twice; an operator is rather told twice than not at all. */
const endInDoubt = (ports: NotifierPorts, rows: Mail, evidence: Evidence): Promise<void> =>
  OPERATOR_MAILS.some((kind) => kind === rows[0].kind)
    ? retryLater(ports, rows, evidence)
    : finish(ports, rows, 'doubt', evidence);

async function retryLater({ store, log }: NotifierPorts, rows: Mail, evidence: Evidence): Promise<void> {
  const [{ id: notificationId, orderId, attempt }] = rows;
  log.warn({ orderId, notificationId, attempt, evidence }, 'the mail is sent again later');
  await store.run(
    `update notifications set state = 'pending', evidence = $2::json,
            next_try_at = now() + ${retryIn('attempt - 1')} where id = any($1::text[]) and state = 'sending'`,
    [idsOf(rows), JSON.stringify(evidence)],
  );
}

/** For the order's timeline; the operator's mails are no part of an order's story. */
function outcomeEvent(
  { id: notificationId, orderId, kind, about }: Claimed,
  state: 'sent' | 'failed' | 'doubt' | 'skipped',
  evidence: Evidence,
): OutboxRow[] {
  if (orderId === null || about !== null || state === 'skipped') return [];
  const sent: NotificationSent = { orderId, notificationId, kind };
  const failed: NotificationFailed = { ...sent, doubt: state === 'doubt', evidence };
  const event =
    state === 'sent'
      ? { messageId: `${notificationId}:sent`, type: NOTIFICATION_SENT, data: sent }
      : { messageId: `${notificationId}:failed`, type: NOTIFICATION_FAILED, data: failed };
  return [eventRow({ ...event, source: '/notifier', orderId })];
}

async function finish(
  { store, bus, log }: NotifierPorts,
  rows: readonly Claimed[],
  state: 'sent' | 'failed' | 'doubt' | 'skipped',
  evidence: Evidence,
): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  if (state === 'failed' || state === 'doubt') {
    const { id: notificationId, orderId } = first;
    log.error({ orderId, notificationId, state, evidence }, 'a mail was not sent for sure');
  }
  await commitAndPublish(store, bus, async (sql, say) => {
    const written = await sql.query<{ id: string }>(
      `update notifications n
          set state = $2, evidence = $3::json, sent_at = case when $2 = 'sent' then now() end
         from json_to_recordset($1::json) as d(id text, attempt int)
        where n.id = d.id and n.attempt = d.attempt and n.state in ('pending', 'sending') returning n.id`,
      [JSON.stringify(rows), state, JSON.stringify(evidence)],
    );
    const changed = new Set(written.map(({ id }) => id));
    for (const row of rows) if (changed.has(row.id)) outcomeEvent(row, state, evidence).forEach(say);
  });
}

const LIMIT = 20;

/**
 * Sends what is due again, and ends what a dead process was sending: the server may have accepted that one.
 * @param stopping ends the round after the mail in hand.
 */
export async function sendDue(ports: NotifierPorts, stopping?: AbortSignal): Promise<'more' | 'idle'> {
  const { store, log } = ports;
  const abandoned = await store.query<Claimed>(
    `select ${CLAIMED} from notifications n where state = 'sending' and next_try_at <= now() limit $1`,
    [LIMIT],
  );
  for (const row of abandoned)
    await endInDoubt(ports, [row], { cause: 'the process ended while it was sending' });
  // Fresh rows have their own command; only what that has missed is taken here, and what waits for company.
  const due = await store.query<{ id: string; orderId: string | null }>(
    `select (array_agg(id order by next_try_at, id))[1] as id,
            (array_agg(order_id order by next_try_at, id))[1] as "orderId"
       from notifications
      where state = 'pending' and next_try_at <= now() - interval '3 seconds'
      group by coalesce(bundle, id) order by min(next_try_at) limit $1`,
    [LIMIT],
  );
  for (const { id, orderId } of due) {
    if (stopping?.aborted) return 'idle';
    await sendNotification(ports, id).catch((error: unknown) =>
      log.warn({ orderId, notificationId: id, err: error }, 'a mail could not be seen through'),
    );
  }
  return due.length === LIMIT ? 'more' : 'idle';
}
