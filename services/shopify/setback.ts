import { GraphqlQueryError, HttpResponseError, HttpThrottlingError } from '@shopify/shopify-api';
import type { Evidence, FailureClass } from '../../contracts/vocabulary.ts';
import { cutTo } from '../store/storable.ts';
import { type Cost, RefusedAnswer } from './refused-answer.ts';

const QUERY_TRIES = 3;
const QUERY_BACKOFF_MS = 250;
const THROTTLED_TRIES = 6;
const LONGEST_WAIT_MS = 30_000;
const JITTER_MS = 500;
const SHARE_LEFT_TO_WRITES = 0.2;

/** Who goes first when the shop's points are short: `read` leaves a fifth of the bucket to `write`. */
export type Priority = 'write' | 'read';

export interface CallKind {
  readonly isMutation: boolean;
  readonly priority: Priority;
}

/** What a call that failed came to. `lost`: no verdict, it may have run. `waitMs` where the shop named it. */
export interface Setback {
  readonly kind: 'lost' | 'throttled' | 'unauthorized' | 'refused';
  readonly failureClass: FailureClass;
  readonly waitMs?: number | undefined;
  readonly evidence: Evidence;
  readonly cause: unknown;
}

const lost = (evidence: Evidence, cause: unknown): Setback => ({
  kind: 'lost',
  failureClass: 'transient',
  evidence,
  cause,
});
export const refused = (failureClass: FailureClass, evidence: Evidence, cause: unknown): Setback => ({
  kind: 'refused',
  failureClass,
  evidence,
  cause,
});
const throttled = (waitMs: number | undefined, evidence: Evidence, cause: unknown): Setback => ({
  kind: 'throttled',
  failureClass: 'throttled',
  waitMs,
  evidence,
  cause,
});

/** Codes in camel case are those of the static validation, which runs before anything is executed. */
const isRefusalCode = (code: string): boolean =>
  ['ACCESS_DENIED', 'MAX_COST_EXCEEDED', 'MAX_INPUT_SIZE_EXCEEDED', 'INVALID_VARIABLE'].includes(code) ||
  /^[a-z][A-Za-z]+$/.test(code);

function costWaitMs({ requestedQueryCost, throttleStatus }: Cost, priority: Priority): number {
  const { currentlyAvailable, maximumAvailable, restoreRate } = throttleStatus;
  const spare = priority === 'read' ? maximumAvailable * SHARE_LEFT_TO_WRITES : 0;
  const needed = Math.min(requestedQueryCost + spare, maximumAvailable);
  return (Math.max(0, needed - currentlyAvailable) / restoreRate) * 1_000 + Math.random() * JITTER_MS;
}

/**
 * Whether a mutation with errors ran. Refused fields come back as null with an error about the field itself; an error
 * about something deeper means that the field ran before its answer was thrown away.
 */
function didNothing({ data, errors }: RefusedAnswer): boolean {
  if (data === undefined || data === null) return true;
  const isEmpty = Object.values(data).every((field) => field === null);
  return isEmpty && errors.graphQLErrors.every(({ path }) => (path ?? []).length <= 1);
}

function judgeGraphql(cause: GraphqlQueryError, { isMutation, priority }: CallKind): Setback {
  const parsed = RefusedAnswer.safeParse(cause.body);
  if (!parsed.success) return lost({ answer: 'unreadable' }, cause);
  const { errors, extensions } = parsed.data;
  const codes = errors.graphQLErrors.map((error) => error.extensions?.code ?? 'none');
  const message = errors.graphQLErrors[0]?.message ?? '';
  const evidence = { codes: codes.join(' '), message: cutTo(300, message) };
  const isSafe = !isMutation || didNothing(parsed.data);
  if (isSafe && codes.includes('THROTTLED')) {
    return throttled(extensions?.cost && costWaitMs(extensions.cost, priority), evidence, cause);
  }
  if (isSafe && codes.includes('ACCESS_DENIED')) return refused('auth', evidence, cause);
  const isClear = isMutation
    ? isSafe && codes.every(isRefusalCode)
    : !codes.includes('INTERNAL_SERVER_ERROR');
  return isClear ? refused('permanent', evidence, cause) : lost(evidence, cause);
}

/**
 * The shop lets nobody in: 402 frozen over an unpaid bill, 404 not there (closed, or another name), 423 locked, 430 turned
 * away at the door, and what sends us on to another address, which got nothing of what we asked.
 */
const isShut = (status: number): boolean => status < 400 || [402, 404, 423, 430].includes(status);

function judgeHttp(cause: HttpResponseError): Setback {
  const status = cause.response.code;
  const evidence = { status };
  if (cause instanceof HttpThrottlingError) {
    // A date, which the header may hold as well, is no number there.
    const { retryAfter = Number.NaN } = cause.response;
    return throttled(Number.isFinite(retryAfter) ? retryAfter * 1_000 : undefined, evidence, cause);
  }
  if (status < 300 || status >= 500) return lost(evidence, cause);
  if (status === 401) return { ...refused('auth', evidence, cause), kind: 'unauthorized' };
  if (status === 403) return refused('auth', evidence, cause);
  // Of whatever stands between: nobody looked at the question.
  if (status === 408) return lost(evidence, cause);
  return refused(isShut(status) ? 'account_blocked' : 'permanent', evidence, cause);
}

/** @param cause whatever the library threw for a call with a good login. */
export function judge(cause: unknown, call: CallKind): Setback {
  const setback =
    cause instanceof GraphqlQueryError
      ? judgeGraphql(cause, call)
      : cause instanceof HttpResponseError
        ? judgeHttp(cause)
        : lost({ message: cutTo(300, String(cause)) }, cause);
  return setback.kind === 'lost' && call.isMutation
    ? { ...setback, failureClass: 'unknown_outcome' }
    : setback;
}

/** Nothing of the operation was sent, so a lost login may be repeated before any operation. */
export function judgeLogin(cause: unknown): Setback {
  const during = { during: 'login' };
  if (!(cause instanceof HttpResponseError)) return lost(during, cause);
  const setback = judgeHttp(cause);
  const evidence = { ...setback.evidence, ...during };
  return setback.kind === 'lost' || setback.kind === 'throttled'
    ? { ...setback, evidence }
    : refused('auth', evidence, cause);
}

/** How long to wait before the same call again; null: no more. `times` counts the setbacks of this kind within the request. */
export function waitBeforeRepeatMs({ kind, failureClass, waitMs }: Setback, times: number): number | null {
  if (kind === 'throttled' && times < THROTTLED_TRIES) {
    return Math.min(waitMs ?? 1_000 * 2 ** (times - 1), LONGEST_WAIT_MS);
  }
  if (kind === 'lost' && failureClass === 'transient' && times < QUERY_TRIES)
    return QUERY_BACKOFF_MS * 2 ** (times - 1);
  return kind === 'unauthorized' && times === 1 ? (waitMs ?? null) : null;
}
