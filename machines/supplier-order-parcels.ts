import type { SupplierOrderObserved } from '../contracts/events/supplier-order-observed.ts';
import { trackingKeyOf } from '../contracts/ids.ts';
import { type Change, inTurn, NOTHING } from './change.ts';
import type { Effect } from './effect.ts';
import { parcelProgress, splitByLeft } from './parcel-contents.ts';
import { hasLeft, type Parcels, type ParcelUnits } from './parcel-place.ts';
import { delayParcel, fulfillCommand, observeParcels } from './parcels.ts';
import type { SupplierOrderContext } from './supplier-order-context.ts';
import { elapsed, isLateParcel, isNews, isOpenParcel, isUndoneInShop } from './supplier-order-guards.ts';
import { attend, duplicateEvents, raised } from './supplier-order-holds.ts';
import { lateWordEvents } from './supplier-order-sent.ts';
import { apply, by, emit, type SupplierOrderArgs } from './supplier-order-setup.ts';
import { isNothing, isSameUnits, type Units, withoutUnits } from './units.ts';

function follow(
  context: SupplierOrderContext,
  observation: SupplierOrderObserved,
): Change<SupplierOrderContext> {
  const { status, evidence } = observation;
  const { effects, ...seen } = observeParcels(context, observation);
  const { parcels } = seen;
  if (status !== 'cancelled' || !Object.values(parcels).some(hasLeft))
    return { context: { status, ...seen }, effects };
  const { left, rest } = splitByLeft(context.units, parcels);
  // Labels of parcels that never left go with the rest: it is bought anew.
  const gone = Object.fromEntries(Object.entries(parcels).filter(([, parcel]) => hasLeft(parcel)));
  const labels: Effect[] = Object.keys(parcels).flatMap((parcelId) =>
    parcelId in gone ? [] : [{ kind: 'forget_parcel', parcelId }],
  );
  const { supplierOrderId } = context;
  const torn: Effect = {
    kind: 'tell_order',
    event: { type: 'supplier_order.torn', data: { supplierOrderId, left, rest, evidence } },
  };
  const isAllGone = Object.keys(rest).length === 0;
  // Said once: a cancelled order of which all has left is a riddle for a person, and goes on its way meanwhile.
  const riddle = context.status === 'cancelled' ? [] : [raised(context, 'supplier_cancelled', evidence)];
  return {
    context: { status, ...seen, parcels: gone, units: left },
    effects: [...effects, ...labels, ...(isAllGone ? riddle : [torn])],
  };
}

const hasPartlyArrived = ({ units, parcels }: SupplierOrderContext): boolean =>
  Object.values(parcels).some(({ state }) => state === 'delivered') &&
  parcelProgress(units, parcels) !== 'delivered';

/** What comes in several parcels arrives in several: its order hears of the first, and of the last when all is there. */
const tellArrival = (
  before: SupplierOrderContext,
  now: SupplierOrderContext,
): Change<SupplierOrderContext> => {
  if (!hasPartlyArrived(now) || hasPartlyArrived(before)) return NOTHING;
  const { supplierOrderId } = now;
  const event = { type: 'supplier_order.arrived' as const, data: { supplierOrderId } };
  return { context: {}, effects: [{ kind: 'tell_order', event }] };
};

const observe = apply(
  by('supplier_order.observed', (context, { data }) =>
    inTurn(
      context,
      // First, so that what was to be seen to is over before its end is said.
      (now) => attend(now, data),
      (now) => follow(now, data),
      (now) => tellArrival(context, now),
    ),
  ),
);

const endFulfill = ({ supplierOrderId }: SupplierOrderContext, parcelId: string): Effect => ({
  kind: 'cancel_timer',
  timer: { deadline: 'fulfill', supplierOrderId, parcelId },
});

const isAllFulfilled = (units: Units, parcels: Parcels): boolean =>
  isNothing(
    withoutUnits(
      units,
      Object.values(parcels).filter(({ isFulfilled, isShownInPart }) => isFulfilled && !isShownInPart),
    ),
  );

const SHORT =
  'the shop had fewer units of this parcel left to ship than are in it: if somebody else has shipped them as well, the customer gets them twice; see to that with the customer, then release';

