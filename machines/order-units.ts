import { AppError } from '../contracts/errors.ts';
import type { OrderReceived } from '../contracts/events/order-received.ts';
import type { OrderSourced, SourcedPart } from '../contracts/events/order-sourced.ts';
import type { ReleaseRequested } from '../contracts/events/release-requested.ts';
import { holdIdOf, supplierOrderIdOf } from '../contracts/ids.ts';
import type { Evidence, HoldReason, SupplierOrderStateName } from '../contracts/vocabulary.ts';
import type { Change, Effect, HoldScope } from './effect.ts';

/** Where the units of one order line are, besides those on supplier orders. */
export interface LineUnits {
  readonly ordered: number;
  /** Delivered by nobody or by another service: not ours to buy. */
  readonly outside: number;
  readonly unallocated: number;
  readonly held: number;
  readonly cancelled: number;
}

export interface SupplierOrderUnits {
  readonly state: SupplierOrderStateName;
  readonly units: Readonly<Record<string, number>>;
}

export interface OpenHold extends HoldScope {
  readonly reason: HoldReason;
}

/** Counts, flags and ids only: guards need no more, and nothing here names a person. */
export interface OrderContext {
  readonly orderId: string;
  readonly sourceUpdatedAt: string;
  readonly payment: OrderReceived['payment'];
  readonly cancelledInShop: boolean;
  readonly test: boolean;
  readonly hasAddress: boolean;
  readonly graceOver: boolean;
  readonly round: number;
  readonly lines: Readonly<Record<string, LineUnits>>;
  readonly supplierOrders: Readonly<Record<string, SupplierOrderUnits>>;
  readonly holds: Readonly<Record<string, OpenHold>>;
}

const DEAD: readonly SupplierOrderStateName[] = ['rejected', 'cancelled', 'lapsed'];

export const isLive = ({ state }: SupplierOrderUnits): boolean => !DEAD.includes(state);

export const liveSupplierOrders = (context: OrderContext): SupplierOrderUnits[] =>
  Object.values(context.supplierOrders).filter(isLive);

export const unitsOnSupplierOrders = (context: OrderContext, lineId: string): number =>
  liveSupplierOrders(context).reduce((sum, { units }) => sum + (units[lineId] ?? 0), 0);

export const isHeld = (context: OrderContext): boolean => Object.keys(context.holds).length > 0;

export const hasUnitsToSource = (context: OrderContext): boolean =>
  Object.values(context.lines).some(({ unallocated }) => unallocated > 0);

/** Nothing of this order is ours to buy: digital goods, gift cards, or all of it taken back. */
export const hasNothingToShip = (context: OrderContext): boolean =>
  Object.values(context.lines).every(({ ordered, outside, cancelled }) => ordered === outside + cancelled);

const mapLines = (
  lines: OrderContext['lines'],
  change: (units: LineUnits, lineId: string) => LineUnits,
): OrderContext['lines'] =>
  Object.fromEntries(Object.entries(lines).map(([lineId, units]) => [lineId, change(units, lineId)]));

/** Opening the same hold twice changes nothing. */
export function openHold(
  context: Pick<OrderContext, 'orderId' | 'holds'>,
  reason: HoldReason,
  scope: HoldScope,
  evidence: Evidence,
): Change<OrderContext> {
  const holdId = holdIdOf(context.orderId, reason, scope.supplierOrderId ?? scope.lineId ?? '');
  if (holdId in context.holds) return { context: {}, effects: [] };
  return {
    context: { holds: { ...context.holds, [holdId]: { reason, ...scope } } },
    effects: [
      { kind: 'open_hold', holdId, reason, scope, evidence },
      { kind: 'fact', type: 'order.held', data: { reason, supplierOrderId: scope.supplierOrderId } },
    ],
  };
}

/** Closes the matching holds; units held on their account are free to be sourced again when the last one is gone. */
export function releaseHolds(
  context: OrderContext,
  matches: (hold: OpenHold) => boolean,
): Change<OrderContext> {
  const closed = Object.entries(context.holds).filter(([, hold]) => matches(hold));
  if (closed.length === 0) return { context: {}, effects: [] };
  const ids = new Set(closed.map(([holdId]) => holdId));
  const holds = Object.fromEntries(Object.entries(context.holds).filter(([holdId]) => !ids.has(holdId)));
  const isLast = Object.keys(holds).length === 0;
  const resumed = isLast ? Object.entries(context.supplierOrders).filter(([, part]) => isLive(part)) : [];
  return {
    context: {
      holds,
      lines: isLast
        ? mapLines(context.lines, (units) => ({
            ...units,
            unallocated: units.unallocated + units.held,
            held: 0,
          }))
        : context.lines,
    },
    effects: [
      ...[...ids].map((holdId): Effect => ({ kind: 'close_hold', holdId })),
      ...closed.map(([, { reason }]): Effect => ({ kind: 'fact', type: 'order.released', data: { reason } })),
      ...resumed.map(
        ([supplierOrderId]): Effect => ({
          kind: 'tell_supplier_order',
          supplierOrderId,
          event: { type: 'order.resumed' },
        }),
      ),
    ],
  };
}

