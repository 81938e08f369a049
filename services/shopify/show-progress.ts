import { trackingKeyOf } from '../../contracts/ids.ts';
import type { ParcelStateName, SupplierName } from '../../contracts/vocabulary.ts';
import { gatheringFor } from '../gathering.ts';
import { moment } from '../moments.ts';
import { updateRows } from '../store/rows.ts';
import { addCheckpoint } from './add-checkpoint.ts';
import type { AdminClient } from './admin-client.ts';
import { toTrackingInfo, withOthers } from './carriers.ts';
import { isToldUndone, withholdUndone } from './fulfillment-outcomes.ts';
import { markOrder } from './mark-order.ts';
import { LOCKED_MS, SETTLE_MS, underLease } from './order-lease.ts';
import { isOver, lineIdOf, orderGidOf } from './plan-fulfillments.ts';
import { type Ask, asking, readWork } from './read-work.ts';
import { carriesNumberOf, readUnits, showsOneOf } from './ship-parcel.ts';
import {
  NUMBERS_LIMIT,
  SHIPMENTS,
  type Shipment,
  ShipmentsAnswer,
  UPDATE_TRACKING,
  UpdateTrackingAnswer,
} from './shipment-operations.ts';
import { ShopError } from './shop-error.ts';
import { shopMailsParcels } from './shop-mails.ts';
import type { ShopPorts } from './shop-ports.ts';
import { assertTaken } from './user-errors.ts';

const LIMIT = 20;

export interface ShownParcel {
  readonly parcelId: string;
  readonly orderId: string;
  readonly shopOrderId: string;
  readonly trackingNumber: string;
  /** Those that it replaced. */
  readonly earlierNumbers: readonly string[];
  readonly lastMileTrackingNumber: string | null;
  /** That the shop was told last. */
  readonly shownLastMile: string | null;
  readonly carrier: string | null;
  readonly trackingUrl: string | null;
  readonly units: Readonly<Record<string, number>>;
  readonly state: ParcelStateName;
  /** When that state was seen. */
  readonly seenAt: string;
  readonly isNew: boolean;
  /** The fulfilment of which our own creation tells all there is to know; null where the shop must be read. */
  readonly knownFulfillmentId: string | null;
  /** The one by which it was shown first. */
  readonly fulfillmentId: string | null;
  readonly supplierOrderId: string | null;
  readonly supplier: SupplierName | null;
  readonly supplierReference: string | null;
}

/**
 * Parcels of which the shop shows less than is known. Claimed for the retry time, so that copies share them and a
 * failure is no storm.
 */
const claimParcels = ({ store, settings }: ShopPorts): Promise<ShownParcel[]> =>
  store.query<ShownParcel>(
    `with due as (
       select id, showing from parcels
        where fulfillment_state = 'done' and show_after <= now()
          and (shown_state is distinct from state or shown_last_mile is distinct from last_mile_tracking_number)
        order by show_after limit $1 for update skip locked
     ), claimed as (
       update parcels p set show_after = now() + $2::float8 * interval '1 second', showing = p.state
         from due where p.id = due.id returning p.*, due.showing as tried
     )
     select p.id as "parcelId", p.order_id as "orderId", o.shop_order_id as "shopOrderId",
            p.tracking_number as "trackingNumber", coalesce(p.earlier_numbers, '[]') as "earlierNumbers",
            p.last_mile_tracking_number as "lastMileTrackingNumber", p.shown_last_mile as "shownLastMile", p.carrier, p.tracking_url as "trackingUrl", p.units, p.state,
            to_char(p.entered_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "seenAt",
            p.shown_state is null as "isNew",
            case when p.is_sole_fulfillment and p.shown_state is null and p.tried is null
                  and p.shown_last_mile is not distinct from p.last_mile_tracking_number
                 then p.shop_fulfillment_id end as "knownFulfillmentId",
            p.shop_fulfillment_id as "fulfillmentId", p.supplier_order_id as "supplierOrderId", s.supplier, s.supplier_reference as "supplierReference"
       from claimed p join orders o on o.id = p.order_id left join supplier_orders s on s.id = p.supplier_order_id`,
    [LIMIT, settings.ORDER_MANAGER_RETRY_SECONDS],
  );

