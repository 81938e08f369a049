import { GraphQLError } from 'graphql';

/** What the sandbox app may do: all that the operations of this world need in the real shop. */
export const SCOPES = [
  'read_orders',
  'write_orders',
  'read_fulfillments',
  'write_fulfillments',
  'read_products',
  'read_merchant_managed_fulfillment_orders',
  'write_merchant_managed_fulfillment_orders',
  'read_third_party_fulfillment_orders',
];

const FULFILL = 'write_merchant_managed_fulfillment_orders';
/** What the real shop asks of a caller, by the operation's field. */
const NEEDED: Readonly<Record<string, string>> = {
  order: 'read_orders',
  orders: 'read_orders',
  orderUpdate: 'write_orders',
  tagsAdd: 'write_orders',
  fulfillmentCreate: FULFILL,
  fulfillmentTrackingInfoUpdate: FULFILL,
  fulfillmentOrderHold: FULFILL,
  fulfillmentOrderReleaseHold: FULFILL,
  fulfillmentEventCreate: 'write_fulfillments',
};

/** The errors of an operation that needs what the app may not. */
export const deniedFields = (rootFields: readonly string[], granted: readonly string[]): GraphQLError[] =>
  rootFields.flatMap((field) => {
    const scope = NEEDED[field];
    if (scope === undefined || granted.includes(scope)) return [];
    const message = `Access denied for ${field} field. Required access: \`${scope}\` access scope.`;
    return new GraphQLError(message, { path: [field], extensions: { code: 'ACCESS_DENIED' } });
  });

/**
 * Which fulfilment orders the shop shows: each kind to whoever may read that kind. It says nothing of the others, nor
 * that there are any.
 */
export const seesFulfillmentOrder = (
  granted: readonly string[],
  { service }: { readonly service: string },
): boolean => {
  const kind = service === 'manual' ? 'merchant_managed' : 'third_party';
  return ['read', 'write'].some((may) => granted.includes(`${may}_${kind}_fulfillment_orders`));
};
