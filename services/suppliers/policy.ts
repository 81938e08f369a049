import {
  CircuitState,
  DelegateBackoff,
  handleWhen,
  type IRetryBackoffContext,
  isBrokenCircuitError,
  isIsolatedCircuitError,
  isTaskCancelledError,
  retry,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import { MOST_COMMANDS } from '../../contracts/call-patience.ts';
import type { FailureClass } from '../../contracts/vocabulary.ts';
import { type BreakerState, breakerStateOf } from '../outside-call.ts';
import { steadyBreaker } from '../steady-breaker.ts';
import type { SupplierAdapter } from './adapter.ts';
import { checked } from './checked.ts';
import { createCrowd } from './crowd.ts';
import { SupplierError } from './supplier-error.ts';

export interface PatientAdapter extends SupplierAdapter {
  /** `half_open` also when the pause is over and nobody has called yet: the next call is let through. */
  breakerState(): BreakerState;
  /** Commands that may be at work here at once: fewer after answers came too late, one until the breaker is closed. */
  commandsAtOnce(): number;
}

export interface Patience {
  /**
   * For one try of one method, which may be several requests and the waits for leave to send them. Those of `REQUESTS_OF`
   * have it as often as they make requests one after another.
   */
  readonly callTimeoutMs: number;
  /** How long an open breaker refuses before it lets one call try. */
  readonly halfOpenAfterMs: number;
  /** While answers come in time. */
  readonly commandsAtOnce?: number;
}

/**
 * Requests that follow one another in one call: each answer may take all the time that an answer has, and a supplier that
 * needs so much for each is slow, not away. A quote reads the product, its stock and the freight; a look-up the order, the
 * list of each state that it may be in, and the codes; a payment is due after the order was read, confirmed and read
 * again, and the account was.
 */
export const REQUESTS_OF = { quote: 3, lookUp: 7, preparePayment: 4 } as const;
const FAILURES_TO_OPEN = 5;
const RETRIES = 3;
/** An adapter that is told to stop says better than we can what became of its call; then we stop waiting. */
const LAST_WORD_MS = 1_000;
const FIRST_DELAY_MS = 200;
/** Suppliers count by the second. */
const FIRST_THROTTLED_DELAY_MS = 1_100;

/** In a pause of the supplier's own making every try of the next seconds would end the same. */
const isRepeatable = (error: unknown): boolean =>
  error instanceof SupplierError
    ? error.retryable && error.evidence.pausedForMs === undefined
    : isTaskCancelledError(error);

/**
 * Whether the remote is to blame. Of the passing failures an adapter marks those that are not with evidence
 * `outage: false`: nothing was sent for want of leave or token, or a sound answer said "not yet".
 */
const isOutage = (error: unknown): boolean => {
  if (!(error instanceof SupplierError)) return isTaskCancelledError(error);
  if (error.failureClass === 'unknown_outcome') return true;
  return error.failureClass === 'transient' && error.evidence.outage !== false;
};

/** Nobody answered while it was waited for: there may be too many who ask. */
const isLate = (error: unknown): boolean =>
  error instanceof SupplierError ? error.evidence.network === 'aborted' : isTaskCancelledError(error);

const backoff = new DelegateBackoff(({ attempt, result }: IRetryBackoffContext<unknown>) => {
  const error = 'error' in result ? result.error : null;
  const isThrottled = error instanceof SupplierError && error.failureClass === 'throttled';
  const first = isThrottled ? FIRST_THROTTLED_DELAY_MS : FIRST_DELAY_MS;
  return first * 2 ** (attempt - 1) * (1 + Math.random() / 4);
});

type Call<T> = (signal: AbortSignal) => Promise<T>;

/**
 * Aborts so long after `signal` that an adapter can still say what became of its call: whoever was told to stop while it
 * waited for leave has sent nothing, and has seen no outage.
 */
function outlasting(signal: AbortSignal): { readonly signal: AbortSignal; end(): void } {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    timer = setTimeout(() => late.abort(), LAST_WORD_MS);
  };
  if (signal.aborted) start();
  else signal.addEventListener('abort', start, { once: true });
  return {
    signal: late.signal,
    end() {
      signal.removeEventListener('abort', start);
      clearTimeout(timer);
    },
  };
}

/** Cockatiel's own errors become ours; everything else passes. */
const translate =
  (onTimeout: FailureClass) =>
  (error: unknown): never => {
    if (isBrokenCircuitError(error) || isIsolatedCircuitError(error)) {
      throw new SupplierError(
        'transient',
        'not called: breaker is open',
        { breaker: 'open', sent: false },
        error,
      );
    }
    if (isTaskCancelledError(error)) {
      throw new SupplierError(onTimeout, 'no answer in time', { timeout: true }, error);
    }
    throw error;
  };

