import type { z } from 'zod';
import { trackingKeyOf } from '../../contracts/ids.ts';
import type { Evidence, HoldReason } from '../../contracts/vocabulary.ts';
import { cutTo } from '../store/storable.ts';
import type { AdminClient } from './admin-client.ts';
import { toTrackingInfo } from './carriers.ts';
import { allNodes } from './connection.ts';
import { isOwnHold } from './mirror-holds.ts';
import {
  isBarred,
  isForCarrier,
  isOver,
  lineIdOf,
  type OpenWork,
  planFulfillments,
  sum,
  toUnitsByLine,
  type UnitsByLine,
} from './plan-fulfillments.ts';
import { type Ask, asking, readWorkAndShipments } from './read-work.ts';
import {
  CREATE_FULFILLMENT,
  CreateFulfillmentAnswer,
  FIRST_OF_ORDER,
  FIRST_SHIPMENT_LINES,
  FirstOfOrderAnswer,
  SHIPMENT_LINES,
  SHIPMENTS_LIMIT,
  type Shipment,
  ShipmentLinesAnswer,
} from './shipment-operations.ts';
import { isNotUnderstood, ShopError } from './shop-error.ts';

export interface ShipmentRequest {
  readonly orderGid: string;
  readonly parcel: {
    readonly trackingNumber: string;
    /** Numbers that it replaced: a fulfilment may show one of them still. */
    readonly earlierNumbers: readonly string[];
    readonly lastMileTrackingNumber: string | null;
    /** The supplier's name of the carrier, if it gave one. */
    readonly carrier: string | null;
    readonly trackingUrl: string | null;
    /** The shop's line item ids (digits) and the units in this parcel. */
    readonly lines: readonly { readonly lineItemId: string; readonly units: number }[];
  };
  /** Whether the shop may mail the buyer; it never does for a parcel of which it already showed something. */
  readonly notifyCustomer: boolean;
  /** What an `unknown` of the same parcel gave as `seenUnits`. Where fewer are seen now, nothing is created. */
  readonly doubt?: Readonly<Record<string, number>> | undefined;
  /** Units under the parcel's numbers that the shop shows of other parcels of ours. */
  readonly ofOthers?: UnitsByLine | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * - `created`, `adopted`: the shop shows the parcel; the first fulfilment made now, or one that stood there already.
 *   `isSole`: nothing else stands under its numbers. `missingUnits` of it are not shown: the shop had nothing left to fulfil of them (removed or shipped otherwise).
 * - `withheld`: a person has to look. Part of the parcel may be shown: `evidence.fulfillmentId`.
 * - `not_yet`: the order has no fulfilment orders. Shopify routes within minutes; later it is a missing scope.
 * - `unknown`: the shop may have made a fulfilment. Call again after five seconds or more with `seenUnits` as `doubt`; the
 *   reading decides. They are, by line item id, what was left to be fulfilled or stood under the parcel's numbers: a
 *   fulfilment of ours takes from the one and adds to the other.
 */
export type ShipResult =
  | {
      readonly how: 'created' | 'adopted';
      readonly fulfillmentId: string;
      readonly isSole: boolean;
      readonly missingUnits: number;
    }
  | {
      readonly how: 'withheld';
      readonly reason: HoldReason;
      readonly evidence: Evidence;
      /** A hold of ours stands there, perhaps beside others. */
      readonly isHeldByUs?: true;
      /** The shop has nothing left to fulfil of the parcel's units. */
      readonly isNothingLeft?: true;
      /** The shop shows us no such order: deleted, too old, or a scope is missing. */
      readonly isInvisible?: true;
    }
  | { readonly how: 'not_yet' }
  | Unknown;
type Withheld = Extract<ShipResult, { how: 'withheld' }>;
interface Unknown {
  readonly how: 'unknown';
  readonly evidence: Evidence;
  readonly seenUnits: Record<string, number>;
}

/** Whether a fulfilment shows the parcel: one of the numbers that it has or had, whoever made it. */
export function carriesNumberOf(
  parcel: Pick<ShipmentRequest['parcel'], 'trackingNumber' | 'earlierNumbers' | 'lastMileTrackingNumber'>,
): (shipment: Shipment) => boolean {
  const { trackingNumber, earlierNumbers, lastMileTrackingNumber } = parcel;
  return showsOneOf([trackingNumber, ...earlierNumbers, lastMileTrackingNumber ?? '']);
}

/** Whether a fulfilment shows one of these numbers, blanks and case aside. */
export function showsOneOf(numbers: readonly string[]): (shipment: Shipment) => boolean {
  const keys = numbers.map(trackingKeyOf);
  return ({ trackingInfo }) =>
    trackingInfo.some(
      ({ number }) => number !== null && number !== '' && keys.includes(trackingKeyOf(number)),
    );
}

type Lines = z.infer<typeof ShipmentLinesAnswer>['fulfillment'];
const unlessNotUnderstood = (error: unknown): null => {
  if (isNotUnderstood(error)) return null;
  throw error;
};

/** What is in one fulfilment; null where the shop does not say. */
async function readShipmentLines(ask: Ask, orderId: string, { id: fulfillmentId }: Shipment) {
  const read = async (after: string | null): Promise<Lines> =>
    (await ask(SHIPMENT_LINES, { fulfillmentId, after }, ShipmentLinesAnswer)).fulfillment;
  const first = await read(null).catch(unlessNotUnderstood);
  if (first !== null)
    return allNodes(first.fulfillmentLineItems, async (after) => (await read(after))?.fulfillmentLineItems);
  const { order } = await ask(FIRST_OF_ORDER, { orderId }, FirstOfOrderAnswer);
  const nodes = order?.fulfillments.find(({ id }) => id === fulfillmentId)?.fulfillmentLineItems.nodes;
  return nodes === undefined || nodes.length >= FIRST_SHIPMENT_LINES ? null : nodes;
}

/**
 * What is in fulfilments of an order. A quantity that Shopify keeps to itself counts as all: rather a unit too few in the
 * shop than one too many.
 * @param lineIds of which that is said where the shop does not even say the lines.
 */
export async function readUnits(
  ask: Ask,
  orderGid: string,
  lineIds: readonly string[],
  shipments: readonly Shipment[],
): Promise<UnitsByLine> {
  const units: (readonly [string, number])[] = [];
  for (const shipment of shipments) {
    const lines = await readShipmentLines(ask, orderGid, shipment);
    if (lines === null) units.push(...lineIds.map((lineId) => [lineId, Number.POSITIVE_INFINITY] as const));
    for (const { lineItem, quantity } of lines ?? [])
      units.push([lineIdOf(lineItem), quantity ?? Number.POSITIVE_INFINITY]);
  }
  return toUnitsByLine(units);
}

/** The shop's holds that mean one of ours; any other was put there by a person or an app for reasons of their own. */
const HOLD_REASON_OF: ReadonlyMap<string, HoldReason> = new Map([
  ['AWAITING_PAYMENT', 'payment_pending'],
  ['HIGH_RISK_OF_FRAUD', 'fraud_review'],
  ['INCORRECT_ADDRESS', 'address_invalid'],
  ['INVENTORY_OUT_OF_STOCK', 'out_of_stock'],
  ['ONLINE_STORE_POST_PURCHASE_CROSS_SELL', 'customer_edit_pending'],
]);

/** A reason of the shop's hold in our words. */
export const holdReasonOf = (shopReason: string): HoldReason => HOLD_REASON_OF.get(shopReason) ?? 'operator';

const withheld = (reason: HoldReason, evidence: Evidence): Withheld => ({
  how: 'withheld',
  reason,
  evidence,
});

function withheldBy(blocking: OpenWork, fulfillmentId: string | undefined): Withheld {
  const holds = blocking.fulfillmentHolds.map(({ reason }) => reason);
  const known = holds.map((reason) => HOLD_REASON_OF.get(reason)).find((reason) => reason !== undefined);
  const isHeld = blocking.status === 'ON_HOLD' || holds.length > 0;
  const result = withheld(isHeld ? (known ?? 'operator') : 'fulfillment_not_ours', {
    fulfillmentOrder: blocking.id,
    status: blocking.status,
    requestStatus: blocking.requestStatus,
    // As in an answer before buying: it is released here when the shop releases it.
    ...(isHeld || (isForCarrier(blocking) && isBarred(blocking))
      ? { heldInShop: holds.join(' ') || blocking.status }
      : {}),
    supportedActions: blocking.supportedActions.map(({ action }) => action).join(' '),
    deliveryMethod: blocking.deliveryMethod?.methodType ?? null,
    location: blocking.assignedLocation.name,
    ...(fulfillmentId === undefined ? {} : { fulfillmentId }),
  });
  return blocking.fulfillmentHolds.some(isOwnHold) ? { ...result, isHeldByUs: true } : result;
}

/** `isOfSeveral`: of one fulfilment from several fulfilment orders. */
type Refusal = { readonly how: 'refused'; readonly evidence: Evidence; readonly isOfSeveral: boolean };
type Created = { readonly how: 'done'; readonly id: string };

async function create(
  ask: Ask,
  fulfillment: object,
): Promise<Created | Omit<Refusal, 'isOfSeveral'> | Omit<Unknown, 'seenUnits'>> {
  try {
    const answer = await ask(CREATE_FULFILLMENT, { fulfillment }, CreateFulfillmentAnswer);
    const { fulfillment: made, userErrors } = answer.fulfillmentCreate;
    if (made !== null) return { how: 'done', id: made.id };
    const message = userErrors.map((error) => error.message).join(' ');
    const how = userErrors.length > 0 ? 'refused' : 'unknown';
    return { how, evidence: { userErrors: cutTo(300, message) } };
  } catch (error) {
    if (!(error instanceof ShopError) || error.failureClass !== 'unknown_outcome') throw error;
    return { how: 'unknown', evidence: error.evidence };
  }
}

async function tryToShip(
  ask: Ask,
  request: ShipmentRequest,
  isEachAlone = false,
): Promise<ShipResult | Refusal> {
  const { orderGid, parcel } = request;
  const order = await readWorkAndShipments(ask, orderGid);
  if (order === null) {
    const evidence = { order: 'not visible to this app', trackingNumber: parcel.trackingNumber };
    return { how: 'withheld', reason: 'fulfillment_not_ours', evidence, isInvisible: true };
  }
  const { shipments } = order;
  const ours = shipments.filter(carriesNumberOf(parcel));
  const standing = ours.filter(({ status }) => status !== 'CANCELLED');
  const lineIds = parcel.lines.map(({ lineItemId }) => lineItemId);
  const shown = await readUnits(ask, orderGid, lineIds, standing);
  const wanted = toUnitsByLine(parcel.lines.map(({ lineItemId, units }) => [lineItemId, units]));
  for (const [lineId, units] of wanted) {
    const own = Math.max(0, (shown.get(lineId) ?? 0) - (request.ofOthers?.get(lineId) ?? 0));
    wanted.set(lineId, Math.max(0, units - own));
  }

  const adopted = standing[0];
  if (adopted !== undefined && sum(wanted) === 0) {
    return { how: 'adopted', fulfillmentId: adopted.id, isSole: false, missingUnits: 0 };
  }
  if (shipments.length >= SHIPMENTS_LIMIT) {
    return withheld('duplicate_suspected', { fulfillments: shipments.length });
  }
  if (order.work.length === 0) return { how: 'not_yet' };

  const lines = order.work.filter((one) => !isOver(one)).flatMap((one) => one.lines);
  const remaining = lines.map((line) => [lineIdOf(line.lineItem), line.remainingQuantity] as const);
  const seen = toUnitsByLine([...remaining, ...shown]);
  for (const [lineId, units] of wanted) {
    const before = request.doubt?.[lineId] ?? 0;
    const now = seen.get(lineId) ?? 0;
    if (units > 0 && now < before)
      return withheld('duplicate_suspected', { lineItemId: lineId, before, now });
  }

  const { fulfillments, missingUnits, blocking } = planFulfillments(order.work, wanted, isEachAlone);
  const created: string[] = [];
  for (const lineItemsByFulfillmentOrder of fulfillments) {
    const notifyCustomer = request.notifyCustomer && ours.length === 0 && created.length === 0;
    const trackingInfo = toTrackingInfo(parcel);
    const outcome = await create(ask, { lineItemsByFulfillmentOrder, trackingInfo, notifyCustomer });
    if (outcome.how === 'refused') return { ...outcome, isOfSeveral: lineItemsByFulfillmentOrder.length > 1 };
    if (outcome.how === 'unknown') return { ...outcome, seenUnits: Object.fromEntries(seen) };
    created.push(outcome.id);
  }
  const fulfillmentId = created[0] ?? adopted?.id;
  if (blocking !== undefined) return withheldBy(blocking, fulfillmentId);
  if (fulfillmentId === undefined) {
    const { trackingNumber } = parcel;
    const evidence = {
      trackingNumber,
      wantedUnits: sum(wanted),
      remainingUnits: 0,
      orderCancelled: order.isCancelled,
    };
    return { how: 'withheld', reason: 'fulfillment_not_ours', evidence, isNothingLeft: true };
  }
  const isSole = created.length === 1 && ours.length === 0;
  return { how: created.length > 0 ? 'created' : 'adopted', fulfillmentId, isSole, missingUnits };
}

/**
 * Shows a parcel in the shop exactly once. Shopify knows no idempotency key here, so safety comes from reading first:
 * units that already stand in a living fulfilment under one of the parcel's numbers (blanks and case aside, whoever
 * made it) are not sent again, never more than remains is, and the caller holds a lock per order while this runs.
 * Units at several locations become one fulfilment each under the same number; a call that died between two of them
 * is completed by the next. Reads may be repeated within, the creation is not.
 * Throws ShopError when nothing was created by the failing call: `retryable` says whether to come back by itself.
 */
export async function shipParcel(client: AdminClient, request: ShipmentRequest): Promise<ShipResult> {
  const { signal } = request;
  const ask = asking(client, 'write', signal);
  const first = await tryToShip(ask, request);
  if (first.how !== 'refused') return first;
  // The refusal may come of a change between reading and writing.
  const second = await tryToShip(ask, request);
  if (second.how !== 'refused') return second;
  // Or of two locations that look like one.
  const last = second.isOfSeveral ? await tryToShip(ask, request, true) : second;
  return last.how === 'refused' ? withheld('fulfillment_not_ours', last.evidence) : last;
}
