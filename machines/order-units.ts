import { NO_SHOP, type OrderReceived } from '../contracts/events/order-received.ts';
import type { RiskLevel } from '../contracts/events/order-risk-assessed.ts';
import type { ReleaseRequested } from '../contracts/events/release-requested.ts';
import { holdIdOf } from '../contracts/ids.ts';
import type { OrderRules } from '../contracts/order-rules.ts';
import type { Evidence, HoldReason, SupplierOrderStateName } from '../contracts/vocabulary.ts';
import type { Change, Effect, HoldScope } from './effect.ts';
import { isLineHeld, isLive, isStopped } from './hold-scope.ts';

/** Where the units of one order line are, besides those on supplier orders. */
export interface LineUnits {
  readonly ordered: number;
  /** Delivered by nobody or by another service: not ours to buy. */
  readonly outside: number;
  readonly unallocated: number;
  readonly held: number;
  readonly cancelled: number;
}

/** What the newest body says of a line. */
export interface ShopUnits {
  /** Ordered, less what was taken away since. */
  readonly units: number;
  /** Of those, ours to deliver and shown by no fulfilment yet, not even by one of ours. */
  readonly ours: number;
}

export interface SupplierOrderUnits {
  readonly state: SupplierOrderStateName;
  readonly units: Readonly<Record<string, number>>;
  /** Given back while the rest of it went on its way. */
  readonly returned?: Readonly<Record<string, number>>;
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
  /** Brought in as history: nobody is told now that it was received. */
  readonly isHistory?: boolean | undefined;
  /** There is a shop to ask before buying. */
  readonly canBeReread?: boolean | undefined;
  /** Of that question, while grace lasts: absent before it is put, or when it has to be put again. */
  readonly verification?: 'asked' | 'done' | undefined;
  readonly round: number;
  readonly lines: Readonly<Record<string, LineUnits>>;
  readonly inShop: Readonly<Record<string, ShopUnits>>;
  readonly supplierOrders: Readonly<Record<string, SupplierOrderUnits>>;
  readonly holds: Readonly<Record<string, OpenHold>>;
  /** As the shop last said; absent: it has not said anything. */
  readonly risk?: RiskLevel;
  /** Ids of holds whose release was a person's "go on with this". */
  readonly accepted?: readonly string[];
  /** Of the newest body that was taken; absent: the usual ones. */
  readonly rules?: OrderRules;
  /** Made by the API: no shop is told of its parcels, and payment is said here. */
  readonly isWithoutShop?: true;
  /** An operator cancelled it here; the shop may still want it. */
  readonly cancelledHere?: true;
  /** `wanted`: to be put away once nothing of it moves any more. */
  readonly archive?: 'wanted' | 'done';
  /** The address was put in here; what the shop says of addresses counts no more. */
  readonly hasAddressHere?: true;
  /** Units by line that were taken back here, of those that the shop still wants. */
  readonly withdrawn?: Readonly<Record<string, number>>;
}

export const liveSupplierOrders = (context: OrderContext): SupplierOrderUnits[] =>
  Object.values(context.supplierOrders).filter(isLive);

export const unitsOnSupplierOrders = (context: OrderContext, lineId: string): number =>
  liveSupplierOrders(context).reduce((sum, { units }) => sum + (units[lineId] ?? 0), 0);

export const hasUnitsToSource = (context: OrderContext): boolean =>
  Object.values(context.lines).some(({ unallocated }) => unallocated > 0);

export const hasHeldUnits = (context: OrderContext): boolean =>
  Object.values(context.lines).some(({ held }) => held > 0);

/** Nobody wants anything of it any more. What is bought already is a matter for a person. */
export const isOff = ({ cancelledInShop, cancelledHere, payment }: OrderContext): boolean =>
  cancelledInShop || cancelledHere === true || payment === 'voided' || payment === 'refunded';

/** Nothing of this order is ours to buy: digital goods, gift cards, or all of it taken back. */
export const hasNothingToShip = (context: OrderContext): boolean =>
  Object.values(context.lines).every(({ ordered, outside, cancelled }) => ordered === outside + cancelled);

export const mapLines = (
  lines: OrderContext['lines'],
  change: (units: LineUnits, lineId: string) => LineUnits,
): OrderContext['lines'] =>
  Object.fromEntries(Object.entries(lines).map(([lineId, units]) => [lineId, change(units, lineId)]));

