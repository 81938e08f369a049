/** A page of fulfilment orders, as every query reads it. */
export const WORK = `
  pageInfo { hasNextPage endCursor }
  nodes {
    id
    status
    requestStatus
    assignedLocation { name countryCode city }
    deliveryMethod { methodType }
    supportedActions { action }
    fulfillmentHolds { id reason handle heldByRequestingApp }
    lineItems(first: 20) {
      pageInfo { hasNextPage endCursor }
      nodes { id remainingQuantity totalQuantity lineItem { id } }
    }
  }
`;

/**
 * First fulfilment orders of an order, for queries that read more of it: 180 points, for these are asked for all the
 * time, and what is asked for must be in the bucket.
 */
export const FIRST_WORK = `fulfillmentOrders(first: 4) { ${WORK} }`;
