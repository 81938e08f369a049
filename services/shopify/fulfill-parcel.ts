import type { FulfillParcel } from '../../contracts/commands/fulfill-parcel.ts';
import {
  FULFILLMENT_SYNCED,
  FULFILLMENT_WITHHELD,
  type FulfillmentSynced,
  type FulfillmentWithheld,
} from '../../contracts/events/fulfillment-outcome.ts';
import type { Evidence, HoldReason } from '../../contracts/vocabulary.ts';
import type { CommandResult } from '../bus/command-consumer.ts';
import { commitAndPublish, eventRow } from '../bus/commit-and-publish.ts';
import { moment } from '../moments.ts';
import { DONE, later } from '../serve-commands.ts';
import { liftOwnHolds } from './mirror-holds.ts';
import { LOCKED_MS, SETTLE_MS, underLease } from './order-lease.ts';
import { asking } from './read-work.ts';
import { type ShipResult, shipParcel } from './ship-parcel.ts';
import { ShopError } from './shop-error.ts';
import { shopMailsParcels } from './shop-mails.ts';
import type { ShopPorts } from './shop-ports.ts';
import { HOLD_OF_REFUSAL } from './verify-order.ts';

interface ParcelRow {
  readonly shopOrderId: string;
  readonly trackingNumber: string;
  readonly lastMileTrackingNumber: string | null;
  readonly carrier: string | null;
  readonly trackingUrl: string | null;
  readonly units: Record<string, number>;
  readonly state: 'sending' | 'unknown' | 'done' | 'withheld' | null;
  readonly doubt: Record<string, number> | null;
  readonly settled: boolean;
}

async function readParcel({ store }: ShopPorts, parcelId: string): Promise<ParcelRow | undefined> {
  const [row] = await store.query<ParcelRow>(
    `select o.shop_order_id as "shopOrderId", p.tracking_number as "trackingNumber",
            p.last_mile_tracking_number as "lastMileTrackingNumber", p.carrier, p.tracking_url as "trackingUrl", p.units,
            p.fulfillment_state as state, p.fulfillment_doubt as doubt,
            p.updated_at < now() - $2::float8 * interval '1 millisecond' as settled
       from parcels p join orders o on o.id = p.order_id where p.id = $1`,
    [parcelId, SETTLE_MS],
  );
  return row;
}

const isInDoubt = ({ state, settled }: ParcelRow): boolean =>
  (state === 'sending' || state === 'unknown') && !settled;

/**
 * Shows one parcel in the shop. One process per order at a time; a write that ended without an answer is settled by
 * reading, never by writing again blindly.
 */
export async function fulfillParcel(
  ports: ShopPorts,
  command: FulfillParcel,
  commandId: string,
): Promise<CommandResult> {
  const stateNow = await readParcel(ports, command.parcelId);
  if (stateNow === undefined || stateNow.state === 'done') return DONE;
  if (ports.admin === undefined) {
    return withhold(ports, command, commandId, 'credentials_expired', {
      cause: 'no login for the shop is set',
    });
  }
  if (isInDoubt(stateNow)) return later(SETTLE_MS);

  const result = await underLease(ports, command.orderId, () => show(ports, command, commandId));
  return result ?? later(LOCKED_MS);
}