/** For the agents that look after prices and products: somebody wanted what nobody has. */
const stockAlert = ({ lineId, supplierOrderId }: HoldScope): Effect => ({
  kind: 'fact',
  type: 'product.stock_alert',
  data: { lineId, supplierOrderId },
});

/** Opening the same hold twice changes nothing. */
export function openHold(
  context: Pick<OrderContext, 'orderId' | 'holds' | 'accepted'>,
  reason: HoldReason,
  scope: HoldScope,
  evidence: Evidence,
): Change<OrderContext> {
  const holdId = holdIdOf(context.orderId, reason, scope.supplierOrderId ?? scope.lineId ?? '');
  if (holdId in context.holds) return { context: {}, effects: [] };
  const { accepted = [] } = context;
  return {
    context: {
      holds: { ...context.holds, [holdId]: { reason, ...scope } },
      ...(accepted.includes(holdId) ? { accepted: accepted.filter((id) => id !== holdId) } : {}),
    },
    effects: [
      { kind: 'open_hold', holdId, reason, scope, evidence },
      { kind: 'fact', type: 'order.held', data: { reason, supplierOrderId: scope.supplierOrderId } },
      ...(reason === 'out_of_stock' ? [stockAlert(scope)] : []),
    ],
  };
}

/** A rule opened it for what a line was like; what a person holds only a person releases. */
export const isAboutLine = (hold: OpenHold): hold is OpenHold & { readonly lineId: string } =>
  hold.lineId !== undefined && hold.reason !== 'operator';

export type MatchesHold = (hold: OpenHold, holdId: string) => boolean;

export const hasHold = (context: OrderContext, matches: MatchesHold): boolean =>
  Object.entries(context.holds).some(([holdId, hold]) => matches(hold, holdId));

/** What waits of lines that are held themselves waits with their holds, whatever else of the order goes on. */
export const parkHeldLines = (context: OrderContext): Change<OrderContext> => ({
  context: {
    lines: mapLines(context.lines, (units, lineId) =>
      units.unallocated > 0 && hasHold(context, (hold) => hold.lineId === lineId)
        ? { ...units, unallocated: 0, held: units.held + units.unallocated }
        : units,
    ),
  },
  effects: [],
});

/** Units that no hold concerns go on. */
export const freedLines = (context: OrderContext): OrderContext['lines'] =>
  mapLines(context.lines, (units, lineId) =>
    isLineHeld(context, lineId) ? units : { ...units, unallocated: units.unallocated + units.held, held: 0 },
  );

