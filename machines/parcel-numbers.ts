import type { ObservedParcel } from '../contracts/events/supplier-order-observed.ts';
import { parcelIdOf, trackingKeyOf } from '../contracts/ids.ts';
import { contentsOf, type Seen } from './parcel-contents.ts';
import type { ParcelUnits } from './parcel-place.ts';
import type { SupplierOrderContext } from './supplier-order-context.ts';
import { isNothing, isSameUnits, type Units } from './units.ts';

export const isSameNumber = (one: string, other: string): boolean =>
  trackingKeyOf(one) === trackingKeyOf(other);

const isKnownBy = (
  { trackingNumber, lastMileTrackingNumber, earlierNumbers = [] }: ParcelUnits,
  number: string,
): boolean =>
  [trackingNumber, lastMileTrackingNumber ?? '', ...earlierNumbers].some((known) =>
    isSameNumber(known, number),
  );

/** The numbers that a parcel has had when it is seen under this one. */
export const earlierNumbersOf = (
  { trackingNumber, earlierNumbers = [] }: ParcelUnits,
  number: string,
): readonly string[] =>
  isSameNumber(trackingNumber, number)
    ? earlierNumbers
    : [...earlierNumbers, trackingNumber].filter((earlier) => !isSameNumber(earlier, number));

/** Shown with the parcel itself, its last mile's number is no other box. */
const isOfSameBox = (parcel: ParcelUnits | undefined, number: string): boolean =>
  parcel === undefined ||
  isSameNumber(parcel.trackingNumber, number) ||
  isSameNumber(parcel.lastMileTrackingNumber ?? '', number);

/** Which parcel each number is of; `beside`: replaced numbers that are shown next to the new one of their parcel. */
function recognised(
  { supplierOrderId, parcels }: SupplierOrderContext,
  observed: readonly ObservedParcel[],
): { seen: Map<string, ObservedParcel>; beside: ObservedParcel[] } {
  const known = Object.entries(parcels);
  const presentId = (number: string): string | undefined =>
    known.find(([, parcel]) => isSameNumber(parcel.trackingNumber, number))?.[0];
  const idOf = (number: string): string =>
    presentId(number) ??
    known.find(([, parcel]) => isKnownBy(parcel, number))?.[0] ??
    parcelIdOf(supplierOrderId, number);
  const seen = new Map<string, ObservedParcel>();
  const beside: ObservedParcel[] = [];
  // Those under their present numbers first: they are the parcel, whatever else is shown of it.
  const isPresent = ({ trackingNumber }: ObservedParcel): boolean => presentId(trackingNumber) !== undefined;
  for (const one of [...observed.filter(isPresent), ...observed.filter((other) => !isPresent(other))]) {
    const id = idOf(one.trackingNumber);
    if (!seen.has(id)) seen.set(id, one);
    else if (!isOfSameBox(parcels[id], one.trackingNumber)) beside.push(one);
  }
  return { seen, beside };
}

const toldUnits = (
  { contentsTold }: SupplierOrderContext,
  { trackingNumber }: ObservedParcel,
): Units | undefined => contentsTold?.[trackingKeyOf(trackingNumber)];

/** As it is by a person's word, if one was said. */
const asTold =
  (owner: SupplierOrderContext) =>
  (parcel: ObservedParcel): ObservedParcel => {
    const units = toldUnits(owner, parcel);
    return units === undefined ? parcel : { ...parcel, units };
  };

/** What is in which parcel of a look; see {@link contentsOf}. */
export function contentsSeen(owner: SupplierOrderContext, seen: Seen): ReadonlyMap<string, Units> {
  const toldIds = [...seen].flatMap(([id, parcel]) => (toldUnits(owner, parcel) === undefined ? [] : [id]));
  return contentsOf(owner.units, owner.parcels, seen, new Set(toldIds));
}

/** Whether a parcel that is not seen is the one that is seen for the first time: there is no room for both, and it fits. */
function isReplacedBy(owner: SupplierOrderContext, seen: Seen, missingId: string, newId: string): boolean {
  const { parcels } = owner;
  const [missing, one] = [parcels[missingId], seen.get(newId)];
  if (missing === undefined || one === undefined) return false;
  if (one.units !== undefined && !isSameUnits(one.units, missing.units)) return false;
  const both = contentsSeen(owner, seen);
  const beside = both.get(newId);
  const areBoth = both.has(missingId) && beside !== undefined && isSameUnits(beside, one.units ?? beside);
  if (areBoth) return false;
  const renamed = new Map([...seen].map(([id, parcel]) => [id === newId ? missingId : id, parcel]));
  return isSameUnits(contentsSeen(owner, renamed).get(missingId) ?? {}, missing.units);
}

interface Pair {
  readonly newId: string;
  readonly missingId: string;
}

/** Each new number to a parcel of its own, in the order in which they stand. */
const oneByOne = (pairs: readonly Pair[]): Pair[] => {
  const taken: Pair[] = [];
  for (const pair of pairs)
    if (!taken.some(({ newId, missingId }) => newId === pair.newId || missingId === pair.missingId))
      taken.push(pair);
  return taken;
};

/**
 * The parcels of a look by their ids. A number that nobody knows is of the parcel that is missing, where only one can be
 * meant; what has arrived gets no other number. `beside`: replaced numbers that are seen next to the new one.
 * @param isOver the supplier shows all of it arrived: which of them is which makes no difference any more.
 */
export function parcelsSeen(
  owner: SupplierOrderContext,
  observed: readonly ObservedParcel[],
  isOver: boolean,
): { seen: Seen; beside: readonly ObservedParcel[] } {
  const { parcels, strayNumbers = [] } = owner;
  const { seen, beside } = recognised(owner, observed.map(asTold(owner)));
  const missing = Object.entries(parcels).flatMap(([id, { state }]) =>
    seen.has(id) || state === 'delivered' ? [] : [id],
  );
  if (missing.length === 0) return { seen, beside };
  const pairs = [...seen].flatMap(([newId, { trackingNumber, units = null }]) => {
    const isStray = strayNumbers.includes(trackingKeyOf(trackingNumber));
    const isUnknown = parcels[newId] === undefined && (isOver || !isStray);
    if (!isUnknown || (units !== null && isNothing(units))) return [];
    return missing
      .filter((id) => isReplacedBy(owner, seen, id, newId))
      .map((missingId) => ({ newId, missingId }));
  });
  const certain = pairs.filter(
    ({ newId, missingId }) =>
      pairs.filter((other) => other.newId === newId || other.missingId === missingId).length === 1,
  );
  const meant = isOver ? oneByOne([...certain, ...pairs]) : certain;
  const idOf = new Map(meant.map(({ newId, missingId }) => [newId, missingId]));
  return { seen: new Map([...seen].map(([id, parcel]) => [idOf.get(id) ?? id, parcel])), beside };
}
