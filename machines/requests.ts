import type { ChangeRequested, PurchaseRequested } from '../contracts/events/operator-requests.ts';
import { cancelCostOf } from './cancel-cost.ts';
import { type Change, inTurn, NOTHING } from './change.ts';
import { isLive } from './hold-scope.ts';
import { isAboutLine, openHold, releaseHolds } from './holds.ts';
import { releaseIdle } from './idle-holds.ts';
import type { LineUnits, OrderContext } from './order-context.ts';
import { mapLines } from './order-units.ts';
import { quoteAnew } from './ship-to.ts';
import { callOffSurplus, followShop, isOff, wantedUnits } from './wanted-units.ts';

const UPDATED: Change<OrderContext> = {
  context: {},
  effects: [{ kind: 'fact', type: 'order.updated', data: {} }],
};

/** Nothing more is wanted, whatever the shop says; it is put away once nothing of it moves any more. */
export const cancelHere = (context: OrderContext): Change<OrderContext> =>
  inTurn(
    context,
    () => ({ context: { cancelledHere: true, archive: 'wanted' }, effects: [] }),
    followShop,
    callOffSurplus,
  );

/** Puts the order away when that was asked for. Call it where nothing of the order moves any more. */
export const archiveIfWanted = ({ archive }: OrderContext): Change<OrderContext> =>
  archive === 'wanted' ? { context: { archive: 'done' }, effects: [{ kind: 'archive_order' }] } : NOTHING;

/** A change that would need somebody's consent, or ask for more than before, is refused whole. */
export const mayChange = (context: OrderContext, { payment, units = {} }: ChangeRequested): boolean =>
  !isOff(context) &&
  (payment === undefined || context.isWithoutShop === true) &&
  Object.entries(units).every(([lineId, count]) => {
    const less = wantedUnits(context, lineId) - count;
    return lineId in context.lines && less >= 0 && less <= cancelCostOf(context, lineId).free;
  });

/** Takes what was changed here; call it only where {@link mayChange}. */
export function changeHere(context: OrderContext, request: ChangeRequested): Change<OrderContext> {
  const { hasAddress, payment, units = {} } = request;
  const withdrawn = { ...context.withdrawn };
  for (const [lineId, count] of Object.entries(units))
    withdrawn[lineId] = (context.inShop[lineId]?.units ?? 0) - count;
  return inTurn(
    context,
    () => UPDATED,
    () => ({
      context: {
        ...(hasAddress === undefined ? {} : { hasAddress, hasAddressHere: hasAddress }),
        ...(payment === undefined ? {} : { payment }),
        ...(Object.keys(units).length === 0 ? {} : { withdrawn }),
      },
      effects: [],
    }),
    // What was planned between the putting and now is of the address before.
    (now) => (hasAddress === true ? quoteAnew(now) : NOTHING),
    // Without a change of units nothing is compared: what the shop last said was taken when it said it.
    (now) => (Object.keys(units).length === 0 ? NOTHING : inTurn(now, followShop, callOffSurplus)),
    // Last, so that nothing goes on that is called off here.
    (now) =>
      releaseHolds(
        now,
        ({ reason, supplierOrderId }) =>
          (reason === 'address_invalid' && hasAddress === true) ||
          (reason === 'payment_pending' && payment === 'paid' && supplierOrderId === undefined),
      ),
    releaseIdle,
  );
}

/**
 * Units that were free when they were asked for, and are not any more: somebody has to know. What else was asked for with
 * them is taken.
 */
export function changeRefused(context: OrderContext, request: ChangeRequested): Change<OrderContext> {
  const { units = {}, payment, ...rest } = request;
  const cause = `${Object.entries(units)
    .map(([lineId, count]) => `${count} of line ${lineId}`)
    .join(', ')} were wanted from now on, but units were bought, or taken back, meanwhile`;
  return inTurn(
    context,
    (now) => changeHere(now, context.isWithoutShop === true ? { ...rest, payment } : rest),
    (now) => openHold(now, 'operator', {}, { cause }),
  );
}

/** Wanted units by line, of all articles together. */
const unitsRequested = ({ lines }: PurchaseRequested): Map<string, number> => {
  const units = new Map<string, number>();
  for (const line of lines) units.set(line.lineId, (units.get(line.lineId) ?? 0) + line.units);
  return units;
};

/** Paid, and every unit still waits to be bought. */
export const mayPurchase = (context: OrderContext, request: PurchaseRequested): boolean =>
  !isOff(context) &&
  context.payment === 'paid' &&
  !(request.newSupplierOrderId in context.supplierOrders) &&
  [...unitsRequested(request)].every(([lineId, count]) => {
    const { unallocated = 0, held = 0 } = context.lines[lineId] ?? {};
    return count <= unallocated + held;
  });

/**
 * Takes the units out of what sourcing would do with them, into a draft of their own. A hold of a line that has none
 * left to hold is about nothing any more. Whoever asks for a purchase does not wait for the grace period.
 */
export function purchaseHere(context: OrderContext, request: PurchaseRequested): Change<OrderContext> {
  const { newSupplierOrderId: supplierOrderId, supplier, shippingMethod } = request;
  const taken = unitsRequested(request);
  const take = (units: LineUnits, lineId: string): LineUnits => {
    const count = taken.get(lineId) ?? 0;
    const fromUnallocated = Math.min(count, units.unallocated);
    return {
      ...units,
      unallocated: units.unallocated - fromUnallocated,
      held: units.held - (count - fromUnallocated),
    };
  };
  const part = {
    supplier,
    part: '',
    shippingMethod,
    shipsFrom: '',
    expectedCostMinor: 0,
    currency: 'USD',
    isQuoted: false,
    lines: request.lines.map((line) => ({ ...line, supplierUnits: line.units })),
  };
  const draft = { state: 'draft' as const, units: Object.fromEntries(taken) };
  return inTurn(
    context,
    (now) => ({
      context: {
        graceOver: true,
        lines: mapLines(now.lines, take),
        supplierOrders: { ...now.supplierOrders, [supplierOrderId]: draft },
      },
      effects: [{ kind: 'create_supplier_order', supplierOrderId, part }],
    }),
    (now) =>
      releaseHolds(
        now,
        (hold) => isAboutLine(hold) && taken.has(hold.lineId) && now.lines[hold.lineId]?.held === 0,
      ),
    releaseIdle,
  );
}

/** What was asked for could not be done any more when its turn came: somebody has to know. */
export const purchaseRefused = (
  context: OrderContext,
  { supplier }: PurchaseRequested,
): Change<OrderContext> =>
  openHold(
    context,
    'operator',
    {},
    { supplier, cause: 'a purchase was asked for by hand, but its units were not free any more' },
  );

/** Whether something of the order is being undone at a supplier just now. */
export const isUndoing = (context: OrderContext): boolean =>
  isOff(context) &&
  Object.values(context.supplierOrders).some(
    (part) =>
      isLive(part) && ['placing', 'outcome_unknown', 'awaiting_payment', 'cancelling'].includes(part.state),
  );
