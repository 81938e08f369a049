import { FULFILL_PARCEL, type FulfillParcel } from '../contracts/commands/fulfill-parcel.ts';
import type { ObservedParcel, SupplierOrderObserved } from '../contracts/events/supplier-order-observed.ts';
import type { FactType } from '../contracts/facts.ts';
import { trackingKeyOf } from '../contracts/ids.ts';
import type { Evidence, ParcelStateName } from '../contracts/vocabulary.ts';
import type { Effect, Timer } from './effect.ts';
import { contentsSeen, earlierNumbersOf, isSameNumber, parcelsSeen } from './parcel-numbers.ts';
import { hasLeft, isScan, isUnderWay, nextPlace, type Parcels, type ParcelUnits } from './parcel-place.ts';
import type { SupplierOrderContext } from './supplier-order-context.ts';
import { isNothing, isSameUnits, type Units } from './units.ts';

const FACT_OF: Record<ParcelStateName, FactType> = {
  announced: 'parcel.announced',
  first_scan: 'parcel.first_scan',
  in_transit: 'parcel.in_transit',
  out_for_delivery: 'parcel.out_for_delivery',
  delivered: 'parcel.delivered',
  available_for_pickup: 'parcel.available_for_pickup',
  attempt_failed: 'parcel.attempt_failed',
  delayed: 'parcel.delayed',
  exception: 'parcel.exception',
  lost: 'parcel.lost',
  returned: 'parcel.returned',
};

const transitTimer = ({ supplierOrderId }: SupplierOrderContext, parcelId: string) => ({
  deadline: 'transit' as const,
  supplierOrderId,
  parcelId,
});

/** It turned out to be no parcel, so that nothing is waited for of it. */
function forgetting(owner: SupplierOrderContext, parcelId: string, parcel: ParcelUnits): Effect[] {
  const { supplierOrderId } = owner;
  const fulfill = { deadline: 'fulfill' as const, supplierOrderId, parcelId };
  const stop = (timer: Timer): Effect => ({ kind: 'cancel_timer', timer });
  return [
    { kind: 'forget_parcel', parcelId },
    ...(isUnderWay(parcel) ? [stop(transitTimer(owner, parcelId))] : []),
    ...(hasLeft(parcel) && !parcel.isFulfilled ? [stop(fulfill)] : []),
  ];
}

