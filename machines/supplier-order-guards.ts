import type { DeadlineName } from '../contracts/deadlines.ts';
import type { SupplierOrderObserved } from '../contracts/events/supplier-order-observed.ts';
import { attentionIdOf } from '../contracts/ids.ts';
import { isAboutPayment, namesBills } from './holds.ts';
import { isUnderWay } from './parcel-place.ts';
import { observeParcels } from './parcels.ts';
import { unitsOfPart } from './purchase-units.ts';
import type { SupplierOrderContext } from './supplier-order-context.ts';
import type { SupplierOrderArgs as Args } from './supplier-order-setup.ts';
import { isSameUnits } from './units.ts';

/** Guard for the timer of one deadline. */
export const elapsed =
  (deadline: DeadlineName) =>
  ({ event }: Pick<Args, 'event'>): boolean =>
    event.type === 'timer.elapsed' && event.data.deadline === deadline;

/** Said of the same facts again, it is none. */
export const isNewAttention = (
  { attention: known }: SupplierOrderContext,
  { attention, isAttentive }: SupplierOrderObserved,
): boolean => {
  const now = attention && attentionIdOf(attention);
  return known !== now && (now !== undefined || isAttentive === true);
};

/** An observation that would change nothing is refused, so that a look without news writes nothing. */
export const isNews = ({ context, event }: Args): boolean =>
  event.type === 'supplier_order.observed' &&
  (event.data.status !== context.status ||
    isNewAttention(context, event.data) ||
    observeParcels(context, event.data).effects.length > 0);

/** The event is about a parcel of ours that the shop does not show yet. */
export const isOpenParcel = ({ context, event }: Args): boolean => {
  if (!('data' in event) || !('parcelId' in event.data)) return false;
  const parcel = context.parcels[event.data.parcelId ?? ''];
  return parcel !== undefined && !parcel.isFulfilled;
};

/** The shop showed a parcel that is still on its way, and does so no more. */
export const isUndoneInShop = ({ context, event }: Args): boolean => {
  if (event.type !== 'fulfillment.withheld') return false;
  const { parcelId, undoneFulfillmentId } = event.data;
  const parcel = context.parcels[parcelId];
  return (
    undoneFulfillmentId !== undefined &&
    parcel?.isFulfilled === true &&
    parcel.state !== 'delivered' &&
    parcel.undoneFulfillmentId !== undoneFulfillmentId
  );
};

/** The deadline of a parcel's lane, while the parcel is still on its way. */
export const isLateParcel = ({ context, event }: Args): boolean => {
  if (event.type !== 'timer.elapsed' || event.data.deadline !== 'transit') return false;
  const parcel = context.parcels[event.data.parcelId ?? ''];
  return parcel !== undefined && isUnderWay(parcel);
};

export const isPlacedHeldBack = ({ event }: Pick<Args, 'event'>): boolean =>
  event.type === 'supplier_order.placed' && event.data.heldBack !== undefined;

/** Classes that are no clear no: it may have been bought. */
export const isDoubt = ({ event }: Pick<Args, 'event'>): boolean =>
  event.type === 'supplier_order.rejected' &&
  (event.data.failureClass === 'unknown_outcome' || event.data.failureClass === 'duplicate_reference');

/** Look-ups of an earlier attempt say nothing about the one in doubt now. */
export const isOfLastAttempt = ({ context, event }: Args): boolean =>
  event.type === 'supplier_order.absent' && event.data.attempt >= context.attempt;

/**
 * What is heard of a purchase when it is made, or over: an answer after its attempt was given up, for the supplier may
 * have the order twice, or a bill for more money.
 */
export const isAfterPurchase = ({ event }: Pick<Args, 'event'>): boolean =>
  event.type === 'supplier_order.withheld' &&
  (event.data.reason === 'duplicate_suspected' || namesBills(event.data.evidence));

/** What a payment was about to wait for. */
export const isOfPayment = ({ event }: Args): boolean =>
  event.type === 'supplier_order.withheld' && isAboutPayment(event.data.reason, event.data.evidence);

/** It was prepared as it stands now; a change of the draft meanwhile makes it another. */
export const isOfItsUnits = ({ context, event }: Args): boolean =>
  event.type === 'supplier_order.prepared' && isSameUnits(context.units, unitsOfPart(event.data.part));

export const isByOperator = ({ event }: Pick<Args, 'event'>): boolean =>
  event.type === 'supplier_order.cancel_requested';

/** An order says with each of its bodies that it is not wanted, and is heard once; a person may ask again. */
export const isFirstNo = (args: Args): boolean => args.context.unwantedBy === undefined || isByOperator(args);
