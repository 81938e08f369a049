import { AppError } from '../contracts/errors.ts';
import { notificationIdOf } from '../contracts/ids.ts';
import { STREAMS } from '../contracts/subjects.ts';
import type { Bus } from './bus/bus.ts';
import { readPositions } from './store/partitions.ts';
import { insertRows, isoInstant } from './store/rows.ts';
import type { Sql, Store } from './store/store.ts';

const refuse = (message: string): never => {
  throw new AppError('stream_mismatch', message, { retryable: false });
};

/**
 * The last moment that the database knows of.
 * @throws AppError `stream_mismatch` when a service runs, or NATS still has what was said after the backup.
 */
async function lastKnown(sql: Sql, bus: Bus): Promise<string> {
  const [known] = await sql.query<{ alive: number; last: string | null }>(
    `select (select count(*)::int from copies where seen_at > now() - interval '5 seconds') as alive,
            ${isoInstant('greatest((select max(created_at) from outbox), (select max(at) from timeline))')} as last`,
  );
  if ((known?.alive ?? 0) > 0) refuse('a service runs on this database: stop all of them first');
  const { created } = await bus.streamState(STREAMS.events);
  const isSame = (await readPositions(sql)).some(({ streamCreated }) => streamCreated === created);
  if (isSame)
    refuse(
      'this NATS has messages that the database may no longer know, and would tell them to it: empty its store, run npm run setup, and start this again',
    );
  return known?.last ?? new Date().toISOString();
}

/** A parcel whose time ran out while nobody looked: the customer may have been told, and is not told again. */
async function doubtDelays(sql: Sql): Promise<number> {
  const overdue = await sql.query<{ orderId: string; parcelId: string }>(
    `select order_id as "orderId", parcel_id as "parcelId" from timers
      where deadline = 'transit' and parcel_id is not null and due_at <= now()`,
  );
  const rows = overdue.map(({ orderId, parcelId }) => ({
    id: notificationIdOf(orderId, 'parcel_delayed', parcelId),
    order_id: orderId,
    kind: 'parcel_delayed',
    parcel_id: parcelId,
    state: 'doubt',
    evidence: { cause: 'it may have been sent after the backup that was restored' },
  }));
  const columns = {
    id: 'text',
    order_id: 'text',
    kind: 'text',
    parcel_id: 'text',
    state: 'text',
    evidence: 'json',
  };
  await insertRows(sql, 'notifications', columns, rows, 'on conflict do nothing');
  return rows.length;
}

/**
 * Declares that this database was restored from a backup onto an empty NATS. From then on purchases, payments and mails
 * of the orders of before are looked for, or asked about, before they are made: see `seekPurchase` and `lostMails`.
 * Halted partitions stay so: `republish` lets them read on.
 * @param backupOf ISO instant; absent: the last moment that the database knows.
 * @throws AppError `stream_mismatch` when a service runs or NATS is not empty; `message_invalid` when the database knows
 * of later things than the backup.
 */
export async function declareRestored(
  store: Store,
  bus: Bus,
  backupOf?: string,
): Promise<{ readonly backupOf: string; readonly lookedAtAgain: number; readonly doubtfulDelays: number }> {
  const last = await lastKnown(store, bus);
  const moment = backupOf ?? last;
  if (Date.parse(moment) < Date.parse(last) - 60_000) {
    const message = `the database knows of things at ${last}, after ${moment}: it is no backup of then`;
    throw new AppError('message_invalid', message, { retryable: false });
  }
  return store.transaction(async (sql) => {
    await sql.run('insert into restorations (backup_of) values ($1::timestamptz)', [moment]);
    // What the first look finds is told anew, even when it is what was known: the next one tells what is new.
    const lookedAtAgain = await sql.run(
      'update supplier_orders set observation = null, next_check_at = now() where next_check_at is not null',
    );
    await sql.run('delete from shop_leases');
    // What was shown after the backup is known to the shop alone: it is read before more is told there.
    await sql.run(
      'update parcels set is_sole_fulfillment = false where is_sole_fulfillment and shown_state is null',
    );
    return { backupOf: moment, lookedAtAgain, doubtfulDelays: await doubtDelays(sql) };
  });
}
