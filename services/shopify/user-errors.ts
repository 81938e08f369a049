import { z } from 'zod';
import { cutTo } from '../store/storable.ts';
import { orNull } from './or-null.ts';
import { ShopError } from './shop-error.ts';

const UserError = z.object({ field: orNull(z.array(z.string())), message: z.string() });
/** Refusals that come as data. */
export const UserErrors = z.object({ userErrors: z.array(UserError) });

/** Turns a refusal that came as data into an error: nothing was done. */
export function assertTaken(deed: string, { userErrors }: z.infer<typeof UserErrors>): void {
  if (userErrors.length === 0) return;
  const message = cutTo(300, userErrors.map((error) => error.message).join(' '));
  throw new ShopError('permanent', `Shopify ${deed}: refused`, { userErrors: message });
}
