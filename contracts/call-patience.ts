import type { Settings } from './settings.ts';
import { missingVariables, SUPPLIER_VARIABLES } from './supplier-variables.ts';
import { SUPPLIERS } from './vocabulary.ts';

/** Of one lane. Twice as many bring no more orders a second on two cores, and their calls run out of time. */
export const MOST_COMMANDS = 24;
/** A purchase makes four, and queries stand between them. */
const CALLS_OF_COMMAND = 6;
/** At one call a second, with what is added because the supplier's clock is not ours. */
const SPACING_MS = 1_100;

/**
 * Commands of a supplier at once. Each makes several calls one after another and all wait in the same line: with more of
 * them than two seconds of its rate, their waits would outlast the patience of a call.
 */
export const commandsAtOnce = (requestsPerSecond: number): number =>
  Math.min(MOST_COMMANDS, Math.max(2, Math.floor(requestsPerSecond * 2)));

/** How long the calls of all those commands take. */
const lineMs = (requestsPerSecond: number): number =>
  (commandsAtOnce(requestsPerSecond) * CALLS_OF_COMMAND * SPACING_MS) / requestsPerSecond;

/** For the answer to one request, from its sending. */
export const answerWithinMs = (settings: Settings): number =>
  settings.ORDER_MANAGER_CALL_TIMEOUT_SECONDS * 1_000;

/**
 * Milliseconds for what is asked of a supplier at once, which may be several requests and the waits for leave to send
 * each: never less than the longest line of a supplier needs, else nobody would ever come through where requests are few.
 */
export const callPatienceMs = (settings: Settings): number =>
  Math.max(
    answerWithinMs(settings),
    ...SUPPLIERS.filter((supplier) => missingVariables(settings, supplier).length === 0).map((supplier) =>
      lineMs(settings[SUPPLIER_VARIABLES[supplier].requestsPerSecond]),
    ),
  );
