import {
  NOTIFICATION_FAILED,
  NOTIFICATION_SENT,
  type NotificationFailed,
  type NotificationSent,
} from '../../contracts/events/notification-outcome.ts';
import { CUSTOMER_MAILS, NOTIFICATION_KINDS, OPERATOR_MAILS } from '../../contracts/vocabulary.ts';
import { commitAndPublish, commitForSure, eventRow } from '../bus/commit-and-publish.ts';
import { counter } from '../figures.ts';
import { gathering } from '../gathering.ts';
import type { ServiceContext } from '../run-service.ts';
import { NO_ADDRESS } from '../store/notifications.ts';
import { throughOutage } from '../store/outage.ts';
import type { OutboxRow } from '../store/outbox.ts';
import type { Sql } from '../store/store.ts';
import { currentWork, during } from '../work.ts';
import { lostMails } from './after-restore.ts';
import {
  type ComposedMail,
  composeCustomerMail,
  isNothingLeft,
  type OrderToTell,
  ordersToTell,
  type Writer,
} from './customer-mail.ts';
import { companionsOf } from './customer-view.ts';
import { type Claimed, claim, type Fate, type MailRows, overtaken, settle } from './mail-rows.ts';
import type { Mailer } from './mailer.ts';
import { composeOperatorMail } from './operator-mail.ts';

const mails = counter(
  { name: 'mails_total', help: 'Mails by what became of them; repeated means refused for now' },
  { kind: NOTIFICATION_KINDS, outcome: ['sent', 'failed', 'doubt', 'skipped', 'repeated'] as const },
);

export interface MailContext extends ServiceContext, Writer {
  /** Undefined while no mail server is configured: nothing is sent, and nothing piles up. */
  readonly mailer: Mailer | undefined;
  /** Right side of our Message-IDs. */
  readonly domain: string;
}

/** A mail whose rows are `sending`. */
export interface TakenMail {
  readonly rows: MailRows;
  readonly mail: ComposedMail;
}

export interface MailRounds {
  /**
   * Takes the mail of a row that waits, with all that wait in its bundle, and commits that it is being sent: from here on
   * a dead process leaves a doubt. Exactly one caller gets it.
   * @returns undefined when there is nothing to send.
   * @throws what kept it from being written: it is due again after a while.
   */
  take(notificationId: string): Promise<TakenMail | undefined>;
  /** Commits what became of a mail that was `sending`, with its events. */
  finish(fate: Fate): Promise<void>;
}

/** For the order's timeline; the operator's mails are no part of an order's story. */
function outcomeEvents({ rows, state, evidence }: Fate): { readonly id: string; readonly row: OutboxRow }[] {
  if (state !== 'sent' && state !== 'failed' && state !== 'doubt') return [];
  return rows.flatMap(({ id: notificationId, orderId, kind, about, attempt }) => {
    if (orderId === null || about !== null) return [];
    const sent: NotificationSent = { orderId, notificationId, kind };
    const failed: NotificationFailed = { ...sent, doubt: state === 'doubt', evidence: evidence ?? {} };
    const event =
      state === 'sent'
        ? { messageId: `${notificationId}:sent`, type: NOTIFICATION_SENT, data: sent }
        : { messageId: `${notificationId}:failed:${attempt}`, type: NOTIFICATION_FAILED, data: failed };
    return [{ id: notificationId, row: eventRow({ ...event, source: '/notifier' }) }];
  });
}

/** What the mails of a round tell of, read for all of them. */
interface Reading {
  readonly lost: ReadonlyMap<string, string>;
  readonly late: ReadonlySet<string>;
  readonly orders: ReadonlyMap<string, OrderToTell>;
}

async function read(sql: Sql, rows: readonly Claimed[]): Promise<Reading> {
  const lost = await lostMails(sql, rows);
  const late = await overtaken(
    sql,
    rows.filter(({ id }) => !lost.has(id)),
  );
  const told = rows.filter(({ id, about }) => about === null && !late.has(id) && !lost.has(id));
  const orders = await ordersToTell(sql, [...new Set(told.flatMap(({ orderId }) => orderId ?? []))]);
  return { lost, late, orders };
}

async function compose(
  { settings, ...writer }: MailContext,
  sql: Sql,
  rows: MailRows,
  orders: Reading['orders'],
): Promise<
  { readonly mail: ComposedMail; readonly alsoTells: readonly string[] } | { readonly skip: string }
> {
  const [{ kind, orderId }] = rows;
  const customerKind = CUSTOMER_MAILS.find((known) => known === kind);
  const operatorKind = OPERATOR_MAILS.find((known) => known === kind);
  if (customerKind !== undefined && orderId !== null) {
    const order = orders.get(orderId);
    if (customerKind === 'order_confirmed' && order !== undefined && isNothingLeft(order))
      return { skip: 'no unit of the order is left' };
    const own = rows.flatMap(({ parcelId }) => parcelId ?? []);
    // Each purchase is told as shipped by itself: that says what is in the parcel.
    const alsoTells =
      order === undefined || customerKind === 'parcel_shipped' ? [] : companionsOf(order, own);
    const mail = composeCustomerMail(writer, order, {
      kind: customerKind,
      parcelIds: [...own, ...alsoTells],
    });
    return mail === undefined ? { skip: NO_ADDRESS } : { mail, alsoTells };
  }
  const to = settings.ORDER_MANAGER_OPERATOR_EMAIL;
  if (operatorKind === undefined || to === undefined) return { skip: 'the operator has no e-mail address' };
  const about = rows.flatMap((row) => row.about ?? []);
  const mail = await composeOperatorMail(sql, writer, { kind: operatorKind, about, to });
  return mail === undefined ? { skip: 'what it tells of was mended before' } : { mail, alsoTells: [] };
}