/** What else stands in the fulfilment: parcels that somebody put into the same one. */
const othersIn = ({ trackingInfo }: Shipment, parcel: ShownParcel) => {
  const { trackingNumber, earlierNumbers, lastMileTrackingNumber, shownLastMile } = parcel;
  const own = [trackingNumber, ...earlierNumbers, lastMileTrackingNumber, shownLastMile].map((number) =>
    trackingKeyOf(number ?? ''),
  );
  return trackingInfo.flatMap(({ number, url }) =>
    number === null || number.trim() === '' || own.includes(trackingKeyOf(number)) ? [] : [{ number, url }],
  );
};

/** Whether the shop shows the numbers that count now: the last mile's may come later, and another may replace the first. */
const isUpToDate = (parcel: ShownParcel, shipment: Shipment): boolean => {
  const lastMile = parcel.lastMileTrackingNumber ?? '';
  const isLastMileShown = lastMile.trim() === '' || showsOneOf([lastMile])(shipment);
  return isLastMileShown && !showsOneOf(parcel.earlierNumbers)(shipment);
};

/** Whether the fulfilment may be told other numbers: there may be more than were read, and they would be lost. */
const isAllRead = ({ trackingInfo }: Shipment): boolean => trackingInfo.length < NUMBERS_LIMIT;

async function replaceTracking(
  ask: Ask,
  shipment: Shipment,
  parcel: ShownParcel,
  notifyCustomer: boolean,
): Promise<void> {
  const trackingInfo = withOthers(toTrackingInfo(parcel), othersIn(shipment, parcel));
  const variables = { fulfillmentId: shipment.id, trackingInfo, notifyCustomer };
  const answer = await ask(UPDATE_TRACKING, variables, UpdateTrackingAnswer);
  assertTaken('tracking update', answer.fulfillmentTrackingInfoUpdate);
}

const remember = gatheringFor(async ({ store }: ShopPorts, parcels: readonly ShownParcel[]) => {
  await updateRows(
    store,
    'parcels',
    { id: 'text', state: 'text', number: 'text', last_mile: 'text' },
    parcels.map(({ parcelId, state, trackingNumber, lastMileTrackingNumber }) => ({
      id: parcelId,
      state,
      number: trackingNumber,
      last_mile: lastMileTrackingNumber,
    })),
    'shown_state = d.state, shown_last_mile = d.last_mile, showing = null, show_after = now()',
    // Under a number that was replaced meanwhile, or when it is to be looked for meanwhile, it is still to be shown.
    'o.id = d.id and o.tracking_number = d.number and o.showing is not null',
  );
  return parcels.map(() => true);
});

const isRefusal = (error: unknown): error is ShopError =>
  error instanceof ShopError && error.failureClass === 'permanent';

/**
 * A cancelled one of several fulfilments that show a parcel, of which nobody was told, where the shop has units of the
 * parcel left now that none of the others shows.
 */
async function partUndone(
  ports: ShopPorts,
  ask: Ask,
  parcel: ShownParcel & { readonly supplierOrderId: string },
  known: readonly Shipment[],
  standing: readonly Shipment[],
): Promise<Shipment | undefined> {
  for (const shipment of known.filter(({ status }) => status === 'CANCELLED')) {
    if (await isToldUndone(ports, parcel, shipment.id)) continue;
    const orderId = orderGidOf(parcel.shopOrderId);
    const shown = await readUnits(ask, orderId, Object.keys(parcel.units), standing);
    const isMissing = (lineId: string): boolean => (shown.get(lineId) ?? 0) < (parcel.units[lineId] ?? 0);
    if (!Object.keys(parcel.units).some(isMissing)) return undefined;
    const work = (await readWork(ask, orderId)).filter((one) => !isOver(one));
    const isLeft = work
      .flatMap(({ lines }) => lines)
      .some(({ lineItem, remainingQuantity }) => remainingQuantity > 0 && isMissing(lineIdOf(lineItem)));
    return isLeft ? shipment : undefined;
  }
  return undefined;
}

