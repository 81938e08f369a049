/** What the app must be allowed, with what does not work without it. */
export const NEEDED_SCOPES: Readonly<Record<string, string>> = {
  read_orders: 'orders cannot be read, and their webhooks do not come',
  write_orders: 'tags and notes cannot be written',
  read_fulfillments: 'webhooks about fulfilments do not come',
  write_fulfillments: 'the way of a parcel cannot be shown',
  read_products: 'webhooks about products do not come',
  read_merchant_managed_fulfillment_orders: 'nothing can be fulfilled: no fulfilment order is seen',
  write_merchant_managed_fulfillment_orders: 'nothing can be fulfilled, and holds cannot be shown',
};

/** One sentence for each missing scope. Whoever may write may also read. */
export const missingScopes = (granted: readonly string[]): string[] =>
  Object.entries(NEEDED_SCOPES)
    .filter(([scope]) => !granted.includes(scope) && !granted.includes(scope.replace(/^read_/, 'write_')))
    .map(([scope, effect]) => `scope ${scope} is missing: ${effect}`);
