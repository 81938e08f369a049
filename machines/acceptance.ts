import type { HoldReason } from '../contracts/vocabulary.ts';
import { type Change, NOTHING } from './change.ts';
import type { MatchesHold } from './holds.ts';
import type { OrderContext } from './order-context.ts';

/** Holds about a judgement: whoever releases one says "go on with this", and the same facts hold nothing again. */
const ACCEPTABLE: readonly HoldReason[] = [
  'margin_below_floor',
  'cost_above_cap',
  'daily_cap_reached',
  'address_invalid',
  'phone_invalid',
  'tax_id_missing',
];

/**
 * Remembers which openings a person accepted. Their facts are the evidence of the stored holds, which whoever asks
 * again compares; `openHold` forgets the acceptance when such a hold is opened on other facts.
 */
export function acceptHolds(context: OrderContext, matches: MatchesHold): Change<OrderContext> {
  const accepted = Object.entries(context.holds)
    .filter(([holdId, hold]) => ACCEPTABLE.includes(hold.reason) && matches(hold, holdId))
    .map(([holdId]) => holdId);
  if (accepted.length === 0) return NOTHING;
  return { context: { accepted: [...(context.accepted ?? []), ...accepted] }, effects: [] };
}