/** By what the shop shows of it. @returns false where nothing is to be shown: a person was told that it was cancelled. */
async function showByReading(ports: ShopPorts, ask: Ask, parcel: ShownParcel): Promise<boolean> {
  const { settings, log } = ports;
  const orderId = orderGidOf(parcel.shopOrderId);
  const { order } = await ask(SHIPMENTS, { orderId }, ShipmentsAnswer);
  const { supplierOrderId, fulfillmentId } = parcel;
  const hasNumber = carriesNumberOf(parcel);
  // Somebody may have put another number into the one that we made.
  const known = (order?.fulfillments ?? []).filter(
    (shipment) => shipment.id === fulfillmentId || hasNumber(shipment),
  );
  const ours = known.filter(({ status }) => status !== 'CANCELLED');
  // Of an order that is cancelled as a whole its own hold says enough.
  const mayBeTold = parcel.state !== 'delivered' && order?.cancelledAt === null;
  if (mayBeTold && supplierOrderId !== null) {
    const ofPurchase = { ...parcel, supplierOrderId };
    const undone =
      ours.length > 0
        ? await partUndone(ports, ask, ofPurchase, known, ours)
        : known.find(({ id }) => id === fulfillmentId);
    if (undone !== undefined) {
      await withholdUndone(ports, ofPurchase, undone.id);
      return false;
    }
  }
  if (ours.length === 0) log.warn({ parcelId: parcel.parcelId }, 'the shop shows this parcel no more');
  // A number that somebody put in the place of ours stays.
  const isStale = (shipment: Shipment): boolean =>
    hasNumber(shipment) && !isUpToDate(parcel, shipment) && isAllRead(shipment);
  // Of two fulfilments of one parcel the shop mails about one.
  let isMailed = !shopMailsParcels(settings) || ours.some((shipment) => isUpToDate(parcel, shipment));
  for (const shipment of ours) {
    try {
      if (isStale(shipment)) {
        await replaceTracking(ask, shipment, parcel, !isMailed);
        isMailed = true;
      }
    } catch (error) {
      // The state is another thing, and the number is tried again with the next one.
      if (!isRefusal(error)) throw error;
      log.warn({ parcelId: parcel.parcelId, evidence: error.evidence }, 'the shop refuses a new number');
    }
    await addCheckpoint(ask, orderId, shipment.id, parcel, false);
  }
  return true;
}

/** By what is known of it alone. @returns false where that is not enough, or the shop refuses it: it may be cancelled. */
async function showUnread(ask: Ask, parcel: ShownParcel): Promise<boolean> {
  const { knownFulfillmentId } = parcel;
  if (knownFulfillmentId === null) return false;
  try {
    await addCheckpoint(ask, orderGidOf(parcel.shopOrderId), knownFulfillmentId, parcel, true);
    return true;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return false;
  }
}

async function showParcel(ports: ShopPorts, ask: Ask, parcel: ShownParcel): Promise<void> {
  const isShown = (await showUnread(ask, parcel)) || (await showByReading(ports, ask, parcel));
  if (!isShown) return;
  if (parcel.isNew) await markOrder(ask, ports.settings, orderGidOf(parcel.shopOrderId), parcel);
  moment('progress: after call before record');
  await remember(ports, parcel);
}

const tryAgainIn = ({ store }: ShopPorts, parcelId: string, ms: number): Promise<number> =>
  store.run(`update parcels set show_after = now() + $2::float8 * interval '1 millisecond' where id = $1`, [
    parcelId,
    ms,
  ]);

/**
 * Tells the shop how far its parcels are: the checkpoint of each state, the last mile's number, what the settings want
 * on the order. Whatever ends in doubt is read again before it is written again. One round.
 */
export async function showProgress(ports: ShopPorts): Promise<'more' | 'idle'> {
  const { admin } = ports;
  if (admin === undefined) return 'idle';
  const parcels = await claimParcels(ports);
  // Parcels of one order would wait for each other's lease.
  const byOrder = Map.groupBy(parcels, ({ orderId }) => orderId);
  await Promise.all(
    [...byOrder.values()].map(async (ofOrder) => {
      for (const parcel of ofOrder) await tryToShow(ports, admin, parcel);
    }),
  );
  return parcels.length === LIMIT ? 'more' : 'idle';
}

async function tryToShow(ports: ShopPorts, admin: AdminClient, parcel: ShownParcel): Promise<void> {
  const { log } = ports;
  const { parcelId } = parcel;
  try {
    const shown = await underLease(ports, parcel.orderId, async (signal) => {
      await showParcel(ports, asking(admin, 'write', signal), parcel);
      return true;
    });
    if (shown === undefined) await tryAgainIn(ports, parcelId, LOCKED_MS);
  } catch (error) {
    if (!(error instanceof ShopError)) throw error;
    const { failureClass, evidence } = error;
    if (failureClass === 'unknown_outcome') await tryAgainIn(ports, parcelId, SETTLE_MS);
    // A refusal of this very thing: it would be refused for ever, and the next state is another thing. Not one by HTTP,
    // which answers no question.
    if (failureClass === 'permanent' && !('status' in evidence)) await remember(ports, parcel);
    log.warn({ parcelId, failureClass, evidence }, 'the way of a parcel could not be shown');
  }
}
