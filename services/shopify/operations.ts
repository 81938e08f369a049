import { z } from 'zod';
import { FIRST_WORK, WORK } from './work-fields.ts';

/*
 * Each operation next to the shape of its answer. One query may cost 1,000 points (an object 1, a connection its
 * size times its child); the page sizes are chosen to stay well below.
 */

/** A field without a value is null; a server between us and the shop may leave it out. */
export const orNull = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value) => value ?? null);

export const PageInfo = z.object({ hasNextPage: z.boolean(), endCursor: orNull(z.string()) });
interface Page<N> {
  readonly pageInfo: z.infer<typeof PageInfo>;
  readonly nodes: readonly N[];
}

/** Follows a connection to its end; a page that is gone meanwhile ends it too. */
export async function allNodes<N>(
  first: Page<N> | undefined,
  readNext: (after: string) => Promise<Page<N> | undefined>,
): Promise<N[]> {
  const nodes = [...(first?.nodes ?? [])];
  let page = first;
  while (page?.pageInfo.hasNextPage && page.pageInfo.endCursor !== null) {
    page = await readNext(page.pageInfo.endCursor);
    nodes.push(...(page?.nodes ?? []));
  }
  return nodes;
}

const LineItemRef = z.object({ id: z.string() });
const UserError = z.object({ field: orNull(z.array(z.string())), message: z.string() });
export type UserError = z.infer<typeof UserError>;

const FulfillmentOrderLine = z.object({
  id: z.string(),
  // Fewer than none are none: a line that lost units after they were shipped stops no order.
  remainingQuantity: z.int().transform((units) => Math.max(0, units)),
  // Only compared; where it is missing the comparison fails, and more is read.
  totalQuantity: z.int().catch(Number.NaN),
  lineItem: LineItemRef,
});

const FulfillmentOrderLines = z.object({ pageInfo: PageInfo, nodes: z.array(FulfillmentOrderLine) });

const FulfillmentOrder = z.object({
  id: z.string(),
  status: z.string(),
  requestStatus: z.string(),
  assignedLocation: z.object({ name: z.string(), countryCode: z.string(), city: z.string().nullish() }),
  deliveryMethod: orNull(z.object({ methodType: z.string() })),
  supportedActions: z.array(z.object({ action: z.string() })),
  fulfillmentHolds: z.array(
    z.object({
      id: z.string(),
      reason: z.string(),
      // A hold that does not say whose it is, is somebody else's.
      handle: orNull(z.string()),
      heldByRequestingApp: z
        .boolean()
        .nullish()
        .transform((isOurs) => isOurs === true),
    }),
  ),
  lineItems: FulfillmentOrderLines,
});

export const WorkPage = z.object({ pageInfo: PageInfo, nodes: z.array(FulfillmentOrder) });
export type WorkPage = z.infer<typeof WorkPage>;

/**
 * An order's fulfilment orders with what may be done to them and what remains on each line. The list is empty, without
 * an error, when the app lacks every scope for fulfilment orders or Shopify has not routed the order yet. About 360
 * points. The location's own id would need `read_locations`, its name does not.
 */
export const FULFILLMENT_ORDERS = `
  query FulfillmentOrders($orderId: ID!, $after: String) {
    order(id: $orderId) {
      id
      cancelledAt
      fulfillmentOrders(first: 8, after: $after) { ${WORK} }
    }
  }
`;
export const FulfillmentOrdersAnswer = z.object({
  order: z
    .object({
      id: z.string(),
      cancelledAt: orNull(z.string()),
      fulfillmentOrders: WorkPage,
    })
    .nullable(),
});

/** The lines of one fulfilment order that did not fit into `FULFILLMENT_ORDERS`. */
export const FULFILLMENT_ORDER_LINES = `
  query FulfillmentOrderLines($fulfillmentOrderId: ID!, $after: String) {
    fulfillmentOrder(id: $fulfillmentOrderId) {
      id
      lineItems(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { id remainingQuantity totalQuantity lineItem { id } }
      }
    }
  }
`;
export const FulfillmentOrderLinesAnswer = z.object({
  fulfillmentOrder: z.object({ id: z.string(), lineItems: FulfillmentOrderLines }).nullable(),
});

