import type { Evidence, SupplierOrderStateName } from '../contracts/vocabulary.ts';
import { type Change, inTurn, NOTHING } from './change.ts';
import { openHold, openHolds, parkHeldLines } from './holds.ts';
import type { OrderContext, SupplierOrderUnits } from './order-context.ts';
import { mapLines, unitsOnSupplierOrders } from './order-units.ts';
import { asBefore, unitsBeyondShop } from './returned-units.ts';
import { unitsOfLine } from './units.ts';
import { isOff, NO_UNITS, surplusOf } from './wanted-units.ts';

const BOUGHT_TWICE =
  'bought, and also shipped in the shop by somebody else: if that is another parcel, cancel the purchase with DELETE /supplier-orders/{id} before it leaves; if it is the parcel of this purchase, the hold goes when its number is known; else release it';

/**
 * Not bought for certain, and so shown in the shop by nobody on our behalf; in the order in which they are given up, the
 * cheapest first. What is bought goes on: its units may stand in the shop by the hand of somebody who saw its parcel
 * before we did.
 */
const UNBOUGHT: readonly SupplierOrderStateName[] = [
  'draft',
  'awaiting_payment',
  'placing',
  'outcome_unknown',
];

/** None of an order from a backup: what the shop shows as shipped may be one of them, and is looked for at its supplier. */
const unboughtOf = ({ supplierOrders, isFromBackup }: OrderContext): [string, SupplierOrderUnits][] =>
  isFromBackup
    ? []
    : UNBOUGHT.flatMap((state) => Object.entries(supplierOrders).filter(([, part]) => part.state === state));

const unitsWaiting = (context: OrderContext, lineId: string): number => {
  const { unallocated, held } = context.lines[lineId] ?? NO_UNITS;
  return unallocated + held;
};

const unitsUnbought = (context: OrderContext, lineId: string): number =>
  unitsWaiting(context, lineId) +
  unitsOfLine(
    lineId,
    unboughtOf(context).map(([, part]) => part),
  );

/** Units not bought yet beyond what the shop still has open for us: somebody else has shipped them. */
const shippedElsewhere = (context: OrderContext, lineId: string): number => {
  const inShop = context.inShop[lineId];
  // What was given to another service waits for a person's word, and may be bought on it.
  return inShop === undefined || inShop.isOthers
    ? 0
    : Math.max(0, unitsUnbought(context, lineId) - inShop.ours);
};

/** What somebody else has shipped is not bought any more: what waits of it is nobody's business here. */
export function leaveShipped(context: OrderContext): Change<OrderContext> {
  const left = (lineId: string): number =>
    Math.min(unitsWaiting(context, lineId), shippedElsewhere(context, lineId));
  if (isOff(context) || !Object.keys(context.lines).some((lineId) => left(lineId) > 0)) return NOTHING;
  const lines = mapLines(context.lines, (units, lineId) => {
    const fromHeld = Math.min(left(lineId), units.held);
    return {
      ...units,
      outside: units.outside + left(lineId),
      unallocated: units.unallocated - (left(lineId) - fromHeld),
      held: units.held - fromHeld,
    };
  });
  return { context: { lines }, effects: [] };
}

/** Units outside that the shop has open again beyond all that waits or is bought: a fulfilment of others was undone. */
const reopened = (context: OrderContext, lineId: string): number => {
  const { outside } = context.lines[lineId] ?? NO_UNITS;
  const counted =
    unitsWaiting(context, lineId) +
    unitsOnSupplierOrders(context, lineId) +
    (context.withdrawn?.[lineId] ?? 0);
  return Math.min(outside, Math.max(0, (context.inShop[lineId]?.ours ?? 0) - counted));
};

/** They wait for a person's word. */
function holdReopened(context: OrderContext): Change<OrderContext> {
  if (isOff(context) || !Object.keys(context.lines).some((lineId) => reopened(context, lineId) > 0))
    return NOTHING;
  const cause = 'units that others had shipped are open again in the shop';
  const lines = mapLines(context.lines, (units, lineId) => {
    const back = reopened(context, lineId);
    return { ...units, outside: units.outside - back, held: units.held + back };
  });
  return inTurn(
    context,
    (now) => openHold(now, 'customer_edit_pending', {}, { cause }),
    () => ({ context: { lines }, effects: [] }),
  );
}

/** Why the shop does not have a line shipped by us. */
function causeAt({ inShop }: OrderContext, lineId: string): Evidence {
  const { deliveryMethod } = inShop[lineId] ?? {};
  if (deliveryMethod === undefined) return { cause: 'the shop gave this line to another fulfilment service' };
  const cause = 'no carrier brings this line: the customer picks it up, or the shop delivers it by itself';
  return { cause, deliveryMethod };
}

