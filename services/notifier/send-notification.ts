import {
  NOTIFICATION_FAILED,
  NOTIFICATION_SENT,
  type NotificationFailed,
  type NotificationSent,
} from '../../contracts/events/notification-outcome.ts';
import type { Evidence, NotificationKind } from '../../contracts/vocabulary.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import type { ServiceContext } from '../run-service.ts';
import type { Sql } from '../store/store.ts';
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
/** Longer than the mail server is waited for: a row still `sending` after it belongs to a dead process. */
const SENDING_LEASE = "interval '1 minute' + $2::float8 * interval '1 second'";

/** Exactly one caller gets the row; the others find it taken or done. */
async function claim(ports: NotifierPorts, notificationId: string): Promise<Claimed | undefined> {
  const [row] = await ports.store.query<Claimed>(
    `update notifications n set state = 'sending', attempt = attempt + 1, next_try_at = now() + ${SENDING_LEASE}
      where id = $1 and state = 'pending' and next_try_at <= now() returning ${CLAIMED}`,
    [notificationId, ports.settings.ORDER_MANAGER_CALL_TIMEOUT_SECONDS],
  );
  return row;
}

/** Sends one mail whose row is waiting. A mail that may have been accepted is never sent again. */
export async function sendNotification(ports: NotifierPorts, notificationId: string): Promise<void> {
  const row = await claim(ports, notificationId);
  if (row === undefined) return;
  if (ports.mailer === undefined)
    return finish(ports, row, 'skipped', { cause: 'no mail server is configured' });
  const mail = await composeMail(ports.store, ports.templates, ports.brand, row);
  if (mail === undefined) return finish(ports, row, 'skipped', { cause: 'the order has no e-mail address' });

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

const FIRST_RETRY_S = 5;
const LONGEST_RETRY_S = 3_600;

async function retryLater({ store, log }: NotifierPorts, row: Claimed, evidence: Evidence): Promise<void> {
  const delayS = Math.min(FIRST_RETRY_S * 2 ** (row.attempt - 1), LONGEST_RETRY_S);
  log.warn(
    { orderId: row.orderId, notificationId: row.id, delayS, evidence },
    'the mail server refused for now',
  );
  await store.run(
    `update notifications set state = 'pending', evidence = $2::json,
            next_try_at = now() + $3::float8 * interval '1 second' where id = $1 and state = 'sending'`,
    [row.id, JSON.stringify(evidence), delayS],
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
    if (!(await write(sql, notificationId, state, evidence))) return;
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

const write = async (sql: Sql, id: string, state: string, evidence: Evidence): Promise<boolean> =>
  (await sql.run(
    `update notifications set state = $2, evidence = $3::json, sent_at = case when $2 = 'sent' then now() end
      where id = $1 and state = 'sending'`,
    [id, state, JSON.stringify(evidence)],
  )) === 1;

const LIMIT = 20;

/** Sends what is due again, and gives up what a dead process was sending: the server may have accepted that one. */
export async function sendDue(ports: NotifierPorts): Promise<'more' | 'idle'> {
  const { store } = ports;
  const abandoned = await store.query<Claimed>(
    `select ${CLAIMED} from notifications n where state = 'sending' and next_try_at <= now() limit $1`,
    [LIMIT],
  );
  for (const row of abandoned)
    await finish(ports, row, 'doubt', { cause: 'the process ended while it was sending' });
  // Fresh rows have their own command; only what that has missed is taken here.
  const due = await store.query<{ id: string }>(
    `select id from notifications where state = 'pending' and next_try_at <= now() - interval '3 seconds'
      order by next_try_at limit $1`,
    [LIMIT],
  );
  for (const { id } of due) await sendNotification(ports, id);
  return due.length === LIMIT ? 'more' : 'idle';
}