/** Under the order's lease. */
async function show(ports: ShopPorts, command: FulfillParcel, commandId: string): Promise<CommandResult> {
  const { store, settings, admin } = ports;
  // Only what is read under the lease counts: its last holder may have written since.
  const parcel = await readParcel(ports, command.parcelId);
  if (admin === undefined || parcel === undefined || parcel.state === 'done') return DONE;
  if (isInDoubt(parcel)) return later(SETTLE_MS);
  await store.run("update parcels set fulfillment_state = 'sending', updated_at = now() where id = $1", [
    command.parcelId,
  ]);
  const signal = AbortSignal.timeout(settings.ORDER_MANAGER_CALL_TIMEOUT_SECONDS * 3_000);
  const orderGid = `gid://shopify/Order/${parcel.shopOrderId}`;
  try {
    await liftOwnHolds(ports, asking(admin, 'write', signal), command.orderId, orderGid);
    moment('fulfil: before call');
    const result = await shipParcel(admin, {
      orderGid,
      parcel: {
        trackingNumber: parcel.trackingNumber,
        lastMileTrackingNumber: parcel.lastMileTrackingNumber,
        carrier: parcel.carrier,
        trackingUrl: parcel.trackingUrl,
        lines: Object.entries(parcel.units).map(([lineItemId, units]) => ({ lineItemId, units })),
      },
      notifyCustomer: shopMailsParcels(settings),
      doubt: parcel.doubt ?? undefined,
      signal,
    });
    moment('fulfil: after call before record');
    return await settle(ports, command, commandId, result, parcel);
  } catch (error) {
    if (!(error instanceof ShopError)) throw error;
    // Everything that may have fulfilled comes back as a result; this was refused before or while reading.
    await store.run('update parcels set fulfillment_state = null, updated_at = now() where id = $1', [
      command.parcelId,
    ]);
    ports.log.warn(
      { parcelId: command.parcelId, failureClass: error.failureClass },
      'the shop could not be read',
    );
    const reason = HOLD_OF_REFUSAL[error.failureClass];
    if (reason === undefined) return DONE;
    return withhold(ports, command, commandId, reason, {
      failureClass: error.failureClass,
      ...error.evidence,
    });
  }
}

async function settle(
  ports: ShopPorts,
  command: FulfillParcel,
  commandId: string,
  result: ShipResult,
  parcel: ParcelRow,
): Promise<CommandResult> {
  const { store, bus, log } = ports;
  const { orderId, supplierOrderId, parcelId } = command;
  switch (result.how) {
    case 'created':
    case 'adopted': {
      const data: FulfillmentSynced = {
        orderId,
        supplierOrderId,
        parcelId,
        shopFulfillmentId: result.fulfillmentId,
        how: result.how,
      };
      if (result.missingUnits > 0)
        log.warn({ parcelId, missingUnits: result.missingUnits }, 'the shop shows less than was shipped');
      await commitAndPublish(
        store,
        bus,
        async (sql, say) => {
          await sql.run(
            `update parcels set fulfillment_state = 'done', fulfillment_doubt = null, shop_fulfillment_id = $2,
                  shown_last_mile = $3, updated_at = now() where id = $1`,
            // What was adopted may show the first number alone.
            [parcelId, result.fulfillmentId, result.how === 'created' ? parcel.lastMileTrackingNumber : null],
          );
          say(
            eventRow({
              messageId: `${parcelId}:synced`,
              source: '/shopify',
              type: FULFILLMENT_SYNCED,
              orderId,
              data,
            }),
          );
        },
        'fulfil: after record before publish',
      );
      return DONE;
    }
    case 'withheld':
      return withhold(ports, command, commandId, result.reason, result.evidence);
    case 'not_yet':
      await store.run('update parcels set fulfillment_state = null, updated_at = now() where id = $1', [
        parcelId,
      ]);
      log.warn({ parcelId }, 'the shop shows no fulfilment order: not routed yet, or a scope is missing');
      return DONE;
    case 'unknown':
      log.warn({ parcelId, evidence: result.evidence }, 'a fulfilment is in doubt, it will be read again');
      await store.run(
        `update parcels set fulfillment_state = 'unknown', fulfillment_doubt = $2::json, updated_at = now() where id = $1`,
        [parcelId, JSON.stringify(result.remainingUnits)],
      );
      return later(SETTLE_MS);
  }
}

async function withhold(
  { store, bus }: ShopPorts,
  { orderId, supplierOrderId, parcelId }: FulfillParcel,
  commandId: string,
  reason: HoldReason,
  evidence: Evidence,
): Promise<CommandResult> {
  const data: FulfillmentWithheld = { orderId, supplierOrderId, parcelId, reason, evidence };
  await commitAndPublish(store, bus, async (sql, say) => {
    await sql.run(
      "update parcels set fulfillment_state = 'withheld', fulfillment_doubt = null, updated_at = now() where id = $1",
      [parcelId],
    );
    say(
      eventRow({
        messageId: `${parcelId}:withheld:${commandId}`,
        source: '/shopify',
        type: FULFILLMENT_WITHHELD,
        orderId,
        data,
      }),
    );
  });
  return DONE;
}
