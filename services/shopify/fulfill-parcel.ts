import type { FulfillParcel } from '../../contracts/commands/fulfill-parcel.ts';
import type { FulfillmentSynced } from '../../contracts/events/fulfillment-outcome.ts';
import { trackingKeyOf } from '../../contracts/ids.ts';
import type { CommandResult } from '../bus/command-consumer.ts';
import { gatheringFor } from '../gathering.ts';
import { moment } from '../moments.ts';
import { DONE, later } from '../serve-commands.ts';
import { type Outcome, record, synced, withhold } from './fulfillment-outcomes.ts';
import { liftOwnHolds } from './mirror-holds.ts';
import { LOCKED_MS, SETTLE_MS, underLease } from './order-lease.ts';
import { orderGidOf, toUnitsByLine, type UnitsByLine } from './plan-fulfillments.ts';
import { asking } from './read-work.ts';
import { type ShipResult, shipParcel } from './ship-parcel.ts';
import { ShopError } from './shop-error.ts';
import { shopMailsParcels } from './shop-mails.ts';
import type { ShopPorts } from './shop-ports.ts';
import { HOLD_OF_REFUSAL, refusedByShop } from './verify-order.ts';

interface ParcelRow {
  readonly id: string;
  readonly shopOrderId: string;
  readonly trackingNumber: string;
  readonly earlierNumbers: readonly string[];
  readonly lastMileTrackingNumber: string | null;
  readonly carrier: string | null;
  readonly trackingUrl: string | null;
  readonly units: Record<string, number>;
  readonly doubt: Record<string, number> | null;
  /** Other parcels of the order that the shop shows. */
  readonly others: readonly { readonly numbers: readonly string[]; readonly units: Record<string, number> }[];
  readonly isDone: boolean;
  /** It stood in the shop once, under whatever number by now. */
  readonly wasShown: boolean;
  readonly isWithheld: boolean;
  /** The shop has cancelled its order, or deleted it. */
  readonly isOff: boolean;
  /** A write may still be at work, or has just ended without an answer. */
  readonly isInDoubt: boolean;
}

const PARCELS = `
  select p.id, p.order_id, o.shop_order_id as "shopOrderId", p.tracking_number as "trackingNumber",
         coalesce(p.earlier_numbers, '[]') as "earlierNumbers", p.last_mile_tracking_number as "lastMileTrackingNumber",
         p.carrier, p.tracking_url as "trackingUrl", p.units,
         p.fulfillment_doubt as doubt, coalesce(p.fulfillment_state = 'done', false) as "isDone",
         p.shop_fulfillment_id is not null as "wasShown", coalesce(p.fulfillment_state = 'withheld', false) as "isWithheld",
         coalesce((o.context ->> 'cancelledInShop')::boolean, false) as "isOff",
         coalesce(p.fulfillment_state in ('sending', 'unknown'), false)
           and p.updated_at >= now() - ${SETTLE_MS} * interval '1 millisecond' as "isInDoubt",
         coalesce((
           select json_agg(json_build_object('units', q.units, 'numbers',
                    coalesce(q.earlier_numbers, '[]')::jsonb
                      || jsonb_build_array(q.tracking_number, coalesce(q.last_mile_tracking_number, ''))))
             from parcels q
            where q.order_id = p.order_id and q.id <> p.id and q.fulfillment_state = 'done'
              and q.shop_fulfillment_id is not null), '[]') as others
    from parcels p join orders o on o.id = p.order_id where p.id = any($1::text[])`;

const inPlaceOf = <Row extends { readonly id: string }>(rows: readonly Row[], ids: readonly string[]) => {
  const known = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => known.get(id));
};

const read = gatheringFor(async ({ store }: ShopPorts, ids: readonly string[]) =>
  inPlaceOf(await store.query<ParcelRow>(PARCELS, [ids]), ids),
);

/** Reads parcels as they were and notes that they are being sent, but for those that are done or in doubt. */
const begin = gatheringFor(async ({ store }: ShopPorts, ids: readonly string[]) =>
  inPlaceOf(
    await store.query<ParcelRow & { readonly isHeldByUs: boolean }>(
      `with asked as (${PARCELS} order by p.id for update of p), begun as (
         update parcels p set fulfillment_state = 'sending', updated_at = now()
           from asked where p.id = asked.id and not asked."isDone" and not asked."isInDoubt"
       )
       select asked.*, exists (select 1 from shop_holds h where h.order_id = asked.order_id and h.placed) as "isHeldByUs"
         from asked`,
      [ids],
    ),
    ids,
  ),
);

/** What the shop shows of other parcels that travel under one of this one's numbers, of other purchases. */
const shownOfOthers = ({ others, ...parcel }: ParcelRow): UnitsByLine => {
  const { trackingNumber, earlierNumbers, lastMileTrackingNumber } = parcel;
  const own = [trackingNumber, ...earlierNumbers, lastMileTrackingNumber ?? ''].map(trackingKeyOf);
  const isOwn = (number: string): boolean => number !== '' && own.includes(trackingKeyOf(number));
  return toUnitsByLine(
    others.filter(({ numbers }) => numbers.some(isOwn)).flatMap(({ units }) => Object.entries(units)),
  );
};

/**
 * Shows one parcel in the shop. One process per order at a time; a write that ended without an answer is settled by
 * reading, never by writing again blindly.
 */