/** Closes the matching holds; units and supplier orders that none of the others concerns go on. */
export function releaseHolds(context: OrderContext, matches: MatchesHold): Change<OrderContext> {
  const closed = Object.entries(context.holds).filter(([holdId, hold]) => matches(hold, holdId));
  if (closed.length === 0) return { context: {}, effects: [] };
  const ids = new Set(closed.map(([holdId]) => holdId));
  const holds = Object.fromEntries(Object.entries(context.holds).filter(([holdId]) => !ids.has(holdId)));
  const after = { ...context, holds };
  const resumed = Object.entries(context.supplierOrders).filter(
    ([id, part]) => isLive(part) && isStopped(context, id) && !isStopped(after, id),
  );
  return {
    context: {
      holds,
      lines: freedLines(after),
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
  ({ reason, lineIds, holdId }: ReleaseRequested) =>
  (hold: OpenHold, id: string): boolean =>
    hold.reason === reason &&
    (holdId === undefined || holdId === id) &&
    (lineIds === undefined || (hold.lineId !== undefined && lineIds.includes(hold.lineId)));

/** Where the units of a body's lines are before anything is sourced. */
export const unitsOfBody = (received: OrderReceived): OrderContext['lines'] =>
  Object.fromEntries(
    received.lines.map(({ lineId, units, openUnits, deliveredBy }) => {
      const ours = deliveredBy === 'us' ? openUnits : 0;
      const othersHeld = deliveredBy === 'other_service' ? openUnits : 0;
      const outside = units - ours - othersHeld;
      return [lineId, { ordered: units, outside, unallocated: ours, held: othersHeld, cancelled: 0 }];
    }),
  );

export const shopUnitsOf = (received: OrderReceived): OrderContext['inShop'] =>
  Object.fromEntries(
    received.lines.map(({ lineId, units, openUnits, deliveredBy }) => [
      lineId,
      { units, ours: deliveredBy === 'us' ? openUnits : 0 },
    ]),
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
  isHistory: received.history,
  canBeReread: received.canBeReread,
  round: 1,
  lines: unitsOfBody(received),
  inShop: shopUnitsOf(received),
  supplierOrders: {},
  holds: {},
  ...(received.rules === undefined ? {} : { rules: received.rules }),
  ...(received.shop === NO_SHOP ? { isWithoutShop: true } : {}),
});

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

/** Units by what it would take to call them back: nothing, the supplier's consent, or more than anybody can do. */
export interface CancelCost {
  readonly free: number;
  readonly mustAsk: number;
  readonly tooLate: number;
}

/** Some of it has left the supplier. */
export const LEFT: readonly SupplierOrderStateName[] = ['partially_shipped', 'shipped', 'delivered'];

export function cancelCostOf(context: OrderContext, lineId: string): CancelCost {
  const { unallocated = 0, held = 0 } = context.lines[lineId] ?? {};
  const count = (isThere: (state: SupplierOrderStateName) => boolean): number =>
    liveSupplierOrders(context)
      .filter(({ state }) => isThere(state))
      .reduce((sum, { units }) => sum + (units[lineId] ?? 0), 0);
  return {
    free: unallocated + held + count((state) => state === 'draft'),
    mustAsk: count((state) => state !== 'draft' && !LEFT.includes(state)),
    tooLate: count((state) => LEFT.includes(state)),
  };
}

const NO_UNITS: LineUnits = { ordered: 0, outside: 0, unallocated: 0, held: 0, cancelled: 0 };

/** Units of a line that are wanted: by the shop, less what was taken back here. */
export const wantedUnits = (context: OrderContext, lineId: string): number =>
  isOff(context) ? 0 : Math.max(0, (context.inShop[lineId]?.units ?? 0) - (context.withdrawn?.[lineId] ?? 0));

/** Units of a line that we count and nobody asks for any more; below zero: more are asked for. */
const surplusOf = (context: OrderContext, lineId: string): number => {
  const { ordered, cancelled } = context.lines[lineId] ?? NO_UNITS;
  return ordered - cancelled - wantedUnits(context, lineId);
};

/**
 * Tells the supplier orders that hold units nobody wants any more; all of them when the order is off. Call it after
 * {@link followShop}, which cancels what still waits. Each of them knows what can be done about it.
 */
export const callOffSurplus = (context: OrderContext): Change<OrderContext> => ({
  context: {},
  effects: Object.entries(context.supplierOrders)
    .filter(([, part]) => isLive(part))
    .filter(
      ([, { units }]) =>
        isOff(context) || Object.keys(units).some((lineId) => surplusOf(context, lineId) > 0),
    )
    .map(([supplierOrderId]) => ({
      kind: 'tell_supplier_order',
      supplierOrderId,
      event: { type: 'order.cancelled' },
    })),
});

/**
 * Follows the shop while supplier orders stand: what it takes away is cancelled as far as it still waits, what it adds
 * waits to be released. What is bought stays bought.
 */
export function followShop(context: OrderContext): Change<OrderContext> {
  const lines: Record<string, LineUnits> = {};
  for (const lineId of new Set([...Object.keys(context.lines), ...Object.keys(context.inShop)])) {
    const units = context.lines[lineId] ?? NO_UNITS;
    const surplus = surplusOf(context, lineId);
    const added = Math.max(0, -surplus);
    const ours = Math.min(added, context.inShop[lineId]?.ours ?? 0);
    const fromHeld = Math.min(Math.max(0, surplus), units.held);
    const fromUnallocated = Math.min(Math.max(0, surplus) - fromHeld, units.unallocated);
    lines[lineId] = {
      ordered: units.ordered + added,
      outside: units.outside + added - ours,
      unallocated: units.unallocated - fromUnallocated,
      held: units.held - fromHeld + ours,
      cancelled: units.cancelled + fromHeld + fromUnallocated,
    };
  }
  return { context: { lines }, effects: [] };
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