export const matchesRequest =
  ({ reason, lineIds }: ReleaseRequested) =>
  (hold: OpenHold): boolean =>
    hold.reason === reason &&
    (lineIds === undefined || (hold.lineId !== undefined && lineIds.includes(hold.lineId)));

/** Where the units of a body's lines are before anything is sourced. */
const unitsOfBody = (received: OrderReceived): OrderContext['lines'] =>
  Object.fromEntries(
    received.lines.map(({ lineId, units, openUnits, deliveredBy }) => {
      const ours = deliveredBy === 'us' ? openUnits : 0;
      const othersHeld = deliveredBy === 'other_service' ? openUnits : 0;
      const outside = units - ours - othersHeld;
      return [lineId, { ordered: units, outside, unallocated: ours, held: othersHeld, cancelled: 0 }];
    }),
  );

/** The context of an order never seen before. */
export const newOrderContext = (received: OrderReceived): OrderContext => ({
  orderId: received.orderId,
  sourceUpdatedAt: received.sourceUpdatedAt,
  payment: received.payment,
  cancelledInShop: received.cancelled,
  test: received.test,
  hasAddress: received.hasAddress,
  graceOver: false,
  round: 1,
  lines: unitsOfBody(received),
  supplierOrders: {},
  holds: {},
});

const sameUnits = (a: OrderContext['lines'], b: OrderContext['lines']): boolean => {
  const ordered = (lines: OrderContext['lines']): string =>
    JSON.stringify(
      Object.entries(lines)
        .map(([lineId, units]) => [lineId, units.ordered - units.outside])
        .sort(),
    );
  return ordered(a) === ordered(b);
};

/** Several pure changes, each on top of the one before. */
export function inTurn(
  context: OrderContext,
  ...changes: ((context: OrderContext) => Change<OrderContext>)[]
): Change<OrderContext> {
  let changed: Partial<OrderContext> = {};
  const effects: Effect[] = [];
  for (const change of changes) {
    const next = change({ ...context, ...changed });
    changed = { ...changed, ...next.context };
    effects.push(...next.effects);
  }
  return { context: changed, effects };
}

/** Holds that follow from a body; opening one that stands already changes nothing. */
export const holdsOfBody = (context: OrderContext): Change<OrderContext> =>
  inTurn(
    context,
    (now) =>
      now.test
        ? openHold(now, 'operator', {}, { cause: 'test order: never bought, whatever is released' })
        : { context: {}, effects: [] },
    (now) =>
      !now.cancelledInShop && !now.hasAddress && hasUnitsToSource(now)
        ? openHold(now, 'address_invalid', {}, { missing: 'name, street, city or country to ship to' })
        : { context: {}, effects: [] },
    ...Object.entries(context.lines).flatMap(([lineId, { held }]) =>
      held === 0
        ? []
        : [
            (now: OrderContext) =>
              openHold(
                now,
                'fulfillment_not_ours',
                { lineId },
                { cause: 'the shop gave this line to another fulfilment service' },
              ),
          ],
    ),
  );

/**
 * Takes a newer body. Before anything is on a supplier order its lines replace ours; afterwards a difference, or a
 * cancel, is a matter for a person: drafts are given up, what is bought stays.
 */
export function takeNewerBody(context: OrderContext, received: OrderReceived): Change<OrderContext> {
  const cancelledInShop = context.cancelledInShop || received.cancelled;
  const { payment, sourceUpdatedAt, hasAddress } = received;
  const taken: Change<OrderContext> = {
    context: { payment, sourceUpdatedAt, hasAddress, cancelledInShop },
    effects: [{ kind: 'fact', type: 'order.updated', data: {} }],
  };
  const lines = unitsOfBody(received);
  const isNothingBought = Object.keys(context.supplierOrders).length === 0;
  if (isNothingBought) {
    const isEdited = !sameUnits(context.lines, lines);
    return inTurn(
      context,
      () => taken,
      (now) =>
        hasAddress
          ? releaseHolds(now, ({ reason }) => reason === 'address_invalid')
          : { context: {}, effects: [] },
      // Holds on lines were about the old lines; those that still hold are opened anew here or by the next sourcing.
      (now) =>
        isEdited ? releaseHolds(now, ({ lineId }) => lineId !== undefined) : { context: {}, effects: [] },
      () =>
        isEdited
          ? { context: { lines }, effects: [{ kind: 'save_lines', lines: received.lines }] }
          : { context: {}, effects: [] },
      (now) => (isEdited || !hasAddress ? holdsOfBody(now) : { context: {}, effects: [] }),
    );
  }
  const isOff = cancelledInShop || payment === 'voided' || payment === 'refunded';
  const wasOff = context.cancelledInShop || context.payment === 'voided' || context.payment === 'refunded';
  const live = Object.entries(context.supplierOrders).filter(([, part]) => isLive(part));
  return inTurn(
    context,
    () => taken,
    (now) => {
      if (isOff ? wasOff : sameUnits(now.lines, lines)) return { context: {}, effects: [] };
      const cause = isOff
        ? 'cancelled or refunded in the shop after buying began'
        : 'edited in the shop after buying began';
      return openHold(now, 'customer_edit_pending', {}, { cause });
    },
    () => ({
      context: {},
      effects: isOff
        ? live.map(
            ([supplierOrderId]): Effect => ({
              kind: 'tell_supplier_order',
              supplierOrderId,
              event: { type: 'order.cancelled' },
            }),
          )
        : [],
    }),
  );
}

