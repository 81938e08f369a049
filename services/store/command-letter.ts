import { z } from 'zod';
import type { DeadLetterReason } from '../../contracts/dead-letters.ts';
import type { DeadLetterRow } from './dead-letters.ts';
import { cutTo } from './storable.ts';

const OfOrder = z.object({ data: z.object({ orderId: z.string().regex(/^\w{1,80}$/) }) });

/** The order that a command is about; null where it does not say so, or nobody can read it. */
function orderIdIn(payload: string): string | null {
  try {
    return OfOrder.parse(JSON.parse(payload)).data.orderId;
  } catch {
    return null;
  }
}

/** Ours have less than a hundred characters; an index of the database holds no more than 2,704 bytes. */
const LONGEST_SUBJECT = 500;

/** A command that nobody carries out, as a letter. @param failure the described error, as JSON. */
export const commandLetter = (
  { subject, payload }: { readonly subject: string; readonly payload: string },
  reason: DeadLetterReason,
  failure: string,
): DeadLetterRow => ({
  order_id: orderIdIn(payload),
  message_id: cutTo(LONGEST_SUBJECT, subject),
  subject: cutTo(LONGEST_SUBJECT, subject),
  seq: 0,
  // PostgreSQL keeps no zero bytes: a letter with one could never be put down, and would come again instead.
  payload: payload.replaceAll('\u0000', '\ufffd'),
  kind: 'command',
  state: 'open',
  reason,
  failure,
  attempts: 1,
});
