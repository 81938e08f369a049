import type { FulfillmentOrder, FulfillmentOrderLine } from './work-operations.ts';

/** Units by line item id. */
export type UnitsByLine = ReadonlyMap<string, number>;

/** A fulfilment order with the lines of all its pages. */
export type OpenWork = Omit<FulfillmentOrder, 'lineItems'> & {
  readonly lines: readonly FulfillmentOrderLine[];
};

/** The digits at the end of a gid: what a line is called in its webhooks. */
export const lineIdOf = ({ id }: { readonly id: string }): string => id.slice(id.lastIndexOf('/') + 1);

export const orderGidOf = (shopOrderId: string): string => `gid://shopify/Order/${shopOrderId}`;

/** Adds up the units of a line that occurs more than once. */
export function toUnitsByLine(entries: readonly (readonly [string, number])[]): Map<string, number> {
  const units = new Map<string, number>();
  for (const [lineId, count] of entries) units.set(lineId, (units.get(lineId) ?? 0) + count);
  return units;
}

export const sum = (units: UnitsByLine): number =>
  [...units.values()].reduce((total, count) => total + count, 0);

/** To be sent as a parcel, as far as the shop says how; not picked up, delivered by hand, or nothing at all. */
export const isForCarrier = ({ deliveryMethod }: OpenWork): boolean =>
  deliveryMethod === null || deliveryMethod.methodType === 'SHIPPING';

const mayBeFulfilled = ({ supportedActions }: OpenWork): boolean =>
  supportedActions.some(({ action }) => action === 'CREATE_FULFILLMENT');

const isShippable = (work: OpenWork): boolean =>
  work.status !== 'ON_HOLD' && isForCarrier(work) && mayBeFulfilled(work);

export const isOver = ({ status }: OpenWork): boolean => status === 'CLOSED' || status === 'CANCELLED';

/** Another service was asked, or must be: its fulfilment orders never let us create a fulfilment. */
export const isOthers = (work: OpenWork): boolean =>
  !isOver(work) &&
  !mayBeFulfilled(work) &&
  (work.requestStatus !== 'UNSUBMITTED' ||
    work.supportedActions.some(({ action }) => action === 'REQUEST_FULFILLMENT' || action === 'EXTERNAL'));

/** Neither on hold nor another service's, and yet nobody may fulfil it now: due later, or incomplete. */
export const isBarred = (work: OpenWork): boolean =>
  work.status !== 'ON_HOLD' && !isOver(work) && !mayBeFulfilled(work) && !isOthers(work);

/** Of a fulfilment order, in one fulfilment: Shopify takes no longer list. */
const MOST_LINES = 250;

/**
 * Which units to take from which fulfilment order: the `lineItemsByFulfillmentOrder` of each fulfilment, one per location
 * (Shopify refuses one over several), and more where a list would be too long; never more than remains. `missingUnits` are
 * nowhere to be had; `blocking` is one that has some and may not be shipped.
 * @param isEachAlone one per fulfilment order: of locations only the names are seen, and two may have the same.
 */
export function planFulfillments(work: readonly OpenWork[], wanted: UnitsByLine, isEachAlone = false) {
  const left = new Map(wanted);
  const byLocation = new Map<string, object[]>();
  for (const { id: fulfillmentOrderId, assignedLocation, lines } of work.filter(isShippable)) {
    const chosen = lines.flatMap(({ id, lineItem, remainingQuantity }) => {
      const lineId = lineIdOf(lineItem);
      const quantity = Math.min(left.get(lineId) ?? 0, remainingQuantity);
      left.set(lineId, (left.get(lineId) ?? 0) - quantity);
      return quantity === 0 ? [] : [{ id, quantity }];
    });
    const location = isEachAlone ? fulfillmentOrderId : JSON.stringify(assignedLocation);
    for (let start = 0; start < chosen.length; start += MOST_LINES) {
      const place = `${location} ${start}`;
      const planned = byLocation.get(place) ?? [];
      byLocation.set(place, planned);
      const fulfillmentOrderLineItems = chosen.slice(start, start + MOST_LINES);
      planned.push({ fulfillmentOrderId, fulfillmentOrderLineItems });
    }
  }
  const isLeft = ({ lineItem, remainingQuantity }: FulfillmentOrderLine): boolean =>
    remainingQuantity > 0 && (left.get(lineIdOf(lineItem)) ?? 0) > 0;
  const blocking = work.find((one) => !isShippable(one) && !isOver(one) && one.lines.some(isLeft));
  return { fulfillments: [...byLocation.values()], missingUnits: sum(left), blocking };
}