export async function fulfillParcel(
  ports: ShopPorts,
  command: FulfillParcel,
  commandId: string,
): Promise<CommandResult> {
  const now = await read(ports, command.parcelId);
  if (now === undefined || now.isDone) return DONE;
  if (ports.admin === undefined) {
    return withhold(ports, command, commandId, 'credentials_expired', {
      refusedBy: 'shop',
      cause: 'no login for the shop is set',
    });
  }
  if (now.isInDoubt) return later(SETTLE_MS);

  const result = await underLease(ports, command.orderId, (signal) =>
    show(ports, command, commandId, signal),
  );
  return result ?? later(LOCKED_MS);
}

/** A parcel that nobody could try to show: open for the next command, or withheld still. */
const untried = ({ id, isWithheld }: ParcelRow): Outcome => ({ id, state: isWithheld ? 'withheld' : null });

/** Under the order's lease. */
async function show(
  ports: ShopPorts,
  command: FulfillParcel,
  commandId: string,
  signal: AbortSignal,
): Promise<CommandResult> {
  const { settings, admin } = ports;
  // Only what is read under the lease counts: its last holder may have written since.
  const parcel = await begin(ports, command.parcelId);
  if (admin === undefined || parcel === undefined || parcel.isDone) return DONE;
  if (parcel.isInDoubt) return later(SETTLE_MS);
  const orderGid = orderGidOf(parcel.shopOrderId);
  try {
    const liftOurs = (): Promise<void> =>
      liftOwnHolds(ports, asking(admin, 'write', signal), command.orderId, orderGid);
    if (parcel.isHeldByUs) await liftOurs();
    moment('fulfil: before call');
    const ship = (): Promise<ShipResult> =>
      shipParcel(admin, {
        orderGid,
        parcel: {
          trackingNumber: parcel.trackingNumber,
          earlierNumbers: parcel.earlierNumbers,
          lastMileTrackingNumber: parcel.lastMileTrackingNumber,
          carrier: parcel.carrier,
          trackingUrl: parcel.trackingUrl,
          lines: Object.entries(parcel.units).map(([lineItemId, units]) => ({ lineItemId, units })),
        },
        notifyCustomer: shopMailsParcels(settings) && !parcel.wasShown,
        doubt: parcel.doubt ?? undefined,
        ofOthers: shownOfOthers(parcel),
        signal,
      });
    let result = await ship();
    if (result.how === 'withheld' && result.isHeldByUs) {
      // One that we know nothing of any more, as after a restored backup: nobody else would lift it.
      await liftOurs();
      result = await ship();
    }
    moment('fulfil: after call before record');
    return await settle(ports, command, commandId, result, parcel);
  } catch (error) {
    if (!(error instanceof ShopError)) throw error;
    // Everything that may have fulfilled comes back as a result; this was refused before or while reading.
    await record(ports, untried(parcel));
    ports.log.warn(
      { parcelId: command.parcelId, failureClass: error.failureClass },
      'the shop could not be read',
    );
    const reason = HOLD_OF_REFUSAL[error.failureClass];
    if (reason === undefined) return DONE;
    return withhold(ports, command, commandId, reason, refusedByShop(error));
  }
}

/** A person was told that the shop has nothing left of this parcel to fulfil, or not even its order, and released it. */
async function isLetBe(
  { store }: ShopPorts,
  { supplierOrderId }: FulfillParcel,
  { trackingNumber }: ParcelRow,
): Promise<boolean> {
  const [hold] = await store.query(
    `select 1 from holds where supplier_order_id = $1 and reason = 'fulfillment_not_ours' and released_at is not null
        and (evidence ->> 'remainingUnits' = '0' or evidence ->> 'order' is not null) and evidence ->> 'trackingNumber' = $2`,
    [supplierOrderId, trackingNumber],
  );
  return hold !== undefined;
}

async function settle(
  ports: ShopPorts,
  command: FulfillParcel,
  commandId: string,
  result: ShipResult,
  parcel: ParcelRow,
): Promise<CommandResult> {
  const { log } = ports;
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
        ...(result.missingUnits > 0 ? { missingUnits: result.missingUnits } : {}),
      };
      if (result.missingUnits > 0)
        log.warn({ parcelId, missingUnits: result.missingUnits }, 'the shop shows less than was shipped');
      await record(ports, {
        id: parcelId,
        state: 'done',
        fulfillment_id: result.fulfillmentId,
        is_sole: result.isSole,
        number: parcel.trackingNumber,
        // What was adopted may show the first number alone.
        last_mile: result.how === 'created' ? parcel.lastMileTrackingNumber : null,
        units: parcel.units,
        event: synced(data),
      });
      return DONE;
    }
    case 'withheld':
      if (
        (result.isNothingLeft || (result.isInvisible && parcel.isOff)) &&
        parcel.isWithheld &&
        (await isLetBe(ports, command, parcel))
      ) {
        const data: FulfillmentSynced = {
          orderId,
          supplierOrderId,
          parcelId,
          shopFulfillmentId: null,
          how: 'let_be',
        };
        await record(ports, { id: parcelId, state: 'done', event: synced(data) });
        return DONE;
      }
      return withhold(ports, command, commandId, result.reason, result.evidence);
    case 'not_yet':
      await record(ports, untried(parcel));
      log.warn({ parcelId }, 'the shop shows no fulfilment order: not routed yet, or a scope is missing');
      return DONE;
    case 'unknown':
      log.warn({ parcelId, evidence: result.evidence }, 'a fulfilment is in doubt, it will be read again');
      await record(ports, { id: parcelId, state: 'unknown', doubt: result.seenUnits });
      return later(SETTLE_MS);
  }
}
