import { withoutValues } from '../../../contracts/redact.ts';
import type { PlacedOrder, Recipient } from '../adapter.ts';
import { withoutPersonalData } from '../exchange.ts';
import { textsOf } from '../recipient.ts';
import type { InterceptReason } from './responses.ts';

const UNNAMED = 'CJ names no reason';

/** CJ's reasons in one text without personal data; null where it has none. */
export function wordsOf(reasons: readonly InterceptReason[]): string | null {
  if (reasons.length === 0) return null;
  const texts = reasons.map(({ code, message }) => [code, message].filter((part) => part !== null).join(' '));
  return withoutPersonalData(texts.filter((text) => text !== '').join('; ')) || UNNAMED;
}

/** That CJ took the order and will not go on with it: it may quote the address that it dislikes. */
export function heldBack(
  reasons: readonly InterceptReason[],
  recipient: Recipient,
): Pick<PlacedOrder, 'heldBack'> {
  const words = wordsOf(reasons);
  return words === null ? {} : { heldBack: withoutValues(words, textsOf(recipient)) };
}
