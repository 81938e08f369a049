import type { Settings } from './settings.ts';
import { missingVariables, SUPPLIER_VARIABLES } from './supplier-variables.ts';
import { SUPPLIERS } from './vocabulary.ts';

/** Two purchases are under way at once where a supplier is slow, of four calls each; queries stand between them. */
const CALLS_IN_LINE = 12;
/** At one call a second, with what is added because the supplier's clock is not ours. */
const SPACING_MS = 1_100;

/** For the answer to one request, from its sending. */
export const answerWithinMs = (settings: Settings): number =>
  settings.ORDER_MANAGER_CALL_TIMEOUT_SECONDS * 1_000;

/**
 * Milliseconds for what is asked of a supplier at once, which may be several requests and the waits for leave to send
 * each: never less than the line before it needs at the rate of the slowest supplier, else nobody would ever come
 * through where requests are few.
 */
export const callPatienceMs = (settings: Settings): number =>
  Math.max(
    answerWithinMs(settings),
    ...SUPPLIERS.filter((supplier) => missingVariables(settings, supplier).length === 0).map(
      (supplier) => (CALLS_IN_LINE * SPACING_MS) / settings[SUPPLIER_VARIABLES[supplier].requestsPerSecond],
    ),
  );
