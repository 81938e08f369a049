import type { Recipient, RecipientCheck } from '../adapter.ts';
import { prepareAddress } from './address.ts';

/** What CJ would be sent for that recipient: what stops it, and what is changed on the way. */
export function checkRecipient(recipient: Recipient): RecipientCheck {
  const { problems, repairs } = prepareAddress(recipient);
  return { problems, repairs };
}