/** What was decided for the rows of one mail. */
interface Decision {
  readonly fates: readonly Fate[];
  readonly taken?: TakenMail;
  /** Why it could not be written: its rows wait. */
  readonly failure?: { readonly error: unknown };
}

async function decide(
  context: MailContext,
  sql: Sql,
  rows: MailRows,
  { lost, late, orders }: Reading,
): Promise<Decision> {
  const skipped = (of: readonly Claimed[], cause: string): Fate => ({
    rows: of,
    state: 'skipped',
    evidence: { cause },
  });
  if (context.mailer === undefined) return { fates: [skipped(rows, 'no mail server is configured')] };
  const unsure = rows.filter(({ id }) => lost.has(id));
  const told = rows.filter(({ id }) => late.has(id));
  const ended = [
    { rows: unsure, state: 'doubt', evidence: { cause: lost.get(unsure[0]?.id ?? '') ?? '' } } as const,
    skipped(told, 'a later mail tells more, another one of the parcel tells it, or it goes back'),
  ].filter((fate) => fate.rows.length > 0);
  const [first, ...others] = rows.filter(({ id }) => !lost.has(id) && !late.has(id));
  if (first === undefined) return { fates: ended };
  const left: MailRows = [first, ...others];
  try {
    const composed = await compose(context, sql, left, orders);
    if ('skip' in composed) return { fates: [...ended, skipped(left, composed.skip)] };
    const { mail, alsoTells } = composed;
    const taken = { rows: left, mail };
    return { fates: [...ended, { rows: left, state: 'sending', evidence: null, alsoTells }], taken };
  } catch (error) {
    // An operator's mail reads for itself: a statement that failed has ended the transaction, and with it the round.
    if (OPERATOR_MAILS.some((known) => known === first.kind)) throw error;
    return { fates: [...ended, { rows: left, state: 'pending', evidence: null }], failure: { error } };
  }
}

/** Of those that wait at the same time: what this mail tells for a parcel of the same number. */
const toldAsWell = ({ fates }: Decision, waiting: readonly Claimed[]): Claimed[] =>
  fates.flatMap(({ rows: [first], alsoTells = [] }) =>
    waiting.filter(
      ({ kind, parcelId }) =>
        parcelId !== null &&
        alsoTells.includes(parcelId) &&
        (kind === first?.kind || first?.kind === 'parcel_delivered'),
    ),
  );

/** Mails that wait at the same time share their transactions: one in which they are taken, one in which they end. */
export function mailRounds(context: MailContext): MailRounds {
  const { store, bus, log, settings } = context;
  const timeoutSeconds = settings.ORDER_MANAGER_CALL_TIMEOUT_SECONDS;

  /** After the commit. */
  const tell = ({ rows, state, evidence }: Fate): void => {
    const [first] = rows;
    if (first === undefined || state === 'sending') return;
    const { id: notificationId, orderId, kind, attempt } = first;
    mails.count({ kind, outcome: state === 'pending' ? 'repeated' : state });
    if (state === 'pending')
      log.warn({ orderId, notificationId, attempt, evidence }, 'the mail is sent again later');
    else if (state === 'failed' || state === 'doubt')
      log.error({ orderId, notificationId, state, evidence }, 'a mail was not sent for sure');
  };

  const take = gathering<{ id: string; traceparent: string | undefined }, Decision | undefined>(
    async (asked) => {
      const decided = await commitForSure(store, bus, async (sql, say) => {
        const taken = await claim(
          sql,
          asked.map(({ id }) => id),
        );
        const reading = await read(sql, context.mailer === undefined ? [] : taken.flat());
        const late = new Set(reading.late);
        const decisions: { readonly rows: MailRows; readonly decision: Decision }[] = [];
        for (const rows of taken) {
          const decision = await decide(context, sql, rows, { ...reading, late });
          decisions.push({ rows, decision });
          for (const { id } of toldAsWell(decision, taken.flat())) late.add(id);
        }
        const fates = decisions.flatMap(({ decision }) => decision.fates);
        await settle(sql, 'pending', fates, timeoutSeconds);
        for (const { rows, decision } of decisions) {
          const traceparent = asked.find(({ id }) => rows.some((row) => row.id === id))?.traceparent;
          for (const fate of decision.fates)
            for (const { row } of during({ traceparent }, () => outcomeEvents(fate))) say(row);
        }
        return decisions;
      });
      // Whoever asked first for a row of the mail has it.
      const byRow = new Map(
        decided.flatMap(({ rows, decision }) => rows.map(({ id }) => [id, decision] as const)),
      );
      const given = new Set<Decision>();
      return asked.map(({ id }) => {
        const decision = byRow.get(id);
        if (decision === undefined || given.has(decision)) return undefined;
        given.add(decision);
        return decision;
      });
    },
  );

  const finish = gathering<{ fate: Fate; events: ReturnType<typeof outcomeEvents> }, void>(async (ends) => {
    await commitAndPublish(
      store,
      bus,
      async (sql, say) => {
        const written = await settle(
          sql,
          'sending',
          ends.map(({ fate }) => fate),
          timeoutSeconds,
        );
        for (const { id, row } of ends.flatMap(({ events }) => events)) if (written.has(id)) say(row);
      },
      'mail: after record before publish',
    );
    return ends.map(() => undefined);
  });

  return {
    async take(id) {
      const decision = await take({ id, traceparent: currentWork()?.traceparent });
      if (decision?.failure !== undefined) throw decision.failure.error;
      decision?.fates.forEach(tell);
      return decision?.taken;
    },
    async finish(fate) {
      const end = { fate, events: outcomeEvents(fate) };
      await throughOutage(() => finish(end));
      tell(fate);
    },
  };
}
