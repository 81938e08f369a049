import type { ParcelStateName } from '../contracts/vocabulary.ts';
import type { Units } from './units.ts';

export interface ParcelUnits {
  readonly state: ParcelStateName;
  /** How far it has come; troubles on the way do not change it. */
  readonly furthest: Step;
  readonly trackingNumber: string;
  /** Numbers that this one replaced; the parcel is known by them still. */
  readonly earlierNumbers?: readonly string[];
  readonly lastMileTrackingNumber: string | null;
  readonly units: Units;
  /** The shop shows it. */
  readonly isFulfilled: boolean;
  /** It shows less than is in it: others have shipped the rest there. */
  readonly isShownInPart?: true;
  /** The last fulfilment of it that was cancelled in the shop: it is told once. */
  readonly undoneFulfillmentId?: string;
  /** A carrier has had it in its hands; a supplier that says "shipped" is no carrier. */
  readonly isScanned?: boolean;
  /** The state in which the deadline of its lane found it: the same seen again does not end the delay. */
  readonly lateIn?: ParcelStateName;
}

export type Parcels = Readonly<Record<string, ParcelUnits>>;

/** A supplier's word that a parcel has left is a step of its own: no carrier has scanned it, so that it is announced still. */
export const STEPS = [
  'announced',
  'left',
  'first_scan',
  'in_transit',
  'out_for_delivery',
  'delivered',
] as const;
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

/** Whether the parcel has left the supplier: a tracking number alone can exist days before. */
export const hasLeft = ({ furthest }: Pick<ParcelUnits, 'furthest'>): boolean => furthest !== 'announced';

export type Place = Pick<ParcelUnits, 'state' | 'furthest'>;

/** A late answer never moves a parcel back, and what was delivered stays so. */
function nextState(before: Place | undefined, seen: ParcelStateName, isShipped: boolean): Place {
  const floor: Step = isShipped ? 'left' : 'announced';
  const from = before?.furthest ?? floor;
  const step = STEP_OF[seen];
  if (before?.state === 'delivered') return before;
  if (step === null) return { state: seen, furthest: isBefore(from, floor) ? floor : from };
  const to = isBefore(step, floor) ? floor : step;
  // It turns round wherever it is.
  if (seen === 'returned') return { state: seen, furthest: isBefore(to, from) ? from : to };
  if (before !== undefined && isBefore(to, from)) return before;
  return { state: seen, furthest: to };
}

/** The lane's deadline has its say until something new is seen of the parcel. */
export const nextPlace = (
  before: ParcelUnits | undefined,
  seen: ParcelStateName,
  isShipped: boolean,
): Place => {
  const next = nextState(before, seen, isShipped);
  return before?.state === 'delayed' && next.state === before.lateIn ? before : next;
};

/** Where a parcel needs no deadline: it is there, waits for its customer, or will not come. */
const ENDED: readonly ParcelStateName[] = [
  'delivered',
  'available_for_pickup',
  'attempt_failed',
  'returned',
  'lost',
];

export const isUnderWay = (parcel: Place): boolean => hasLeft(parcel) && !ENDED.includes(parcel.state);

/** Whether only a carrier can have seen it so. */
export const isScan = (seen: ParcelStateName): boolean => {
  const step = STEP_OF[seen];
  return step !== null && step !== 'announced';
};
