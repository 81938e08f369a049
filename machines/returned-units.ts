import { LEFT } from './cancel-cost.ts';
import { type Change, NOTHING } from './change.ts';
import type { OrderContext, ShopUnits } from './order-context.ts';
import { liveSupplierOrders } from './order-units.ts';
import { unitsOfLine } from './units.ts';
import { isOff, NO_UNITS, wantedUnits } from './wanted-units.ts';

const NOTHING_OPEN: ShopUnits = { units: 0, ours: 0 };

/** How many units the shop counts less by its newest body, and how many of them it had open: the others were shipped. */
function fewerUnits(before: ShopUnits = NOTHING_OPEN, after: ShopUnits = NOTHING_OPEN) {
  const units = Math.max(0, before.units - after.units);
  // What is another service's is open or shipped there, which we do not see.
  if (before.isOthers || after.isOthers) return { units, open: units };
  return { units, open: Math.min(units, Math.max(0, before.ours - after.ours)) };
}

/**
 * Units that were taken back here and that the shop counts still: what it takes away itself before it is shipped was taken
 * back here first, as whoever gives the money back there does it after. @param inShop by the newest body.
 */
export function stillWithdrawn(
  { inShop: before, withdrawn }: OrderContext,
  inShop: OrderContext['inShop'],
): Pick<OrderContext, 'withdrawn'> {
  if (withdrawn === undefined) return {};
  const left = Object.entries(withdrawn).map(([lineId, count]): [string, number] => [
    lineId,
    Math.max(0, count - fewerUnits(before[lineId], inShop[lineId]).open),
  ]);
  return { withdrawn: Object.fromEntries(left) };
}

/** Units of ours that have not left, beyond what the shop has open for us and what was taken back here. */
export function unitsBeyondShop(context: OrderContext, lineId: string): number {
  const { unallocated, held } = context.lines[lineId] ?? NO_UNITS;
  const unsent = liveSupplierOrders(context).filter(({ state }) => !LEFT.includes(state));
  const open = (context.inShop[lineId]?.ours ?? 0) - (context.withdrawn?.[lineId] ?? 0);
  return Math.max(0, unallocated + held + unitsOfLine(lineId, unsent) - open);
}

/** What we count now, as it looked by the last body: what was taken back here goes with what the shop takes away. */
export const asBefore = (
  context: OrderContext,
  { inShop, withdrawn }: Pick<OrderContext, 'inShop' | 'withdrawn'>,
): OrderContext => ({ ...context, inShop, ...(withdrawn === undefined ? {} : { withdrawn }) });

const lineIdsOf = (context: OrderContext, before: OrderContext): string[] => [
  ...new Set([...Object.keys(before.inShop), ...Object.keys(context.inShop)]),
];

/** The shop took away what nobody had shipped: a return alone asks nobody for anything. @param before with the last body. */
export const isTakenAway = (context: OrderContext, before: OrderContext): boolean =>
  lineIdsOf(context, before).some(
    (lineId) => fewerUnits(before.inShop[lineId], context.inShop[lineId]).open > 0,
  );

/**
 * Remembers units that came back after they had been shipped: bodies write them off like those that an edit takes away,
 * but no purchase is the less wanted for them. In doubt a unit came back, as in the seconds in which one that has left
 * does not stand in the shop yet: what is called off for nothing never comes.
 * @param before with the last body.
 */
export function rememberReturned(context: OrderContext, before: OrderContext): Change<OrderContext> {
  if (isOff(context)) return NOTHING;
  const returned = { ...context.returned };
  for (const lineId of lineIdsOf(context, before)) {
    const after = context.inShop[lineId];
    const fewer = fewerUnits(before.inShop[lineId], after);
    const known = (before.withdrawn?.[lineId] ?? 0) - (context.withdrawn?.[lineId] ?? 0);
    const [units, open] = [fewer.units - known, fewer.open - known];
    const taken = after?.isOthers ? open : Math.min(open, unitsBeyondShop(context, lineId));
    // Of units that were taken back here none was wanted any more.
    const unwanted = wantedUnits(asBefore(context, before), lineId) - wantedUnits(context, lineId);
    const back = Math.min(units - taken, unwanted);
    if (back > 0) returned[lineId] = (returned[lineId] ?? 0) + back;
  }
  return Object.keys(returned).length === 0 ? NOTHING : { context: { returned }, effects: [] };
}
