import { CircuitState } from 'cockatiel';
import { FAILURE_CLASSES, SUPPLIERS } from '../contracts/vocabulary.ts';
import { gauge, histogram, liveParts, SECONDS } from './figures.ts';
import { inSpan } from './tracing.ts';

const TARGETS = [...SUPPLIERS, 'shopify', 'smtp'] as const;
type Target = (typeof TARGETS)[number];
const OUTCOMES = ['ok', 'not_sent', 'unforeseen', ...FAILURE_CLASSES] as const;
/** `not_sent`: it never left us. */
export type CallOutcome = (typeof OUTCOMES)[number];
const BREAKER_STATES = ['closed', 'half_open', 'open'] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];
const STATE_NAMES: Record<CircuitState, BreakerState> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half_open',
  [CircuitState.Isolated]: 'open',
};
export const breakerStateOf = (state: CircuitState): BreakerState => STATE_NAMES[state];

const durations = histogram(
  {
    name: 'outside_call_duration_seconds',
    help: 'Calls of suppliers, shop and mail server, their retries and waits included',
    buckets: SECONDS,
  },
  // The operations are names in our own code: methods of an adapter, operations of the shop.
  { target: TARGETS, operation: [] as readonly string[], outcome: OUTCOMES },
);

const breakers = liveParts<{ readonly target: Target; readonly state: () => BreakerState }>();
gauge(
  { name: 'outside_breaker', help: '1 for the state that the circuit breaker of this process is in' },
  { target: TARGETS, state: BREAKER_STATES },
  (set) => {
    for (const { target, state } of breakers) {
      const now = state();
      for (const each of BREAKER_STATES) set({ target, state: each }, each === now ? 1 : 0);
    }
  },
);

/** Shows the state of a breaker from now on. */
export const watchBreaker = (target: Target, state: () => BreakerState): (() => void) =>
  breakers.add({ target, state });

/**
 * Makes a call of the outside world as a span, and measures it.
 * @param operation a name from our own code, never data.
 * @param judge says what the result, or what was thrown, came to.
 */
export async function outsideCall<T>(
  target: Target,
  operation: string,
  call: () => Promise<T>,
  judge: {
    readonly result?: (result: T) => CallOutcome;
    readonly error: (error: unknown) => CallOutcome;
    readonly onEnd?: (outcome: CallOutcome, seconds: number) => void;
  },
): Promise<T> {
  const begun = performance.now();
  const end = (outcome: CallOutcome): void => {
    const seconds = (performance.now() - begun) / 1_000;
    durations.observe({ target, operation, outcome }, seconds);
    judge.onEnd?.(outcome, seconds);
  };
  try {
    const result = await inSpan({ name: `${target} ${operation}`, kind: 'client' }, call);
    end(judge.result?.(result) ?? 'ok');
    return result;
  } catch (error) {
    end(judge.error(error));
    throw error;
  }
}