/**
 * The adapter with its answers checked, a timeout, one breaker for all its methods and, for what is safe to repeat, three
 * retries with backoff. `place`, `pay` and `cancel` go out once. An open breaker rejects before the call: `transient`,
 * evidence `breaker: 'open'`. A timeout of `place` or `pay` is `unknown_outcome` unless the adapter knows that nothing was
 * sent. Make it once per adapter: the breaker is memory shared by all calls.
 */
export function withPolicy(
  unchecked: SupplierAdapter,
  { callTimeoutMs, halfOpenAfterMs, commandsAtOnce = MOST_COMMANDS }: Patience,
): PatientAdapter {
  const adapter = checked(unchecked);
  const breaker = steadyBreaker(handleWhen(isOutage), FAILURES_TO_OPEN, halfOpenAfterMs);
  let openedAt = 0;
  breaker.onBreak(() => {
    openedAt = Date.now();
  });
  const crowd = createCrowd(commandsAtOnce);
  breaker.onSuccess(() => crowd.answered());
  breaker.onFailure(({ duration, reason }) => {
    if ('error' in reason && isLate(reason.error)) crowd.late(performance.now() - duration);
  });
  // The breaker notices the end of its pause only when it is called: whoever asks before calling would wait for ever.
  const isPauseOver = (): boolean =>
    breaker.state === CircuitState.Open && Date.now() - openedAt >= halfOpenAfterMs;
  // A call that has ended needs no abort: that one makes an error with its stack each time.
  const within = (ms: number) =>
    wrap(
      breaker,
      timeout(ms + LAST_WORD_MS, { strategy: TimeoutStrategy.Aggressive, abortOnReturn: false }),
      timeout(ms, { strategy: TimeoutStrategy.Cooperative, abortOnReturn: false }),
    );
  const once = within(callTimeoutMs);
  const onceQuoted = within(callTimeoutMs * REQUESTS_OF.quote);
  const onceLookedUp = within(callTimeoutMs * REQUESTS_OF.lookUp);
  const onceDue = within(callTimeoutMs * REQUESTS_OF.preparePayment);
  // It asks nobody as a rule, and says nothing of the supplier. One that never ends would keep all who ask this service waiting.
  const reading = timeout(callTimeoutMs, { strategy: TimeoutStrategy.Aggressive, abortOnReturn: false });
  const repeatedly = retry(handleWhen(isRepeatable), { maxAttempts: RETRIES, backoff });

  const tryOnce = async <T>(signal: AbortSignal, call: Call<T>, tries = once): Promise<T> => {
    const patience = outlasting(signal);
    try {
      return await tries.execute(
        (attempt) => call(AbortSignal.any([attempt.signal, signal])),
        patience.signal,
      );
    } finally {
      patience.end();
    }
  };
  const send = <T>(onTimeout: FailureClass, signal: AbortSignal, call: Call<T>): Promise<T> =>
    tryOnce(signal, call).catch(translate(onTimeout));
  const ask = <T>(signal: AbortSignal, call: Call<T>, tries = once): Promise<T> =>
    repeatedly
      .execute((attempt) => tryOnce(attempt.signal, call, tries), signal)
      .catch(translate('transient'));

  const { standing, beforePlace } = adapter;
  return {
    name: adapter.name,
    capabilities: adapter.capabilities,
    breakerState: () => (isPauseOver() ? 'half_open' : breakerStateOf(breaker.state)),
    commandsAtOnce: () => (breaker.state === CircuitState.Closed ? crowd.limit() : 1),
    quote: (request, signal) => ask(signal, (inner) => adapter.quote(request, inner), onceQuoted),
    ...(beforePlace === undefined
      ? {}
      : {
          beforePlace: (request, signal) => ask(signal, (inner) => beforePlace(request, inner), onceQuoted),
        }),
    place: (request, signal) => send('unknown_outcome', signal, (inner) => adapter.place(request, inner)),
    lookUp: (callerRef, signal, since) =>
      ask(signal, (inner) => adapter.lookUp(callerRef, inner, since), onceLookedUp),
    ...(standing === undefined
      ? {}
      : {
          standing: (callerRefs, signal) => ask(signal, (inner) => standing(callerRefs, inner)),
        }),
    preparePayment: (key, signal) => ask(signal, (inner) => adapter.preparePayment(key, inner), onceDue),
    pay: (reference, signal) => send('unknown_outcome', signal, (inner) => adapter.pay(reference, inner)),
    status: (keys, signal) => ask(signal, (inner) => adapter.status(keys, inner)),
    cancel: (key, signal) => send('transient', signal, (inner) => adapter.cancel(key, inner)),
    search: (request, signal) => ask(signal, (inner) => adapter.search(request, inner)),
    product: (request, signal) => ask(signal, (inner) => adapter.product(request, inner)),
    read: (reference, signal) => ask(signal, (inner) => adapter.read(reference, inner)),
    registerPush: (url, signal) => ask(signal, (inner) => adapter.registerPush(url, inner)),
    checkRecipient: (recipient) => adapter.checkRecipient(recipient),
    readPush: (message) => reading.execute(() => adapter.readPush(message)).catch(translate('transient')),
  };
}
