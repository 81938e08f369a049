import { FULFILL_PARCEL, type FulfillParcel } from '../contracts/commands/fulfill-parcel.ts';
import type { ObservedParcel, SupplierOrderObserved } from '../contracts/events/supplier-order-observed.ts';
import type { FactType } from '../contracts/facts.ts';
import { parcelIdOf } from '../contracts/ids.ts';
import type { ParcelStateName } from '../contracts/vocabulary.ts';
import type { Effect } from './effect.ts';

export interface ParcelUnits {
  readonly state: ParcelStateName;
  readonly trackingNumber: string;
  readonly lastMileTrackingNumber: string | null;
  readonly units: Readonly<Record<string, number>>;
  /** The shop shows it. */
  readonly isFulfilled: boolean;
}

export type Parcels = Readonly<Record<string, ParcelUnits>>;

/** Of the states that a parcel walks; a late answer never moves it back. Troubles have no rank: they come and go. */
const RANK: Partial<Record<ParcelStateName, number>> = {
  announced: 0,
  first_scan: 1,
  in_transit: 2,
  out_for_delivery: 3,
  available_for_pickup: 3,
  delivered: 4,
};

const FACT_OF: Partial<Record<ParcelStateName, FactType>> = {
  announced: 'parcel.announced',
  first_scan: 'parcel.first_scan',
  in_transit: 'parcel.in_transit',
  delivered: 'parcel.delivered',
  delayed: 'parcel.delayed',
  exception: 'parcel.exception',
};

/** Whether the parcel has left the supplier: a tracking number alone can exist days before. */
export const hasLeft = ({ state }: Pick<ParcelUnits, 'state'>): boolean => state !== 'announced';

function nextState(before: ParcelStateName, observed: ParcelStateName): ParcelStateName {
  const [from, to] = [RANK[before], RANK[observed]];
  if (before === 'delivered') return before;
  if (from !== undefined && to !== undefined && to < from) return before;
  return observed;
}

/** What is in the parcel: what the supplier says, else every unit that is in no other parcel. */
function unitsOf(
  observed: ObservedParcel,
  ordered: Readonly<Record<string, number>>,
  others: readonly ParcelUnits[],
): Readonly<Record<string, number>> {
  if (observed.units !== undefined) return observed.units;
  const left = Object.entries(ordered).map(([lineId, count]): [string, number] => [
    lineId,
    count - others.reduce((sum, { units }) => sum + (units[lineId] ?? 0), 0),
  ]);
  return Object.fromEntries(left.filter(([, count]) => count > 0));
}

interface Owner {
  readonly orderId: string;
  readonly supplierOrderId: string;
  readonly units: Readonly<Record<string, number>>;
  readonly parcels: Parcels;
}

export const fulfillCommand = (owner: Owner, parcelId: string): Effect[] => {
  const data: FulfillParcel = { orderId: owner.orderId, supplierOrderId: owner.supplierOrderId, parcelId };
  return [
    { kind: 'command', service: 'shopify', verb: FULFILL_PARCEL, id: parcelId, data },
    {
      kind: 'set_timer',
      timer: { deadline: 'fulfill', supplierOrderId: owner.supplierOrderId, parcelId },
    },
  ];
};

/** Takes what was seen of the parcels; asks for the shop's fulfilment and the customer's mails, each once. */
export function observeParcels(
  owner: Owner,
  observation: SupplierOrderObserved,
): { parcels: Parcels; effects: Effect[] } {
  const parcels: Record<string, ParcelUnits> = { ...owner.parcels };
  const effects: Effect[] = [];
  const isShipped = observation.status === 'shipped' || observation.status === 'delivered';
  for (const observed of observation.parcels) {
    const parcelId = parcelIdOf(owner.supplierOrderId, observed.trackingNumber);
    const before = parcels[parcelId];
    const others = Object.entries(parcels).flatMap(([id, parcel]) => (id === parcelId ? [] : [parcel]));
    const units = before?.units ?? unitsOf(observed, owner.units, others);
    if (Object.keys(units).length === 0) continue;
    const seen: ParcelStateName = isShipped && observed.state === 'announced' ? 'first_scan' : observed.state;
    const state = before === undefined ? seen : nextState(before.state, seen);
    const isSame =
      before?.state === state && before.lastMileTrackingNumber === observed.lastMileTrackingNumber;
    if (isSame) continue;
    const { trackingNumber, lastMileTrackingNumber, carrier, trackingUrl } = observed;
    const parcel = {
      state,
      trackingNumber,
      lastMileTrackingNumber,
      units,
      isFulfilled: before?.isFulfilled ?? false,
    };
    parcels[parcelId] = parcel;
    effects.push({
      kind: 'save_parcel',
      parcel: {
        parcelId,
        supplierOrderId: owner.supplierOrderId,
        state,
        trackingNumber,
        lastMileTrackingNumber,
        carrier,
        trackingUrl,
        units,
      },
    });
    if (before?.state === state) continue;
    const told = FACT_OF[state];
    const { supplierOrderId } = owner;
    if (told !== undefined)
      effects.push({ kind: 'fact', type: told, data: { supplierOrderId, parcelId, state } });
    if (hasLeft(parcel) && (before === undefined || !hasLeft(before))) {
      effects.push(
        { kind: 'notify', notification: 'parcel_shipped', parcelId },
        ...fulfillCommand(owner, parcelId),
      );
    }
    if (state === 'in_transit') effects.push({ kind: 'notify', notification: 'parcel_in_transit', parcelId });
    if (state === 'delivered') effects.push({ kind: 'notify', notification: 'parcel_delivered', parcelId });
  }
  return { parcels, effects };
}

const covers = (ordered: Readonly<Record<string, number>>, parcels: readonly ParcelUnits[]): boolean =>
  Object.entries(ordered).every(
    ([lineId, count]) => parcels.reduce((sum, { units }) => sum + (units[lineId] ?? 0), 0) >= count,
  );

/** How far the parcels together have come: every unit delivered, every unit gone, some gone, none. */
export function parcelProgress(
  ordered: Readonly<Record<string, number>>,
  parcels: Parcels,
): 'delivered' | 'shipped' | 'partially_shipped' | 'none' {
  const all = Object.values(parcels);
  const gone = all.filter(hasLeft);
  if (
    covers(
      ordered,
      all.filter(({ state }) => state === 'delivered'),
    )
  )
    return 'delivered';
  if (covers(ordered, gone)) return 'shipped';
  return gone.length > 0 ? 'partially_shipped' : 'none';
}
