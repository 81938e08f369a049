import { z } from 'zod';
import { PageInfo } from './connection.ts';
import { orNull } from './or-null.ts';
import { UserErrors } from './user-errors.ts';
import { FIRST_WORK } from './work-fields.ts';
import { WorkPage } from './work-operations.ts';

/** `Order.fulfillments` is a plain list: it cannot be paged beyond these. */
export const SHIPMENTS_LIMIT = 100;
/** Of one fulfilment, which is a plain list too. */
export const NUMBERS_LIMIT = 6;

const Shipment = z.object({
  id: z.string(),
  status: z.string(),
  trackingInfo: z.array(z.object({ number: orNull(z.string()), url: orNull(z.string()) })),
});

/** An order's fulfilments, of whatever state and whoever made them, with their tracking numbers. About 700 points. */
export const SHIPMENTS = `
  query Shipments($orderId: ID!) {
    order(id: $orderId) {
      id
      cancelledAt
      fulfillments(first: ${SHIPMENTS_LIMIT}) {
        id
        status
        trackingInfo(first: ${NUMBERS_LIMIT}) { number url }
      }
    }
  }
`;
export const ShipmentsAnswer = z.object({
  order: z
    .object({ id: z.string(), cancelledAt: orNull(z.string()), fulfillments: z.array(Shipment) })
    .nullable(),
});

/** Fulfilments that come along with the work. */
export const FIRST_SHIPMENTS = 20;

/** What may still be sent and what was sent, in one look of about 320 points; see `readWorkAndShipments`. */
export const WORK_AND_SHIPMENTS = `
  query WorkAndShipments($orderId: ID!) {
    order(id: $orderId) {
      id
      cancelledAt
      ${FIRST_WORK}
      fulfillments(first: ${FIRST_SHIPMENTS}) {
        id
        status
        totalQuantity
        trackingInfo(first: ${NUMBERS_LIMIT}) { number }
      }
    }
  }
`;
export const WorkAndShipmentsAnswer = z.object({
  order: z
    .object({
      id: z.string(),
      cancelledAt: orNull(z.string()),
      fulfillmentOrders: WorkPage,
      fulfillments: z.array(Shipment.extend({ totalQuantity: z.int().catch(Number.NaN) })),
    })
    .nullable(),
});

/** What is in one fulfilment. */
export const SHIPMENT_LINES = `
  query ShipmentLines($fulfillmentId: ID!, $after: String) {
    fulfillment(id: $fulfillmentId) {
      id
      fulfillmentLineItems(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { quantity lineItem { id } }
      }
    }
  }
`;
const ShipmentLine = z.object({ quantity: orNull(z.int()), lineItem: z.object({ id: z.string() }) });
export const ShipmentLinesAnswer = z.object({
  fulfillment: orNull(
    z.object({
      id: z.string(),
      fulfillmentLineItems: z.object({ pageInfo: PageInfo, nodes: z.array(ShipmentLine) }),
    }),
  ),
});

/** Lines of a fulfilment that come along with its order. */
export const FIRST_SHIPMENT_LINES = 20;

/** What is in an order's first fulfilments, and how far they are, of a shop that shows none by itself. About 620 points. */
export const FIRST_OF_ORDER = `
  query FirstOfOrder($orderId: ID!) {
    order(id: $orderId) {
      id
      fulfillments(first: 15) {
        id
        displayStatus
        fulfillmentLineItems(first: ${FIRST_SHIPMENT_LINES}) { nodes { quantity lineItem { id } } }
      }
    }
  }
`;
export const FirstOfOrderAnswer = z.object({
  order: orNull(
    z.object({
      id: z.string(),
      fulfillments: z.array(
        z.object({
          id: z.string(),
          displayStatus: orNull(z.string()),
          fulfillmentLineItems: z.object({ nodes: z.array(ShipmentLine) }),
        }),
      ),
    }),
  ),
});

/** Repeats are not recognised by Shopify: a repeated partial quantity ships again. See `shipParcel`. */
export const CREATE_FULFILLMENT = `
  mutation CreateFulfillment($fulfillment: FulfillmentInput!) {
    fulfillmentCreate(fulfillment: $fulfillment) {
      fulfillment { id status }
      userErrors { field message }
    }
  }
`;
export const CreateFulfillmentAnswer = z.object({
  fulfillmentCreate: UserErrors.extend({
    fulfillment: z.object({ id: z.string(), status: z.string() }).nullable(),
  }),
});

/** Replaces all numbers of a fulfilment, so that a repeat changes nothing but the mail it may send. */
export const UPDATE_TRACKING = `
  mutation UpdateTracking($fulfillmentId: ID!, $trackingInfo: FulfillmentTrackingInput!, $notifyCustomer: Boolean) {
    fulfillmentTrackingInfoUpdate(
      fulfillmentId: $fulfillmentId
      trackingInfoInput: $trackingInfo
      notifyCustomer: $notifyCustomer
    ) {
      fulfillment { id }
      userErrors { field message }
    }
  }
`;
export const UpdateTrackingAnswer = z.object({ fulfillmentTrackingInfoUpdate: UserErrors });

/** The last checkpoints that the shop shows of a fulfilment, the latest first. */
export const FULFILLMENT_EVENTS = `
  query FulfillmentEvents($fulfillmentId: ID!) {
    fulfillment(id: $fulfillmentId) {
      id
      events(first: 50, reverse: true) { nodes { status happenedAt } }
    }
  }
`;
export const FulfillmentEventsAnswer = z.object({
  fulfillment: orNull(
    z.object({
      id: z.string(),
      events: z.object({ nodes: z.array(z.object({ status: z.string(), happenedAt: z.string() })) }),
    }),
  ),
});

/** Repeats are not recognised by Shopify: read the events first. */
export const CREATE_FULFILLMENT_EVENT = `
  mutation CreateFulfillmentEvent($event: FulfillmentEventInput!) {
    fulfillmentEventCreate(fulfillmentEvent: $event) {
      fulfillmentEvent { id }
      userErrors { field message }
    }
  }
`;
export const CreateFulfillmentEventAnswer = z.object({ fulfillmentEventCreate: UserErrors });

export type Shipment = z.infer<typeof Shipment>;
