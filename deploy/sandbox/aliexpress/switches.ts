import { z } from 'zod';

const DAY_MS = 86_400_000;
const Milliseconds = z.int().nonnegative();

/** What can be turned at the AliExpress part of the world, each with the reading that holds by default. */
export const AliExpressSwitches = z.strictObject({
  requestsPerSecond: z.int().positive(),
  /** Whether two calls may be under way at once; false bans whoever tries. */
  isParallelAllowed: z.boolean(),
  /** How long a ban for too many calls lasts, and says so. */
  banSeconds: z.int().positive(),
  /** How far its clock is ahead of the caller's. */
  clockAheadMs: z.int(),
  /** Life of access and refresh tokens issued from now on: 30 and 60 days online, 1 and 2 for an app in test. */
  accessTokenTtlMs: z.int().positive(),
  refreshTokenTtlMs: z.int().positive(),
  /** Whether the answer to a refresh repeats the refresh token. */
  isRefreshTokenRepeated: z.boolean(),
  /**
   * `wrapped`: `{inner:[…]}`, and `{}` when empty. `array`: bare. `single`: a lone entry is `{inner:entry}`.
   * `bare`: a lone entry stands in the holder's place. `missing`: wrapped, and an empty list is left out.
   */
  listShape: z.enum(['wrapped', 'array', 'single', 'bare', 'missing']),
  /** `usual`: products and orders are numbers, SKUs text. `number`: SKUs too, which are beyond 2^53. */
  ids: z.enum(['usual', 'number', 'text']),
  /** The name above the answer to an order query; `renamed` changes the inner names of its lists as well. */
  orderAnswerName: z.enum(['documented', 'renamed']),
  /** Whether `try_to_pay` pays. If not, the order is created all the same and stays unpaid. */
  isAutoPayAllowed: z.boolean(),
  /** The same out_order_id again: refused, answered with the first order ids, or bought a second time. */
  repeatedOrder: z.enum(['refused', 'first', 'second']),
  /** How long an out_order_id is remembered. */
  repeatWindowMs: Milliseconds,
  /** How long an order waits for its payment. */
  payTimeoutMs: z.int().positive(),
  /** How many parcels an order of two or more pieces is sent in. */
  parcels: z.union([z.literal(1), z.literal(2)]),
  /** `swapped`: of two pushes that follow each other, the later one goes first. */
  pushes: z.enum(['once', 'twice', 'swapped', 'dropped']),
  pushDelayMs: Milliseconds,
  pushRetryMs: Milliseconds,
  /** How long the app's callback may take to answer. */
  pushAnswerMs: z.int().positive(),
});
export type AliExpressSwitches = z.infer<typeof AliExpressSwitches>;

export const USUAL_SWITCHES: AliExpressSwitches = {
  requestsPerSecond: 50,
  isParallelAllowed: true,
  banSeconds: 5,
  clockAheadMs: 0,
  accessTokenTtlMs: 30 * DAY_MS,
  refreshTokenTtlMs: 60 * DAY_MS,
  isRefreshTokenRepeated: true,
  listShape: 'wrapped',
  ids: 'usual',
  orderAnswerName: 'documented',
  isAutoPayAllowed: true,
  repeatedOrder: 'refused',
  repeatWindowMs: DAY_MS,
  payTimeoutMs: 12 * DAY_MS,
  parcels: 1,
  pushes: 'once',
  pushDelayMs: 0,
  pushRetryMs: 1_000,
  pushAnswerMs: 500,
};
