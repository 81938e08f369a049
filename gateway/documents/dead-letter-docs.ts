import {
  DeadLetterList,
  DeadLetterListQuery,
  DeadLetterReceipt,
  DeadLetterView,
  EditDeadLetter,
  ReplayDeadLetters,
  SkipDeadLetter,
  SkipDeadLetters,
} from '../../contracts/resources/dead-letter.ts';
import { json } from './described.ts';
import type { RouteDoc } from './route-doc.ts';

const tag = 'Dead letters';
const params = { letterId: 'Id of a dead letter, like `17`.' };
const IN_TURN =
  'The order host does it in the order’s partition; then what waits behind the letter goes on, in its order. The same request again does nothing twice. A command or webhook is settled at once.';

export const DEAD_LETTER_DOCS: Readonly<Record<string, RouteDoc>> = {
  'GET /dead-letters': {
    tag,
    summary: 'List messages that were set aside, newest first',
    description: 'Without `state`, those that are not settled: `open`, and `parked` behind an open one.',
    query: DeadLetterListQuery,
    answers: { 200: json(DeadLetterList) },
  },
  'POST /dead-letters/replay': {
    tag,
    summary: 'Try all open letters of one reason again',
    body: json(ReplayDeadLetters, { reason: 'unreadable' }),
    answers: { 202: json(DeadLetterReceipt) },
  },
  'POST /dead-letters/skip': {
    tag,
    summary: 'Leave out all open letters of one reason',
    body: json(SkipDeadLetters, { reason: 'unreadable', note: 'noise of the old version' }),
    answers: { 202: json(DeadLetterReceipt) },
  },
  'GET /dead-letters/:letterId': {
    tag,
    summary: 'Get a dead letter with its message and what was asked for so far',
    params,
    answers: { 200: json(DeadLetterView) },
    problems: [404],
  },
  'POST /dead-letters/:letterId/replay': {
    tag,
    summary: 'Try a dead letter again',
    description: `${IN_TURN} What still cannot be taken stays open, with one attempt more. A webhook without a kept body answers 409.`,
    params,
    answers: { 202: json(DeadLetterReceipt) },
    problems: [404, 409],
  },
  'POST /dead-letters/:letterId/skip': {
    tag,
    summary: 'Leave a dead letter out',
    description: IN_TURN,
    params,
    body: json(SkipDeadLetter, { note: 'the purchase was made by hand' }),
    answers: { 202: json(DeadLetterReceipt) },
    problems: [404, 409],
  },
  'POST /dead-letters/:letterId/edit': {
    tag,
    summary: 'Take an event or a webhook with other data',
    description: `${IN_TURN} The data are held against the event’s contract, or are the webhook’s body; id, type and order stay as they are.`,
    params,
    body: json(EditDeadLetter, { note: 'the deadline had no name', data: { deadline: 'grace' } }),
    answers: { 202: json(DeadLetterReceipt) },
    problems: [404, 409],
  },
};