const holdOthers = (context: OrderContext, lineIds: readonly string[]): Change<OrderContext> =>
  openHolds(
    context,
    lineIds.map((lineId) => ({
      reason: 'fulfillment_not_ours',
      lineId,
      evidence: causeAt(context, lineId),
    })),
  );

/** Lines as a body has them, of which something waits that the shop gave to others. */
export const holdOthersLines = (context: OrderContext): Change<OrderContext> =>
  holdOthers(
    context,
    Object.keys(context.lines).filter(
      (lineId) => context.inShop[lineId]?.isOthers === true && (context.lines[lineId]?.held ?? 0) > 0,
    ),
  );

/** Tells the purchases that are not made yet and hold units that others ship, or lines that were given to them. */
function giveUpUnbought(context: OrderContext, given: readonly string[]): Change<OrderContext> {
  const over = new Map(
    Object.keys(context.lines).map((lineId) => [lineId, shippedElsewhere(context, lineId)]),
  );
  const toldIds: string[] = [];
  for (const [supplierOrderId, { units }] of unboughtOf(context)) {
    const lineIds = Object.keys(units);
    if (!lineIds.some((lineId) => given.includes(lineId) || (over.get(lineId) ?? 0) > 0)) continue;
    toldIds.push(supplierOrderId);
    for (const lineId of lineIds) over.set(lineId, (over.get(lineId) ?? 0) - (units[lineId] ?? 0));
  }
  return {
    context: {},
    effects: toldIds.map((supplierOrderId) => ({
      kind: 'tell_supplier_order',
      supplierOrderId,
      event: { type: 'order.cancelled' },
    })),
  };
}

/** Bought for certain, and nothing of it has left. */
const UNSENT: readonly SupplierOrderStateName[] = ['accepted', 'processing'];

/** Units bought and not sent, beyond what the shop has open for them: it shows them as shipped, or somebody else has them. */
const boughtElsewhere = (context: OrderContext, lineId: string): number =>
  unitsBeyondShop(context, lineId) - shippedElsewhere(context, lineId) - surplusOf(context, lineId);

/**
 * What is bought is not undone unasked: whoever shipped its units in the shop may have seen its parcel before we did. But
 * a person hears of it while it can still be cancelled; once, with the body that shows it.
 */
function holdBoughtTwice(context: OrderContext, before: OrderContext): Change<OrderContext> {
  // Of an order from a backup the shop may show what we shipped ourselves and forgot.
  if (context.isFromBackup) return NOTHING;
  const over = new Map<string, number>();
  for (const lineId of Object.keys(context.lines)) {
    const count = Math.max(0, boughtElsewhere(context, lineId));
    if (count > Math.max(0, boughtElsewhere(asBefore(context, before), lineId))) over.set(lineId, count);
  }
  const unsent = UNSENT.flatMap((state) =>
    Object.entries(context.supplierOrders).filter(([, part]) => part.state === state),
  );
  const held: ((now: OrderContext) => Change<OrderContext>)[] = [];
  for (const [supplierOrderId, { units }] of unsent) {
    const lineIds = Object.keys(units).filter((lineId) => (over.get(lineId) ?? 0) > 0);
    if (lineIds.length === 0) continue;
    for (const lineId of lineIds) over.set(lineId, (over.get(lineId) ?? 0) - (units[lineId] ?? 0));
    const evidence = { cause: BOUGHT_TWICE, lineIds: lineIds.join(', ') };
    held.push((now) =>
      openHold(now, 'fulfillment_not_ours', { supplierOrderId }, evidence, { isShippedEarly: true }),
    );
  }
  return inTurn(context, ...held);
}

/**
 * Follows who delivers what of an order with purchases: what others have shipped is not bought, what they took back
 * waits for a person, and so does what is not bought yet of lines that are another service's now.
 * @param before with the last body: a line is given away once, and after a person's word bought all the same.
 */
export function followOthers(context: OrderContext, before: OrderContext): Change<OrderContext> {
  if (isOff(context)) return NOTHING;
  const given = Object.keys(context.lines).filter(
    (lineId) =>
      context.inShop[lineId]?.isOthers === true &&
      (before.inShop[lineId]?.ours ?? 0) > 0 &&
      unitsUnbought(context, lineId) > 0,
  );
  return inTurn(
    context,
    leaveShipped,
    holdReopened,
    (now) => holdOthers(now, given),
    (now) => (given.length > 0 ? parkHeldLines(now) : NOTHING),
    (now) => giveUpUnbought(now, given),
    (now) => holdBoughtTwice(now, before),
  );
}