/** A draft that was never bought is given up: its units are cancelled with the order. */
export function applyGivenUp(context: OrderContext, supplierOrderId: string): Change<OrderContext> {
  const given = context.supplierOrders[supplierOrderId];
  if (given === undefined || !isLive(given)) return { context: {}, effects: [] };
  return {
    context: {
      supplierOrders: { ...context.supplierOrders, [supplierOrderId]: { ...given, state: 'cancelled' } },
      lines: mapLines(context.lines, (units, lineId) => ({
        ...units,
        cancelled: units.cancelled + (given.units[lineId] ?? 0),
      })),
    },
    effects: [],
  };
}

/** Nothing is bought and nothing will be: what is left is cancelled, and no hold needs a person any more. */
export const cancelRest = (context: OrderContext): Change<OrderContext> =>
  inTurn(
    context,
    (now) => releaseHolds(now, () => true),
    (now) => ({
      context: {
        lines: mapLines(now.lines, (units) => ({
          ...units,
          unallocated: 0,
          held: 0,
          cancelled: units.cancelled + units.unallocated + units.held,
        })),
      },
      effects: [],
    }),
  );

/** Units by order line; a line may stand in a part more than once, as a bundle does. */
export function unitsOfPart(part: SourcedPart): Record<string, number> {
  const units: Record<string, number> = {};
  for (const line of part.lines) units[line.lineId] = (units[line.lineId] ?? 0) + line.units;
  return units;
}

/**
 * Takes a whole plan or none of it: while one line cannot be had, nothing is bought, and the order waits where it is
 * with a hold for each refused line.
 * @throws AppError `conservation_violated` when a plan without refusals does not take exactly the units that wait.
 */
export function applySourced(context: OrderContext, sourced: OrderSourced): Change<OrderContext> {
  if (sourced.refused.length > 0) {
    const refused = new Set(sourced.refused.map(({ lineId }) => lineId));
    let holds = context.holds;
    const effects: Effect[] = [];
    for (const { lineId, reason, evidence } of sourced.refused) {
      const opened = openHold({ orderId: context.orderId, holds }, reason, { lineId }, evidence);
      holds = opened.context.holds ?? holds;
      effects.push(...opened.effects);
    }
    const lines = mapLines(context.lines, (units, lineId) =>
      refused.has(lineId) ? { ...units, unallocated: 0, held: units.held + units.unallocated } : units,
    );
    return { context: { holds, lines }, effects };
  }
  const supplierOrders = { ...context.supplierOrders };
  const taken: Record<string, number> = {};
  const effects: Effect[] = [{ kind: 'fact', type: 'order.sourced', data: {} }];
  for (const part of sourced.parts) {
    const supplierOrderId = supplierOrderIdOf(context.orderId, part.supplier, part.part, sourced.round);
    const units = unitsOfPart(part);
    supplierOrders[supplierOrderId] = { state: 'draft', units };
    for (const [lineId, count] of Object.entries(units)) taken[lineId] = (taken[lineId] ?? 0) + count;
    effects.push({ kind: 'create_supplier_order', supplierOrderId, part });
  }
  for (const lineId of new Set([...Object.keys(context.lines), ...Object.keys(taken)])) {
    const [wanted, planned] = [context.lines[lineId]?.unallocated ?? 0, taken[lineId] ?? 0];
    if (wanted === planned) continue;
    throw new AppError(
      'conservation_violated',
      `the plan takes ${planned} of ${wanted} units of line ${lineId}`,
      {
        retryable: false,
      },
    );
  }
  const lines = mapLines(context.lines, (units) => ({ ...units, unallocated: 0 }));
  return { context: { lines, supplierOrders }, effects };
}

/** The purchase came to nothing: its units wait under a hold instead of vanishing with it. */
export function applyFailed(
  context: OrderContext,
  supplierOrderId: string,
  reason: HoldReason,
  evidence: Evidence,
): Change<OrderContext> {
  const failed = context.supplierOrders[supplierOrderId];
  if (failed === undefined || !isLive(failed)) return { context: {}, effects: [] };
  const hold = openHold(context, reason, { supplierOrderId }, evidence);
  return {
    context: {
      ...hold.context,
      supplierOrders: { ...context.supplierOrders, [supplierOrderId]: { ...failed, state: 'rejected' } },
      lines: mapLines(context.lines, (units, lineId) => ({
        ...units,
        held: units.held + (failed.units[lineId] ?? 0),
      })),
    },
    effects: hold.effects,
  };
}
