import type { DeadlineName } from '../contracts/deadlines.ts';
import { isUnderWay, observeParcels } from './parcels.ts';
import type { SupplierOrderContext, SupplierOrderMachineEvent } from './supplier-order.ts';

interface Args {
  readonly context: SupplierOrderContext;
  readonly event: SupplierOrderMachineEvent;
}

/** Guard for the timer of one deadline. */
export const elapsed =
  (deadline: DeadlineName) =>
  ({ event }: Pick<Args, 'event'>): boolean =>
    event.type === 'timer.elapsed' && event.data.deadline === deadline;

/** An observation that would change nothing is refused, so that a look without news writes nothing. */
export const isNews = ({ context, event }: Args): boolean =>
  event.type === 'supplier_order.observed' &&
  (event.data.status !== context.status || observeParcels(context, event.data).effects.length > 0);

/** The event is about a parcel of ours that the shop does not show yet. */
export const isOpenParcel = ({ context, event }: Args): boolean => {
  if (!('data' in event) || !('parcelId' in event.data)) return false;
  const parcel = context.parcels[event.data.parcelId ?? ''];
  return parcel !== undefined && !parcel.isFulfilled;
};

/** The deadline of a parcel's lane, while the parcel is still on its way. */
export const isLateParcel = ({ context, event }: Args): boolean => {
  if (event.type !== 'timer.elapsed' || event.data.deadline !== 'transit') return false;
  const parcel = context.parcels[event.data.parcelId ?? ''];
  return parcel !== undefined && isUnderWay(parcel);
};

/** Classes that are no clear no: it may have been bought. */
export const isDoubt = ({ event }: Pick<Args, 'event'>): boolean =>
  event.type === 'supplier_order.rejected' &&
  (event.data.failureClass === 'unknown_outcome' || event.data.failureClass === 'duplicate_reference');

/** Look-ups of an earlier attempt say nothing about the one in doubt now. */
export const isOfLastAttempt = ({ context, event }: Args): boolean =>
  event.type === 'supplier_order.absent' && event.data.attempt >= context.attempt;

/** An answer that comes after its attempt was given up: the supplier may have the order twice. */
export const isSuspectedDuplicate = ({ event }: Pick<Args, 'event'>): boolean =>
  event.type === 'supplier_order.withheld' && event.data.reason === 'duplicate_suspected';

export const isSameUnits = (
  ours: Readonly<Record<string, number>>,
  theirs: Readonly<Record<string, number>>,
): boolean =>
  [...Object.keys(ours), ...Object.keys(theirs)].every((lineId) => ours[lineId] === theirs[lineId]);
