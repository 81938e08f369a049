import { z } from 'zod';
import { eventTypeOf } from './subjects.ts';

/**
 * An event stops its order until it is settled; a command stops nothing, since the deadline of its asker asks again; a
 * webhook, verified and not to be taken as it is, stops nothing either: the shop is read again anyway.
 */
export const DEAD_LETTER_KINDS = ['event', 'command', 'webhook'] as const;
export const DeadLetterKind = z.enum(DEAD_LETTER_KINDS);
export type DeadLetterKind = z.infer<typeof DeadLetterKind>;

/** `open` failed itself; `parked` waits behind an open one of its order; the others are settled. */
export const DeadLetterState = z.enum(['open', 'parked', 'replayed', 'edited', 'skipped']);
export type DeadLetterState = z.infer<typeof DeadLetterState>;

export const DEAD_LETTER_REASONS = [
  'unreadable',
  'impossible',
  'unstorable',
  'refused',
  'failed',
  'undelivered',
] as const;
export const DeadLetterReason = z.enum(DEAD_LETTER_REASONS);
export type DeadLetterReason = z.infer<typeof DeadLetterReason>;

const DEAD_LETTER_ACTIONS = ['replay', 'skip', 'edit'] as const;
export const DeadLetterAction = z.enum(DEAD_LETTER_ACTIONS);
export type DeadLetterAction = z.infer<typeof DeadLetterAction>;

/** What a letter is once that was done. */
export const SETTLED = {
  replay: 'replayed',
  skip: 'skipped',
  edit: 'edited',
} as const satisfies Readonly<Record<DeadLetterAction, DeadLetterState>>;

/** The data of a command follow from its order: there is nothing to edit. */
export const actionsOn = (kind: DeadLetterKind): DeadLetterAction[] =>
  DEAD_LETTER_ACTIONS.filter((action) => action !== 'edit' || kind !== 'command');

/** Type of the event, service and verb of the command, or topic of the webhook. */
export function messageNameOf(kind: DeadLetterKind, subject: string): string {
  if (kind === 'webhook') return subject;
  return kind === 'event' ? eventTypeOf(subject) : subject.split('.').slice(2, 4).join('.');
}

/** Every reason in plain words: what is the matter, and what usually mends it. */
export const DEAD_LETTER_WORDS: Readonly<Record<DeadLetterReason, { means: string; mend: string }>> = {
  unreadable: {
    means: 'nobody can read the message: it is no JSON, of a type nobody knows, or not as its contract says',
    mend: 'replay it under a version that reads it, edit its data, or skip it',
  },
  impossible: {
    means: 'the order cannot take it: units would be lost or invented, or it belongs to another order',
    mend: 'replay it once the cause is gone, edit its data, or skip it',
  },
  unstorable: {
    means: 'the database refuses what follows from it',
    mend: 'mend the database and replay it, edit its data, or skip it',
  },
  refused: {
    means: 'its service refuses the command for good',
    mend: 'mend what the failure names and replay it, or skip it',
  },
  failed: {
    means: 'the command failed on every try for a cause that nobody foresaw',
    mend: 'look at the failure in the log, mend it and replay it, or skip it',
  },
  undelivered: {
    means: 'whoever took the command died or hung, again and again, and never answered',
    mend: 'look into the log of its service for how it ended, then replay it, or skip it',
  },
};