/** The deadline of its lane has passed. Said once: an end of the delay sets no other. */
export function delayParcel(
  owner: SupplierOrderContext,
  parcelId: string,
): { parcels: Parcels; effects: Effect[] } {
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

export const fulfillCommand = (owner: SupplierOrderContext, parcelId: string): Effect[] => {
  const data: FulfillParcel = { orderId: owner.orderId, supplierOrderId: owner.supplierOrderId, parcelId };
  return [
    { kind: 'command', service: 'shopify', verb: FULFILL_PARCEL, id: parcelId, data },
    {
      kind: 'set_timer',
      timer: { deadline: 'fulfill', supplierOrderId: owner.supplierOrderId, parcelId },
    },
  ];
};

/** The lane's time runs from the day the parcel leaves until it needs none any more. */
function timerEffects(
  owner: SupplierOrderContext,
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

const saving = (
  { supplierOrderId }: SupplierOrderContext,
  parcelId: string,
  parcel: ParcelUnits,
  { carrier, trackingUrl }: ObservedParcel,
): Effect => {
  const { state, trackingNumber, earlierNumbers = [], lastMileTrackingNumber, units } = parcel;
  return {
    kind: 'save_parcel',
    parcel: {
      parcelId,
      supplierOrderId,
      state,
      trackingNumber,
      earlierNumbers,
      lastMileTrackingNumber,
      carrier,
      trackingUrl,
      units,
      hasLeft: hasLeft(parcel),
    },
  };
};

/** How a parcel stands after it was seen so. @param before absent: it is new. */
function seenAs(
  owner: SupplierOrderContext,
  before: ParcelUnits | undefined,
  observed: ObservedParcel,
  { units, isShipped }: { units: Units; isShipped: boolean },
): ParcelUnits {
  const { trackingNumber } = observed;
  const earlierNumbers = before === undefined ? [] : earlierNumbersOf(before, trackingNumber);
  const isRenamed = before !== undefined && !isSameNumber(before.trackingNumber, trackingNumber);
  // A look that does not see the last-mile number is no news; but another number goes another last mile.
  const knownLastMile = isRenamed ? null : (before?.lastMileTrackingNumber ?? null);
  const { state, furthest } = nextPlace(before, observed.state, isShipped || observed.hasLeft === true);
  return {
    state,
    furthest,
    trackingNumber,
    ...(earlierNumbers.length === 0 ? {} : { earlierNumbers }),
    lastMileTrackingNumber: observed.lastMileTrackingNumber ?? knownLastMile,
    units,
    // Without a shop there is nothing to show it in.
    isFulfilled: before?.isFulfilled ?? owner.isWithoutShop === true,
    ...(before?.isShownInPart === undefined ? {} : { isShownInPart: before.isShownInPart }),
    isScanned: (before?.isScanned ?? false) || isScan(observed.state),
    ...(before?.undoneFulfillmentId === undefined ? {} : { undoneFulfillmentId: before.undoneFulfillmentId }),
    ...(state === 'delayed' && before?.lateIn !== undefined ? { lateIn: before.lateIn } : {}),
  };
}

const isSame = (before: ParcelUnits, now: ParcelUnits): boolean =>
  before.state === now.state &&
  before.furthest === now.furthest &&
  (before.isScanned ?? false) === now.isScanned &&
  before.lastMileTrackingNumber === now.lastMileTrackingNumber &&
  isSameNumber(before.trackingNumber, now.trackingNumber) &&
  isSameUnits(before.units, now.units);

/** What follows for the crew, the shop and the customer, each told once. */
function tellings(
  owner: SupplierOrderContext,
  parcelId: string,
  before: ParcelUnits | undefined,
  now: ParcelUnits,
): Effect[] {
  const effects: Effect[] = [];
  const { supplierOrderId } = owner;
  const { state, furthest, isFulfilled, isScanned } = now;
  if (before?.state !== state)
    effects.push({ kind: 'fact', type: FACT_OF[state], data: { supplierOrderId, parcelId, state } });
  const hadLeft = before !== undefined && hasLeft(before);
  if (hasLeft(now) && !hadLeft) {
    effects.push(
      { kind: 'notify', notification: 'parcel_shipped', parcelId },
      ...(isFulfilled ? [] : fulfillCommand(owner, parcelId)),
    );
  }
  if (isScanned && before?.isScanned !== true)
    effects.push({ kind: 'notify', notification: 'parcel_shipped', parcelId, on: 'first_scan' });
  effects.push(...timerEffects(owner, parcelId, before, now));
  // A label that is late before it has left is no parcel yet for the customer.
  if (state === 'delayed' && hasLeft(now) && !(before?.state === 'delayed' && hadLeft))
    effects.push({ kind: 'notify', notification: 'parcel_delayed', parcelId });
  if (before?.furthest === furthest) return effects;
  if (state === 'in_transit') effects.push({ kind: 'notify', notification: 'parcel_in_transit', parcelId });
  if (state === 'delivered') effects.push({ kind: 'notify', notification: 'parcel_delivered', parcelId });
  return effects;
}

const forAPerson = ({ supplierOrderId }: SupplierOrderContext, evidence: Evidence): Effect => ({
  kind: 'tell_order',
  event: { type: 'hold.raised', data: { reason: 'operator', supplierOrderId, evidence } },
});

/** What no rule can decide: what is shown to shop and customer stays, and a person is asked, who may say what is in them. */
const riddle = (owner: SupplierOrderContext, cause: string, numbers: readonly string[]): Effect =>
  forAPerson(owner, { cause, trackingNumbers: numbers.join(', ') });

const STRAY =
  'a number is on its way for units that other parcels hold: ask the supplier which boxes there are, and say what is in each with POST /supplier-orders/{id}/parcel-contents';
const OTHER_CONTENTS =
  'this parcel now has other contents than the shop was told: correct its fulfilment in the shop';

/** What will not reach the customer, unless a person does something about it. */
const TROUBLES: Partial<Record<ParcelStateName, string>> = {
  returned:
    'the parcel goes back to its sender: ask the supplier for another or the money, and tell the customer',
  lost: 'the carrier has lost the parcel: ask the supplier for another or the money, and tell the customer',
};

/** Said when a parcel comes to that, and not again while it stays so. */
function troublesOf(owner: SupplierOrderContext, now: Parcels): Effect[] {
  return Object.entries(now).flatMap(([parcelId, { state, trackingNumber }]) => {
    const cause = TROUBLES[state];
    if (cause === undefined || owner.parcels[parcelId]?.state === state) return [];
    return [forAPerson(owner, { cause, trackingNumber })];
  });
}

/**
 * Takes what was seen of the parcels; asks for the shop's fulfilment and the customer's mails, each once. Without effects
 * nothing is changed.
 */
export function observeParcels(
  owner: SupplierOrderContext,
  observation: SupplierOrderObserved,
): { parcels: Parcels; strayNumbers?: readonly string[]; effects: Effect[] } {
  const isShipped = observation.status === 'shipped' || observation.status === 'delivered';
  const isOver =
    observation.status === 'delivered' && observation.parcels.every(({ state }) => state === 'delivered');
  const { seen, beside } = parcelsSeen(owner, observation.parcels, isOver);
  const contents = contentsSeen(owner, seen);
  const parcels: Record<string, ParcelUnits> = Object.fromEntries(
    Object.entries(owner.parcels).filter(([id]) => contents.has(id)),
  );
  const effects: Effect[] = Object.entries(owner.parcels).flatMap(([parcelId, parcel]) =>
    contents.has(parcelId) ? [] : forgetting(owner, parcelId, parcel),
  );
  const strays = [...beside];
  const isShown = (parcel: ParcelUnits | undefined): boolean =>
    parcel?.isFulfilled === true && owner.isWithoutShop !== true;
  const changed = Object.entries(owner.parcels).flatMap(([parcelId, parcel]) =>
    isShown(parcel) && !contents.has(parcelId) ? [parcel.trackingNumber] : [],
  );
  for (const [parcelId, observed] of seen) {
    const before = owner.parcels[parcelId];
    const units = contents.get(parcelId);
    const { units: named = units ?? {} } = observed;
    // A parcel of pieces whose units all count to others is named so, and is nobody's trouble.
    const isPuzzling = !isSameUnits(units ?? {}, named) && !isNothing(named);
    if (isPuzzling || (units === undefined && observed.units === undefined)) strays.push(observed);
    if (units === undefined) continue;
    const now = seenAs(owner, before, observed, { units, isShipped });
    if (before !== undefined && isSame(before, now)) continue;
    parcels[parcelId] = now;
    effects.push(saving(owner, parcelId, now, observed), ...tellings(owner, parcelId, before, now));
    if (isShown(before) && !isSameUnits(before?.units ?? {}, units)) changed.push(observed.trackingNumber);
  }
  effects.push(...troublesOf(owner, parcels));
  if (changed.length > 0) effects.push(riddle(owner, OTHER_CONTENTS, changed));
  const { strayNumbers = [] } = owner;
  const unheard = strays
    .filter(({ state, hasLeft: isGone }) =>
      isUnderWay(nextPlace(undefined, state, isShipped || isGone === true)),
    )
    .map(({ trackingNumber }) => trackingNumber)
    .filter((number) => !strayNumbers.includes(trackingKeyOf(number)));
  if (unheard.length === 0) return { parcels, effects };
  effects.push(riddle(owner, STRAY, unheard));
  return { parcels, strayNumbers: [...strayNumbers, ...unheard.map(trackingKeyOf)], effects };
}
