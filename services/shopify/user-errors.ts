import type { UserError } from './operations.ts';
import { ShopError } from './shop-error.ts';

/** Turns a refusal that came as data into an error: nothing was done. */
export function assertTaken(
  deed: string,
  { userErrors }: { readonly userErrors: readonly UserError[] },
): void {
  if (userErrors.length === 0) return;
  const message = userErrors
    .map((error) => error.message)
    .join(' ')
    .slice(0, 300);
  throw new ShopError('permanent', `Shopify ${deed}: refused`, { userErrors: message });
}
