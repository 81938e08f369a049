import type { ParcelStateName } from '../../contracts/vocabulary.ts';
import type { Ask } from './read-work.ts';
import {
  CREATE_FULFILLMENT_EVENT,
  CreateFulfillmentEventAnswer,
  FIRST_OF_ORDER,
  FirstOfOrderAnswer,
  FULFILLMENT_EVENTS,
  FulfillmentEventsAnswer,
} from './shipment-operations.ts';
import { isNotUnderstood } from './shop-error.ts';
import { assertTaken } from './user-errors.ts';

/** What the shop calls a parcel's state; null: before the first scan there is nothing to tell. */
const EVENT_OF: Record<ParcelStateName, string | null> = {
  announced: null,
  first_scan: 'CARRIER_PICKED_UP',
  in_transit: 'IN_TRANSIT',
  out_for_delivery: 'OUT_FOR_DELIVERY',
  delivered: 'DELIVERED',
  available_for_pickup: 'READY_FOR_PICKUP',
  attempt_failed: 'ATTEMPTED_DELIVERY',
  exception: 'FAILURE',
  delayed: 'DELAYED',
  lost: 'FAILURE',
  returned: 'FAILURE',
};

interface Seen {
  readonly state: ParcelStateName;
  /** When that state was seen. */
  readonly seenAt: string;
}

interface Checkpoint {
  readonly fulfillmentId: string;
  readonly status: string;
  readonly happenedAt: string;
}

/** As the shop shows the last one told, of a shop that shows no checkpoints. */
async function isShownLast(
  ask: Ask,
  orderId: string,
  fulfillmentId: string,
  status: string,
): Promise<boolean> {
  const { order } = await ask(FIRST_OF_ORDER, { orderId }, FirstOfOrderAnswer);
  const shown = order?.fulfillments.find(({ id }) => id === fulfillmentId)?.displayStatus;
  return shown === status || (shown === 'NOT_DELIVERED' && status === 'FAILURE');
}

/**
 * A parcel may come to a state again: it is told where that state is not the last one told, but for the very moment that
 * was told already.
 */
async function isTold(
  ask: Ask,
  orderId: string,
  { fulfillmentId, status, happenedAt }: Checkpoint,
): Promise<boolean> {
  const shown = await ask(FULFILLMENT_EVENTS, { fulfillmentId }, FulfillmentEventsAnswer).catch(
    (error: unknown) => {
      if (isNotUnderstood(error)) return null;
      throw error;
    },
  );
  const nodes = shown?.fulfillment?.events.nodes;
  if (nodes === undefined) return isShownLast(ask, orderId, fulfillmentId, status);
  const isThis = (event: (typeof nodes)[number]): boolean =>
    event.status === status && Date.parse(event.happenedAt) === Date.parse(happenedAt);
  return nodes[0]?.status === status || nodes.some(isThis);
}

/**
 * Tells the shop the state of a parcel as a checkpoint of its fulfilment.
 * @param isFirst nobody can have told one before. Else the shop, which takes the same one twice, is asked for it first.
 * @throws ShopError.
 */
export async function addCheckpoint(
  ask: Ask,
  orderId: string,
  fulfillmentId: string,
  parcel: Seen,
  isFirst: boolean,
): Promise<void> {
  const status = EVENT_OF[parcel.state];
  if (status === null) return;
  const event = { fulfillmentId, status, happenedAt: parcel.seenAt };
  if (!isFirst && (await isTold(ask, orderId, event))) return;
  const answer = await ask(CREATE_FULFILLMENT_EVENT, { event }, CreateFulfillmentEventAnswer);
  assertTaken('fulfillment event', answer.fulfillmentEventCreate);
}
