import {
  NOTIFICATION_FAILED,
  NOTIFICATION_SENT,
  type NotificationFailed,
  type NotificationSent,
} from '../../contracts/events/notification-outcome.ts';
import type { Evidence, NotificationKind } from '../../contracts/vocabulary.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import type { ServiceContext } from '../run-service.ts';
import { type Brand, composeMail } from './mail-content.ts';
import type { Mailer } from './mailer.ts';
import type { Templates } from './templates.ts';

export interface NotifierPorts extends ServiceContext {
  /** Undefined while no mail server is configured: nothing is sent, and nothing piles up. */
  readonly mailer: Mailer | undefined;
  readonly templates: Templates;
  readonly brand: Brand;
  /** Right side of our Message-IDs. */
  readonly domain: string;
}

interface Claimed {
  readonly id: string;
  readonly orderId: string;
  readonly kind: NotificationKind;
  readonly attempt: number;
}

const CLAIMED = 'n.id, n.order_id as "orderId", n.kind, n.attempt';
/** 5 s, 10 s, 20 s … an hour. @param after how many attempts, in SQL. */
const retryIn = (attempts: string): string =>
  `least(5 * 2 ^ least(${attempts}, 20), 3600) * interval '1 second'`;

/** Exactly one caller gets the row. It still waits: if writing the mail fails, it is due again after a while. */
async function claim(ports: NotifierPorts, notificationId: string): Promise<Claimed | undefined> {
  const [row] = await ports.store.query<Claimed>(
    `update notifications n set attempt = attempt + 1, next_try_at = now() + ${retryIn('attempt')}
      where id = $1 and state = 'pending' and next_try_at <= now() returning ${CLAIMED}`,
    [notificationId],
  );
  return row;
}

/** The last thing before the mail server is spoken to: from here on a dead process leaves a doubt. */
const markSending = async ({ store, settings }: NotifierPorts, row: Claimed): Promise<boolean> =>
  // Twice as long as the mail server is waited for: a row still `sending` after it belongs to a dead process.
  (await store.run(
    `update notifications
        set state = 'sending', next_try_at = now() + (2 * $3::float8 + 5) * interval '1 second'
      where id = $1 and attempt = $2 and state = 'pending'`,
    [row.id, row.attempt, settings.ORDER_MANAGER_CALL_TIMEOUT_SECONDS],
  )) === 1;

/**
 * Sends one mail whose row is waiting. A mail that may have been accepted is never sent again. What it throws happened
 * before the mail server was spoken to, or after its answer.
 */
export async function sendNotification(ports: NotifierPorts, notificationId: string): Promise<void> {
  const row = await claim(ports, notificationId);
  if (row === undefined) return;
  if (ports.mailer === undefined)
    return finish(ports, row, 'skipped', { cause: 'no mail server is configured' });
  const mail = await composeMail(ports.store, ports.templates, ports.brand, row);
  if (mail === undefined) return finish(ports, row, 'skipped', { cause: 'the order has no e-mail address' });
  if (!(await markSending(ports, row))) return;

  const outcome = await ports.mailer.send({ messageId: `<${row.id}@${ports.domain}>`, ...mail });
  switch (outcome.result) {
    case 'sent':
      return finish(ports, row, 'sent', outcome.evidence);
    case 'refused':
      return finish(ports, row, 'failed', outcome.evidence);
    case 'doubt':
      return finish(ports, row, 'doubt', outcome.evidence);
    case 'refused_for_now':
      return retryLater(ports, row, outcome.evidence);
  }
}

async function retryLater({ store, log }: NotifierPorts, row: Claimed, evidence: Evidence): Promise<void> {
  const { id: notificationId, orderId, attempt } = row;
  log.warn({ orderId, notificationId, attempt, evidence }, 'the mail server refused for now');
  await store.run(
    `update notifications set state = 'pending', evidence = $2::json,
            next_try_at = now() + ${retryIn('attempt - 1')} where id = $1 and state = 'sending'`,
    [notificationId, JSON.stringify(evidence)],
  );
}

async function finish(
  { store, bus, log }: NotifierPorts,
  row: Claimed,
  state: 'sent' | 'failed' | 'doubt' | 'skipped',
  evidence: Evidence,
): Promise<void> {
  const { id: notificationId, orderId, kind } = row;
  if (state === 'failed' || state === 'doubt')
    log.error({ orderId, notificationId, state, evidence }, 'a mail was not sent for sure');
  await commitAndPublish(store, bus, async (sql, say) => {
    const written = await sql.run(
      `update notifications set state = $2, evidence = $3::json, sent_at = case when $2 = 'sent' then now() end
        where id = $1 and attempt = $4 and state in ('pending', 'sending')`,
      [notificationId, state, JSON.stringify(evidence), row.attempt],
    );
    if (written === 0) return;
    if (state === 'sent') {
      const data: NotificationSent = { orderId, notificationId, kind };
      say(
        eventRow({
          messageId: `${notificationId}:sent`,
          source: '/notifier',
          type: NOTIFICATION_SENT,
          orderId,
          data,
        }),
      );
    } else if (state !== 'skipped') {
      const data: NotificationFailed = { orderId, notificationId, kind, doubt: state === 'doubt', evidence };
      say(
        eventRow({
          messageId: `${notificationId}:failed`,
          source: '/notifier',
          type: NOTIFICATION_FAILED,
          orderId,
          data,
        }),
      );
    }
  });
}

const LIMIT = 20;

/**
 * Sends what is due again, and gives up what a dead process was sending: the server may have accepted that one.
 * @param stopping ends the round after the mail in hand.
 */
export async function sendDue(ports: NotifierPorts, stopping?: AbortSignal): Promise<'more' | 'idle'> {
  const { store, log } = ports;
  const abandoned = await store.query<Claimed>(
    `select ${CLAIMED} from notifications n where state = 'sending' and next_try_at <= now() limit $1`,
    [LIMIT],
  );
  for (const row of abandoned)
    await finish(ports, row, 'doubt', { cause: 'the process ended while it was sending' });
  // Fresh rows have their own command; only what that has missed is taken here.
  const due = await store.query<{ id: string; orderId: string }>(
    `select id, order_id as "orderId" from notifications
      where state = 'pending' and next_try_at <= now() - interval '3 seconds' order by next_try_at limit $1`,
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
