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
  /** A carrier has had it in its hands; a supplier that says "shipped" is no carrier. */
  readonly isScanned?: boolean;
  /** The state in which the deadline of its lane found it: the same seen again does not end the delay. */
  readonly lateIn?: ParcelStateName;
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

type Place = Pick<ParcelUnits, 'state' | 'furthest'>;

/** A late answer never moves a parcel back, and what was delivered stays so. */
function nextState(before: Place | undefined, seen: ParcelStateName, isShipped: boolean): Place {
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

/** The lane's deadline has its say until something new is seen of the parcel. */
const nextPlace = (before: ParcelUnits | undefined, seen: ParcelStateName, isShipped: boolean): Place => {
  const next = nextState(before, seen, isShipped);
  return before?.state === 'delayed' && next.state === before.lateIn ? before : next;
};

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
  readonly isWithoutShop?: true;
  readonly deliveryDays?: number | undefined;
}

const transitTimer = ({ supplierOrderId }: Owner, parcelId: string) => ({
  deadline: 'transit' as const,
  supplierOrderId,
  parcelId,
});

/** Where a parcel needs no deadline: it is there, waits for its customer, or will not come. */
const ENDED: readonly ParcelStateName[] = [
  'delivered',
  'available_for_pickup',
  'attempt_failed',
  'returned',
  'lost',
];

export const isUnderWay = (parcel: ParcelUnits): boolean => hasLeft(parcel) && !ENDED.includes(parcel.state);

/** The deadline of its lane has passed. Said once: an end of the delay sets no other. */
export function delayParcel(owner: Owner, parcelId: string): { parcels: Parcels; effects: Effect[] } {
  const { supplierOrderId, parcels } = owner;
  const stop: Effect = { kind: 'cancel_timer', timer: transitTimer(owner, parcelId) };
  const before = parcels[parcelId];
  if (before === undefined || before.state === 'delayed') return { parcels, effects: [stop] };
  const state = 'delayed';
  return {
    parcels: { ...parcels, [parcelId]: { ...before, state, lateIn: before.state } },
    effects: [
      stop,
      { kind: 'move_parcel', parcelId, state },
      { kind: 'fact', type: 'parcel.delayed', data: { supplierOrderId, parcelId, state } },
      { kind: 'notify', notification: 'parcel_delayed', parcelId },
    ],
  };
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

/** Whether only a carrier can have seen it so. */
const isScan = (seen: ParcelStateName): boolean => {
  const step = STEP_OF[seen];
  return step !== null && step !== 'announced';
};

/** The lane's time runs from the day the parcel leaves until it needs none any more. */
function timerEffects(
  owner: Owner,
  parcelId: string,
  before: ParcelUnits | undefined,
  now: ParcelUnits,
): Effect[] {
  const timer = transitTimer(owner, parcelId);
  const wasUnderWay = before !== undefined && isUnderWay(before);
  if (wasUnderWay && !isUnderWay(now)) return [{ kind: 'cancel_timer', timer }];
  if (!isUnderWay(now) || (before !== undefined && hasLeft(before))) return [];
  const { deliveryDays } = owner;
  return [{ kind: 'set_timer', timer, ...(deliveryDays === undefined ? {} : { quotedDays: deliveryDays }) }];
}

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
    const { state, furthest } = nextPlace(before, observed.state, isShipped);
    const { trackingNumber, carrier, trackingUrl } = observed;
    // A look that does not see the last-mile number is no news.
    const lastMileTrackingNumber = observed.lastMileTrackingNumber ?? before?.lastMileTrackingNumber ?? null;
    const isScanned = (before?.isScanned ?? false) || isScan(observed.state);
    const isSame =
      before?.state === state &&
      before.furthest === furthest &&
      (before.isScanned ?? false) === isScanned &&
      before.lastMileTrackingNumber === lastMileTrackingNumber;
    if (isSame) continue;
    // Without a shop there is nothing to show it in.
    const isFulfilled = before?.isFulfilled ?? owner.isWithoutShop === true;
    const parcel: ParcelUnits = {
      state,
      furthest,
      trackingNumber,
      lastMileTrackingNumber,
      units,
      isFulfilled,
      isScanned,
      ...(state === 'delayed' && before?.lateIn !== undefined ? { lateIn: before.lateIn } : {}),
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
        hasLeft: hasLeft(parcel),
      },
    });
    const told = before?.state === state ? undefined : FACT_OF[state];
    const { supplierOrderId } = owner;
    if (told !== undefined)
      effects.push({ kind: 'fact', type: told, data: { supplierOrderId, parcelId, state } });
    const hadLeft = before !== undefined && hasLeft(before);
    if (hasLeft(parcel) && !hadLeft) {
      effects.push(
        { kind: 'notify', notification: 'parcel_shipped', parcelId },
        ...(isFulfilled ? [] : fulfillCommand(owner, parcelId)),
      );
    }
    if (isScanned && before?.isScanned !== true)
      effects.push({ kind: 'notify', notification: 'parcel_shipped', parcelId, on: 'first_scan' });
    effects.push(...timerEffects(owner, parcelId, before, parcel));
    // A label that is late before it has left is no parcel yet for the customer.
    if (state === 'delayed' && hasLeft(parcel) && !(before?.state === 'delayed' && hadLeft))
      effects.push({ kind: 'notify', notification: 'parcel_delayed', parcelId });
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
