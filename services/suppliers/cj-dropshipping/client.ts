import type { z } from 'zod';
import type { Evidence } from '../../../contracts/vocabulary.ts';
import { type Send, sendOnce } from '../../send-once.ts';
import type { CallPriority, ReportQuota, ReserveCall, TokenStore } from '../adapter-parts.ts';
import { beforeSending, exchangeText, withoutPersonalData } from '../exchange.ts';
import type { CallKind } from '../failure-columns.ts';
import { parseExactJson } from '../loose-json.ts';
import { SupplierError } from '../supplier-error.ts';
import { callWithToken } from '../token-keeper.ts';
import {
  failureClassOf,
  isGuessOfToken,
  isQuoteOver,
  isTokenRejected,
  type Refusal,
} from './failure-classes.ts';
import { createRefusalClock, pointsOf, quotaReportOf } from './quota.ts';
import { Envelope, type PointsInfo } from './responses.ts';
import { type AskForTokens, createTokenKeeper } from './tokens.ts';

export interface CjRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the base URL, with a leading slash. */
  readonly path: string;
  /** A key may come several times. */
  readonly query?: readonly (readonly [string, string])[];
  readonly body?: unknown;
  readonly kind: CallKind;
  readonly priority: CallPriority;
  /** CJ says "parameter error" for an order that it does not have: with this it comes out as `not_found`. */
  readonly isLookUp?: boolean;
  /** Milliseconds since the last call that had any, of whichever copy. */
  readonly spacingMs?: number;
  /** Milliseconds from the sending: with no answer by then the call has got none. */
  readonly answerWithinMs?: number;
}

export interface CjClient {
  /**
   * One call, repeated when the token was rejected (see `callWithToken`); answers `data`.
   * @throws SupplierError. On a `write`, everything without a readable verdict is `unknown_outcome`, unless the
   * request provably never left: then it is the class of what stopped it, with evidence `sent: false`.
   */
  call<T>(request: CjRequest, data: z.ZodType<T>, signal: AbortSignal): Promise<T>;
}

export interface CjClientOptions {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly tokens: TokenStore;
  readonly reserve: ReserveCall;
  /** Told what each answer says about the limits of the account. */
  readonly report?: ReportQuota | undefined;
  readonly send?: Send | undefined;
}

interface Sealed {
  readonly requestId: string | null;
  readonly points: PointsInfo | null;
}
type Answer = Sealed & ({ readonly data: unknown } | { readonly refusal: Refusal });

const DEFAULT_PATH = '/api2.0/v1';
const PARAMETER_ERROR = 1600300;
const INNOCENT_MS = 5 * 60_000;
const rootOf = (baseUrl: string): string => {
  const root = baseUrl.replace(/\/+$/, '');
  return new URL(root).pathname === '/' ? `${root}${DEFAULT_PATH}` : root;
};

function noVerdict(request: CjRequest, reason: string, evidence: Evidence, cause?: unknown): SupplierError {
  const failureClass = request.kind === 'write' ? 'unknown_outcome' : 'transient';
  return new SupplierError(
    failureClass,
    `${request.path}: ${reason}`,
    { ...evidence, path: request.path },
    cause,
  );
}

function refused(
  request: CjRequest,
  { refusal, requestId }: { readonly refusal: Refusal; readonly requestId: string | null },
): SupplierError {
  const isAbsent = request.isLookUp === true && refusal.code === PARAMETER_ERROR && refusal.httpStatus < 500;
  const failureClass = isAbsent ? 'not_found' : failureClassOf(refusal, request.kind);
  const { httpStatus, code } = refusal;
  const message = withoutPersonalData(refusal.message);
  const quoteAgain = request.kind === 'write' && isQuoteOver(refusal) ? { quoteAgain: true } : {};
  const evidence = { path: request.path, httpStatus, code, message, requestId, ...quoteAgain };
  return new SupplierError(failureClass, `${request.path}: ${code ?? `HTTP ${httpStatus}`}`, evidence);
}

