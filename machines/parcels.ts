import { FULFILL_PARCEL, type FulfillParcel } from '../contracts/commands/fulfill-parcel.ts';
import type { ObservedParcel, SupplierOrderObserved } from '../contracts/events/supplier-order-observed.ts';
import type { FactType } from '../contracts/facts.ts';
import { parcelIdOf } from '../contracts/ids.ts';
import type { ParcelStateName } from '../contracts/vocabulary.ts';
import type { Effect } from './effect.ts';

export interface ParcelUnits {
  readonly state: ParcelStateName;
  /** How far it has come; troubles on the way do not change it. */
  readonly furthest: Step;
  readonly trackingNumber: string;
  readonly lastMileTrackingNumber: string | null;
  readonly units: Readonly<Record<string, number>>;
  /** The shop shows it. */
  readonly isFulfilled: boolean;
}

export type Parcels = Readonly<Record<string, ParcelUnits>>;

const STEPS = ['announced', 'first_scan', 'in_transit', 'out_for_delivery', 'delivered'] as const;
export type Step = (typeof STEPS)[number];

/** What each state says about the way; null: nothing, the trouble can come anywhere. */
const STEP_OF: Record<ParcelStateName, Step | null> = {
  announced: 'announced',
  first_scan: 'first_scan',
  in_transit: 'in_transit',
  out_for_delivery: 'out_for_delivery',
  available_for_pickup: 'out_for_delivery',
  attempt_failed: 'out_for_delivery',
  returned: 'in_transit',
  delivered: 'delivered',
  exception: null,
  delayed: null,
  lost: null,
};

const isBefore = (a: Step, b: Step): boolean => STEPS.indexOf(a) < STEPS.indexOf(b);

const FACT_OF: Partial<Record<ParcelStateName, FactType>> = {
  announced: 'parcel.announced',
  first_scan: 'parcel.first_scan',
  in_transit: 'parcel.in_transit',
  delivered: 'parcel.delivered',
  delayed: 'parcel.delayed',
  exception: 'parcel.exception',
};

/** Whether the parcel has left the supplier: a tracking number alone can exist days before. */
export const hasLeft = ({ furthest }: Pick<ParcelUnits, 'furthest'>): boolean => furthest !== 'announced';

/** A late answer never moves a parcel back, and what was delivered stays so. */
function nextState(
  before: Pick<ParcelUnits, 'state' | 'furthest'> | undefined,
  seen: ParcelStateName,
  isShipped: boolean,
): Pick<ParcelUnits, 'state' | 'furthest'> {
  const floor: Step = isShipped ? 'first_scan' : 'announced';
  const from = before?.furthest ?? floor;
  const step = STEP_OF[seen];
  if (before?.state === 'delivered') return before;
  if (step === null) return { state: seen, furthest: isBefore(from, floor) ? floor : from };
  const to = isBefore(step, floor) ? floor : step;
  // It turns round wherever it is.
  if (seen === 'returned') return { state: seen, furthest: isBefore(to, from) ? from : to };
  if (before !== undefined && isBefore(to, from)) return before;
  return { state: to === step ? seen : floor, furthest: to };
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
    const { state, furthest } = nextState(before, observed.state, isShipped);
    const { trackingNumber, carrier, trackingUrl } = observed;
    // A look that does not see the last-mile number is no news.
    const lastMileTrackingNumber = observed.lastMileTrackingNumber ?? before?.lastMileTrackingNumber ?? null;
    const isSame =
      before?.state === state &&
      before.furthest === furthest &&
      before.lastMileTrackingNumber === lastMileTrackingNumber;
    if (isSame) continue;
    const isFulfilled = before?.isFulfilled ?? false;
    const parcel = { state, furthest, trackingNumber, lastMileTrackingNumber, units, isFulfilled };
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
    const told = before?.state === state ? undefined : FACT_OF[state];
    const { supplierOrderId } = owner;
    if (told !== undefined)
      effects.push({ kind: 'fact', type: told, data: { supplierOrderId, parcelId, state } });
    if (hasLeft(parcel) && (before === undefined || !hasLeft(before))) {
      effects.push(
        { kind: 'notify', notification: 'parcel_shipped', parcelId },
        ...fulfillCommand(owner, parcelId),
      );
    }
    if (before?.furthest === furthest) continue;
    if (state === 'in_transit') effects.push({ kind: 'notify', notification: 'parcel_in_transit', parcelId });
    if (state === 'delivered') effects.push({ kind: 'notify', notification: 'parcel_delivered', parcelId });
  }
  return { parcels, effects };
}

/** What of an order has left in these parcels, and what has not. */
export function splitByLeft(
  ordered: Readonly<Record<string, number>>,
  parcels: Parcels,
): { left: Record<string, number>; rest: Record<string, number> } {
  const left: Record<string, number> = {};
  const rest: Record<string, number> = {};
  const gone = Object.values(parcels).filter(hasLeft);
  for (const [lineId, count] of Object.entries(ordered)) {
    const sent = gone.reduce((sum, { units }) => sum + (units[lineId] ?? 0), 0);
    if (sent > 0) left[lineId] = Math.min(count, sent);
    if (sent < count) rest[lineId] = count - sent;
  }
  return { left, rest };
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
