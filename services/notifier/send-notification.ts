import {
  NOTIFICATION_FAILED,
  NOTIFICATION_SENT,
  type NotificationFailed,
  type NotificationSent,
} from '../../contracts/events/notification-outcome.ts';
import {
  CUSTOMER_MAILS,
  type Evidence,
  NOTIFICATION_KINDS,
  OPERATOR_MAILS,
} from '../../contracts/vocabulary.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import { counter } from '../figures.ts';
import { moment } from '../moments.ts';
import type { ServiceContext } from '../run-service.ts';
import type { OutboxRow } from '../store/outbox.ts';
import { isAnyHalted } from '../store/partitions.ts';
import { lostMails } from './after-restore.ts';
import { type ComposedMail, composeCustomerMail, type Writer } from './customer-mail.ts';
import {
  abandoned,
  type Claimed,
  claim,
  dueMails,
  idsOf,
  type MailRows,
  markSending,
  overtaken,
  retryIn,
} from './mail-rows.ts';
import type { Mailer } from './mailer.ts';
import { composeOperatorMail } from './operator-mail.ts';

const mails = counter(
  { name: 'mails_total', help: 'Mails by what became of them; repeated means refused for now' },
  { kind: NOTIFICATION_KINDS, outcome: ['sent', 'failed', 'doubt', 'skipped', 'repeated'] as const },
);

export interface NotifierPorts extends ServiceContext, Writer {
  /** Undefined while no mail server is configured: nothing is sent, and nothing piles up. */
  readonly mailer: Mailer | undefined;
  /** Right side of our Message-IDs. */
  readonly domain: string;
}

async function compose(
  ports: NotifierPorts,
  rows: MailRows,
): Promise<ComposedMail | { readonly skip: string }> {
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
  const claimed = await claim(ports.store, notificationId);
  if (ports.mailer === undefined)
    return finish(ports, claimed, 'skipped', { cause: 'no mail server is configured' });
  const lost = await lostMails(ports.store, claimed);
  await finish(
    ports,
    claimed.filter(({ id }) => lost.ids.has(id)),
    'doubt',
    { cause: lost.cause },
  );
  const late = new Set((await overtaken(ports.store, claimed)).map(({ id }) => id));
  await finish(
    ports,
    claimed.filter(({ id }) => late.has(id)),
    'skipped',
    { cause: 'another mail of the parcel tells it' },
  );
  const [first, ...others] = claimed.filter(({ id }) => !late.has(id) && !lost.ids.has(id));
  if (first === undefined) return;
  const rows: MailRows = [first, ...others];
  const mail = await compose(ports, rows);
  if ('skip' in mail) return finish(ports, rows, 'skipped', { cause: mail.skip });
  if (!(await markSending(ports.store, rows, ports.settings.ORDER_MANAGER_CALL_TIMEOUT_SECONDS))) return;

  moment('mail: before call');
  const outcome = await ports.mailer.send({ messageId: `<${first.id}@${ports.domain}>`, ...mail });
  moment('mail: after call before record');
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
const endInDoubt = (ports: NotifierPorts, rows: MailRows, evidence: Evidence): Promise<void> =>
  OPERATOR_MAILS.some((kind) => kind === rows[0].kind)
    ? retryLater(ports, rows, evidence)
    : finish(ports, rows, 'doubt', evidence);

async function retryLater({ store, log }: NotifierPorts, rows: MailRows, evidence: Evidence): Promise<void> {
  const [{ id: notificationId, orderId, attempt, kind }] = rows;
  mails.count({ kind, outcome: 'repeated' });
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
  mails.count({ kind: first.kind, outcome: state });
  if (state === 'failed' || state === 'doubt') {
    const { id: notificationId, orderId } = first;
    log.error({ orderId, notificationId, state, evidence }, 'a mail was not sent for sure');
  }
  await commitAndPublish(
    store,
    bus,
    async (sql, say) => {
      const written = await sql.query<{ id: string }>(
        `update notifications n
          set state = $2, evidence = $3::json, sent_at = case when $2 = 'sent' then now() end
         from json_to_recordset($1::json) as d(id text, attempt int)
        where n.id = d.id and n.attempt = d.attempt and n.state in ('pending', 'sending') returning n.id`,
        [JSON.stringify(rows), state, JSON.stringify(evidence)],
      );
      const changed = new Set(written.map(({ id }) => id));
      for (const row of rows) if (changed.has(row.id)) outcomeEvent(row, state, evidence).forEach(say);
    },
    'mail: after record before publish',
  );
}

const LIMIT = 20;
/** A bundle may hold many rows. */
const MOST_ABANDONED = 500;

/**
 * Sends what is due again, and ends what a dead process was sending: the server may have accepted that one.
 * @param stopping ends the round after the mail in hand.
 */
export async function sendDue(ports: NotifierPorts, stopping?: AbortSignal): Promise<'more' | 'idle'> {
  const { store, log } = ports;
  if (await isAnyHalted(store)) return 'idle';
  for (const row of await abandoned(store, MOST_ABANDONED))
    await endInDoubt(ports, [row], { cause: 'the process ended while it was sending' });
  const due = await dueMails(store, LIMIT);
  for (const { id, orderId } of due) {
    if (stopping?.aborted) return 'idle';
    await sendNotification(ports, id).catch((error: unknown) =>
      log.warn({ orderId, notificationId: id, err: error }, 'a mail could not be seen through'),
    );
  }
  return due.length === LIMIT ? 'more' : 'idle';
}
