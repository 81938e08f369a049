import type { ObservedParcel } from '../contracts/events/supplier-order-observed.ts';
import { hasLeft, type Parcels, type ParcelUnits } from './parcel-place.ts';
import { fitInto, isNothing, isSameUnits, type Units, unitsOfLine, withoutUnits } from './units.ts';

/** What one look shows, by parcel id. */
export type Seen = ReadonlyMap<string, ObservedParcel>;

/**
 * What is in which parcel after a look, by parcel id; a parcel that holds nothing is left out. A supplier that names
 * contents is believed as far as the purchase has so many units, and a parcel that names none has what is in no other.
 * Before all of them a person is believed.
 * What has left keeps its contents but for those that the supplier names elsewhere; one look that misses it changes
 * nothing. A label that is not seen has only what nobody else claims.
 */
export function contentsOf(
  ordered: Units,
  parcels: Parcels,
  seen: Seen,
  toldIds: ReadonlySet<string>,
): ReadonlyMap<string, Units> {
  const known = Object.entries(parcels);
  const departed = known.filter(([, parcel]) => hasLeft(parcel));
  const kept = new Set(departed.flatMap(([id]) => (seen.has(id) ? [] : [id])));
  for (;;) {
    const contents = share(ordered, known, seen, { toldIds, kept });
    // It left with something: a supplier that puts all of that elsewhere is not believed.
    const robbed = departed.filter(([id]) => !contents.has(id) && !kept.has(id) && !toldIds.has(id));
    if (robbed.length === 0) return contents;
    for (const [id] of robbed) kept.add(id);
  }
}

function share(
  ordered: Units,
  known: readonly (readonly [string, ParcelUnits])[],
  seen: Seen,
  { toldIds, kept }: { readonly toldIds: ReadonlySet<string>; readonly kept: ReadonlySet<string> },
): Map<string, Units> {
  const contents = new Map<string, Units>();
  const room = (): Units =>
    withoutUnits(
      ordered,
      [...contents.values()].map((units) => ({ units })),
    );
  const give = (id: string, units: Units): void => {
    if (!contents.has(id) && !isNothing(units)) contents.set(id, units);
  };
  for (const [id, { units = {} }] of seen) if (toldIds.has(id)) give(id, fitInto(room(), units));
  for (const [id, { units }] of known) if (kept.has(id)) give(id, fitInto(room(), units));
  for (const [id, { units = {} }] of seen) give(id, fitInto(room(), units));
  for (const [id, parcel] of known)
    if (hasLeft(parcel) && !toldIds.has(id)) give(id, fitInto(room(), parcel.units));
  for (const [id, { units }] of seen) if (units === undefined) give(id, room());
  for (const [id, { units }] of known)
    if (!seen.has(id) && isSameUnits(fitInto(room(), units), units)) give(id, units);
  return contents;
}

/** What of an order has left in these parcels, and what has not. */
export function splitByLeft(
  ordered: Units,
  parcels: Parcels,
): { left: Record<string, number>; rest: Record<string, number> } {
  const left: Record<string, number> = {};
  const rest: Record<string, number> = {};
  const gone = Object.values(parcels).filter(hasLeft);
  for (const [lineId, count] of Object.entries(ordered)) {
    const sent = unitsOfLine(lineId, gone);
    if (sent > 0) left[lineId] = Math.min(count, sent);
    if (sent < count) rest[lineId] = count - sent;
  }
  return { left, rest };
}

const covers = (ordered: Units, parcels: readonly ParcelUnits[]): boolean =>
  Object.entries(ordered).every(([lineId, count]) => unitsOfLine(lineId, parcels) >= count);

/** How far the parcels together have come: every unit delivered, every unit gone, some gone, none. */
export function parcelProgress(
  ordered: Units,
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
