import { z } from 'zod';
import { PageInfo } from './connection.ts';
import { orEmpty, orNull } from './or-null.ts';
import { UserErrors } from './user-errors.ts';
import { WORK } from './work-fields.ts';

const FulfillmentOrderLine = z.object({
  id: z.string(),
  // Fewer than none are none: a line that lost units after they were shipped stops no order.
  remainingQuantity: z.int().transform((units) => Math.max(0, units)),
  // Only compared; where it is missing the comparison fails, and more is read.
  totalQuantity: z.int().catch(Number.NaN),
  lineItem: z.object({ id: z.string() }),
});

const FulfillmentOrderLines = z.object({ pageInfo: PageInfo, nodes: z.array(FulfillmentOrderLine) });

const FulfillmentHold = z.object({
  id: z.string(),
  // A hold that does not say whose it is, is somebody else's.
  handle: orNull(z.string()),
  heldByRequestingApp: z
    .boolean()
    .nullish()
    .transform((isOurs) => isOurs === true),
});

const FulfillmentOrder = z.object({
  id: z.string(),
  status: z.string(),
  requestStatus: z.string(),
  assignedLocation: z.object({
    name: z.string(),
    countryCode: orNull(z.string()),
    city: z.string().nullish(),
  }),
  deliveryMethod: orNull(z.object({ methodType: z.string() })),
  supportedActions: z.array(z.object({ action: z.string() })),
  fulfillmentHolds: orEmpty(FulfillmentHold.extend({ reason: z.string() })),
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
export const PlaceHoldAnswer = z.object({
  fulfillmentOrderHold: UserErrors.extend({ fulfillmentHold: orNull(FulfillmentHold) }),
});

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

export type FulfillmentOrder = z.infer<typeof FulfillmentOrder>;
export type FulfillmentHold = z.infer<typeof FulfillmentHold>;
export type FulfillmentOrderLine = z.infer<typeof FulfillmentOrderLine>;