/** After it had left, when nobody could be asked any more: units of it are shipped in the shop by somebody else as well. */
const shownShort = (
  { supplierOrderId }: SupplierOrderContext,
  { trackingNumber }: ParcelUnits,
  missingUnits: number,
): Effect => ({
  kind: 'tell_order',
  event: {
    type: 'hold.raised',
    data: {
      reason: 'fulfillment_not_ours',
      supplierOrderId,
      evidence: { cause: SHORT, trackingNumber, missingUnits },
      isShort: true,
    },
  },
});

const showFulfilled = by('fulfillment.synced', (context, { data: { parcelId, how, missingUnits } }) => {
  const { supplierOrderId, units } = context;
  const parcel = context.parcels[parcelId];
  if (parcel === undefined) return NOTHING;
  const { isShownInPart: _, ...known } = parcel;
  const inPart = missingUnits === undefined ? {} : { isShownInPart: true as const };
  const parcels = { ...context.parcels, [parcelId]: { ...known, isFulfilled: true, ...inPart } };
  const shown: Effect = {
    kind: 'tell_order',
    event: { type: 'hold.passed', data: { supplierOrderId, isShown: true } },
  };
  return {
    context: { parcels },
    effects: [
      endFulfill(context, parcelId),
      { kind: 'fact', type: 'fulfillment.synced', data: { supplierOrderId, parcelId } },
      ...(how !== 'let_be' && isAllFulfilled(units, parcels) ? [shown] : []),
      ...(missingUnits === undefined ? [] : [shownShort(context, parcel, missingUnits)]),
    ],
  };
});

const holdUnfulfilled = by('fulfillment.withheld', (context, { data: { reason, evidence, parcelId } }) => ({
  context: {},
  effects: [endFulfill(context, parcelId), raised(context, reason, evidence)],
}));

const holdUndone = by('fulfillment.withheld', (context, { data }) => {
  const { reason, evidence, parcelId, undoneFulfillmentId } = data;
  const { parcels } = context;
  const parcel = parcels[parcelId];
  if (parcel === undefined || undoneFulfillmentId === undefined) return NOTHING;
  return {
    context: { parcels: { ...parcels, [parcelId]: { ...parcel, isFulfilled: false, undoneFulfillmentId } } },
    effects: [raised(context, reason, evidence)],
  };
});

const isNewWord = ({ context, event }: SupplierOrderArgs): boolean => {
  if (event.type !== 'supplier_order.contents_told') return false;
  const known = context.contentsTold?.[trackingKeyOf(event.data.trackingNumber)];
  return known === undefined || !isSameUnits(known, event.data.units);
};

/** Counts from the next look on, and is asked about again if it does not fit. */
const takeWord = apply(
  by('supplier_order.contents_told', ({ contentsTold, strayNumbers = [] }, { data }) => {
    const key = trackingKeyOf(data.trackingNumber);
    return {
      context: {
        contentsTold: { ...contentsTold, [key]: data.units },
        strayNumbers: strayNumbers.filter((stray) => stray !== key),
      },
      effects: [],
    };
  }),
);

/** What is seen of its parcels, and what the shop says to their fulfilments. */
export const parcelEvents = {
  ...duplicateEvents,
  ...lateWordEvents,
  'supplier_order.observed': { guard: isNews, actions: observe },
  'supplier_order.contents_told': { guard: isNewWord, actions: takeWord },
  'fulfillment.synced': { guard: isOpenParcel, actions: apply(showFulfilled) },
  'fulfillment.withheld': [
    { guard: isOpenParcel, actions: apply(holdUnfulfilled) },
    { guard: isUndoneInShop, actions: apply(holdUndone) },
  ],
};

/** A timer of an open parcel asks the shop again; a release does so for every parcel that the shop does not show yet. */
export const fulfillAgain = {
  guard: (args: SupplierOrderArgs) => elapsed('fulfill')(args) && isOpenParcel(args),
  actions: apply(
    by('timer.elapsed', (context, { data: { parcelId } }) =>
      parcelId === undefined ? NOTHING : { context: {}, effects: fulfillCommand(context, parcelId) },
    ),
  ),
};

export const parcelIsLate = {
  guard: isLateParcel,
  actions: apply(
    by('timer.elapsed', (context, { data: { parcelId } }) => {
      if (parcelId === undefined) return NOTHING;
      const { parcels, effects } = delayParcel(context, parcelId);
      return { context: { parcels }, effects };
    }),
  ),
};

export const resumeParcels = emit((context) =>
  Object.entries(context.parcels).flatMap(([parcelId, parcel]) =>
    parcel.isFulfilled || !hasLeft(parcel) ? [] : fulfillCommand(context, parcelId),
  ),
);