/** `Order.fulfillments` is a plain list: it cannot be paged beyond these. */
export const SHIPMENTS_LIMIT = 100;

const Shipment = z.object({
  id: z.string(),
  status: z.string(),
  trackingInfo: z.array(z.object({ number: orNull(z.string()) })),
});

/** An order's fulfilments, of whatever state and whoever made them, with their tracking numbers. About 700 points. */
export const SHIPMENTS = `
  query Shipments($orderId: ID!) {
    order(id: $orderId) {
      id
      fulfillments(first: ${SHIPMENTS_LIMIT}) {
        id
        status
        trackingInfo(first: 6) { number }
      }
    }
  }
`;
export const ShipmentsAnswer = z.object({
  order: z.object({ id: z.string(), fulfillments: z.array(Shipment) }).nullable(),
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
        trackingInfo(first: 6) { number }
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
export const ShipmentLinesAnswer = z.object({
  fulfillment: z
    .object({
      id: z.string(),
      fulfillmentLineItems: z.object({
        pageInfo: PageInfo,
        nodes: z.array(z.object({ quantity: orNull(z.int()), lineItem: LineItemRef })),
      }),
    })
    .nullable(),
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
  fulfillmentCreate: z.object({
    fulfillment: z.object({ id: z.string(), status: z.string() }).nullable(),
    userErrors: z.array(UserError),
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
/** Refusals that come as data. */
export const UserErrors = z.object({ userErrors: z.array(UserError) });
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
  fulfillment: z
    .object({
      id: z.string(),
      events: z.object({ nodes: z.array(z.object({ status: z.string(), happenedAt: z.string() })) }),
    })
    .nullable(),
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

/**
 * A second hold of one handle is refused, so that a repeat changes nothing. It asks for what our holds are known by: a
 * shop that does not know these fields refuses the whole, and no hold is placed that we could not lift again.
 */
export const PLACE_HOLD = `
  mutation PlaceHold($fulfillmentOrderId: ID!, $hold: FulfillmentOrderHoldInput!) {
    fulfillmentOrderHold(id: $fulfillmentOrderId, fulfillmentHold: $hold) {
      fulfillmentHold { id handle heldByRequestingApp }
      userErrors { field message }
    }
  }
`;
export const PlaceHoldAnswer = z.object({ fulfillmentOrderHold: UserErrors });

/** Lifts the named holds and no other. */
export const RELEASE_HOLDS = `
  mutation ReleaseHolds($fulfillmentOrderId: ID!, $holdIds: [ID!]) {
    fulfillmentOrderReleaseHold(id: $fulfillmentOrderId, holdIds: $holdIds) {
      fulfillmentOrder { id }
      userErrors { field message }
    }
  }
`;
export const ReleaseHoldsAnswer = z.object({ fulfillmentOrderReleaseHold: UserErrors });

export const Cost = z.object({
  requestedQueryCost: z.number(),
  throttleStatus: z.object({
    maximumAvailable: z.number(),
    currentlyAvailable: z.number(),
    restoreRate: z.number().positive(),
  }),
});
/** Points of the app's bucket in this shop; `restoreRate` per second. */
export type Cost = z.infer<typeof Cost>;

/** HTTP 200 with errors, as the library's GraphqlQueryError carries it in `body`. A null `data` is left out there. */
export const RefusedAnswer = z.object({
  errors: z.object({
    graphQLErrors: z
      .array(
        z.object({
          message: z.string(),
          path: z.array(z.union([z.string(), z.number()])).nullish(),
          extensions: z.object({ code: z.string().nullish().catch(null) }).nullish(),
        }),
      )
      .min(1),
  }),
  data: z.record(z.string(), z.unknown()).nullish(),
  extensions: z
    .object({ cost: Cost.optional().catch(undefined) })
    .optional()
    .catch(undefined),
});

export type RefusedAnswer = z.infer<typeof RefusedAnswer>;

export type FulfillmentOrder = z.infer<typeof FulfillmentOrder>;
export type FulfillmentOrderLine = z.infer<typeof FulfillmentOrderLine>;
export type Shipment = z.infer<typeof Shipment>;