function readAnswer(request: CjRequest, httpStatus: number, body: string): Answer {
  const unreadable = (cause?: unknown): Answer => {
    const refusal = { httpStatus, code: null, message: '' };
    if (httpStatus >= 400) return { refusal, requestId: null, points: null };
    throw noVerdict(request, 'unreadable answer', { httpStatus }, cause);
  };
  let json: unknown;
  try {
    json = parseExactJson(body);
  } catch (cause) {
    return unreadable(cause);
  }
  const envelope = Envelope.safeParse(json);
  if (!envelope.success) return unreadable(envelope.error);
  const { code, result, message, data, requestId, pointsInfo: points = null } = envelope.data;
  if (httpStatus === 200 && code === 200 && result !== false) return { data, requestId, points };
  return { refusal: { httpStatus, code, message: message ?? '' }, requestId, points };
}

export function createCjClient(options: CjClientOptions): CjClient {
  const root = rootOf(options.baseUrl);
  const { send = sendOnce } = options;
  const keeper = createTokenKeeper(options.tokens, options.apiKey);
  const refusedFor = createRefusalClock();
  /** Fresh when it was refused all the same: another one for each such call would use up the logins that CJ grants. */
  let innocent = { token: '', until: 0 };
  const isForToken = (refusal: Refusal, kind: CallKind, token: string): boolean => {
    const isInnocent = token === innocent.token && performance.now() < innocent.until;
    return isTokenRejected(refusal, kind) && !(isInnocent && isGuessOfToken(refusal));
  };

  const tellLimits = async ({ path }: CjRequest, httpStatus: number, answer: Answer): Promise<Answer> => {
    const code = 'refusal' in answer ? answer.refusal.code : null;
    const now = Date.now();
    const signs = { path, httpStatus, code, points: answer.points };
    const report = quotaReportOf({ ...signs, refusedForMs: refusedFor(signs, now) }, now);
    // What became of the call is known: it must not be lost with the news about the limits.
    if (report !== null) await options.report?.(report).catch(() => {});
    return answer;
  };

  const exchange = async (request: CjRequest, token: string | null, signal: AbortSignal): Promise<Answer> => {
    await beforeSending('reserve', async () => {
      const { priority, path, spacingMs } = request;
      const usesBudget = pointsOf(path) > 0;
      await options.reserve(
        { priority, usesBudget, ...(spacingMs === undefined ? {} : { spacingMs }) },
        signal,
      );
      signal.throwIfAborted();
    });
    const url = new URL(`${root}${request.path}`);
    for (const [key, value] of request.query ?? []) url.searchParams.append(key, value);
    const { path: name, method, body, answerWithinMs: withinMs } = request;
    const headers = {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === null ? {} : { 'cj-access-token': token }),
    };
    const outgoing = {
      name,
      url,
      method,
      headers,
      signal: withinMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(withinMs)]),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    const { httpStatus, text } = await exchangeText(send, outgoing, (...about) =>
      noVerdict(request, ...about),
    );
    return tellLimits(request, httpStatus, readAnswer(request, httpStatus, text));
  };

  const askFor =
    (priority: CallPriority, signal: AbortSignal): AskForTokens =>
    async (endpoint, body, limit) => {
      const path = `/authentication/${endpoint}`;
      const request: CjRequest = { method: 'POST', path, body, kind: 'read', priority };
      const answer = await exchange(request, null, AbortSignal.any([signal, limit]));
      if ('refusal' in answer) throw refused(request, answer);
      return answer.data;
    };

  return {
    async call(request, schema, signal) {
      const ask = askFor(request.priority, signal);
      const used: string[] = [];
      const answer = await callWithToken(
        keeper,
        ask,
        (token) => {
          used.push(token);
          return exchange(request, token, signal);
        },
        (given, token) => 'refusal' in given && isForToken(given.refusal, request.kind, token),
      );
      const [, ...others] = used;
      const token = others.at(-1);
      if (token !== undefined && 'refusal' in answer && isGuessOfToken(answer.refusal))
        innocent = { token, until: performance.now() + INNOCENT_MS };
      if ('refusal' in answer) throw refused(request, answer);
      const data = schema.safeParse(answer.data);
      if (data.success) return data.data;
      const evidence = { path: request.path, requestId: answer.requestId, shape: 'unknown' };
      const failureClass = request.kind === 'write' ? 'unknown_outcome' : 'permanent';
      throw new SupplierError(
        failureClass,
        `${request.path}: answer has an unknown shape`,
        evidence,
        data.error,
      );
    },
  };
}
