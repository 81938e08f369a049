import {
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  type Policy,
} from 'cockatiel';

/** Timers may fire a moment early by the wall clock. */
const LATE_MS = 100;

/**
 * A circuit breaker that opens after so many failures in a row, and lets one call try after the pause. The package
 * reckons the pause by the wall clock: one that is set back meanwhile would keep it open for as much longer, with
 * nothing sent, so that it is closed here by a timer.
 */
export function steadyBreaker(failures: Policy, toOpen: number, pauseMs: number): CircuitBreakerPolicy {
  const breaker = circuitBreaker(failures, {
    halfOpenAfter: pauseMs,
    breaker: new ConsecutiveBreaker(toOpen),
  });
  breaker.onBreak((reason) => {
    if ('isolated' in reason) return;
    const openedAt = Date.now();
    setTimeout(() => {
      const isSetBack = Date.now() - openedAt < pauseMs;
      if (isSetBack && breaker.state === CircuitState.Open) breaker.isolate().dispose();
    }, pauseMs + LATE_MS).unref();
  });
  return breaker;
}
