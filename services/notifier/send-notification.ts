import { OPERATOR_MAILS } from '../../contracts/vocabulary.ts';
import { moment } from '../moments.ts';
import { isOutage } from '../store/outage.ts';
import { isAnyHalted } from '../store/partitions.ts';
import type { MailContext, MailRounds } from './mail-rounds.ts';
import { abandoned, behind, type Claimed, dueMails, type Fate, putOff } from './mail-rows.ts';
import type { MailOutcome } from './mailer.ts';

export interface NotifierPorts extends MailContext, MailRounds {}

const STATE_AFTER = {
  sent: 'sent',
  refused: 'failed',
  doubt: 'doubt',
  refused_for_now: 'pending',
} as const satisfies Record<MailOutcome['result'], Fate['state']>;

/** A customer is not told twice; an operator is rather told twice than not at all, and nobody tells of that mail. */
function stateAfter(result: MailOutcome['result'], { kind }: Claimed): Fate['state'] {
  const isToOperator = OPERATOR_MAILS.some((known) => known === kind);
  return isToOperator && result !== 'sent' ? 'pending' : STATE_AFTER[result];
}

/**
 * Sends one mail whose row is waiting, with all that wait in its bundle, and then those that it kept waiting. To a
 * customer, a mail that may have been accepted is never sent again; to the operator it is, and one that was refused too.
 * What it throws happened before the mail server was spoken to, or after its answer.
 */
export async function sendNotification(ports: NotifierPorts, notificationId: string): Promise<void> {
  const { store, mailer, domain } = ports;
  const taken = await ports.take(notificationId).catch(async (error: unknown) => {
    if (!isOutage(error)) await putOff(store, notificationId);
    throw error;
  });
  if (taken === undefined || mailer === undefined) return;
  const { rows, mail } = taken;
  moment('mail: before call');
  const { result, evidence } = await mailer.send({ messageId: `<${rows[0].id}@${domain}>`, ...mail });
  moment('mail: after call before record');
  await ports.finish({ rows, state: stateAfter(result, rows[0]), evidence });
  // At once: with the next round they may be overtaken, and the customer would not hear of them.
  for (const id of await behind(store, rows)) await sendNotification(ports, id);
}

const LIMIT = 20;
/** So many are sent side by side. */
const AT_ONCE = 10;
/** A bundle may hold many rows. */
const MOST_ABANDONED = 500;

/**
 * Sends what is due again, and ends what a dead process was sending: the server may have accepted that one.
 * @param stopping ends the round after the mails in hand.
 */
export async function sendDue(ports: NotifierPorts, stopping?: AbortSignal): Promise<'more' | 'idle'> {
  const { store, log } = ports;
  if (await isAnyHalted(store)) return 'idle';
  const evidence = { cause: 'the process ended while it was sending' };
  const left = await abandoned(store, MOST_ABANDONED);
  await Promise.all(
    left.map((row) => ports.finish({ rows: [row], state: stateAfter('doubt', row), evidence })),
  );
  const due = await dueMails(store, LIMIT);
  for (let start = 0; start < due.length; start += AT_ONCE) {
    if (stopping?.aborted) return 'idle';
    const send = ({ id, orderId }: (typeof due)[number]) =>
      sendNotification(ports, id).catch((error: unknown) =>
        log.warn({ orderId, notificationId: id, err: error }, 'a mail could not be seen through'),
      );
    await Promise.all(due.slice(start, start + AT_ONCE).map(send));
  }
  return due.length === LIMIT ? 'more' : 'idle';
}
