import type { z } from 'zod';
import { type Send, sendOnce } from '../../send-once.ts';
import type { CallPriority, CallTurn, ReportQuota, ReserveCall, TokenStore } from '../adapter-parts.ts';
import { beforeSending, exchangeText, type NoVerdict, withoutPersonalData } from '../exchange.ts';
import type { CallKind } from '../failure-columns.ts';
import { parseExactJson } from '../loose-json.ts';
import { SupplierError } from '../supplier-error.ts';
import { callWithToken } from '../token-keeper.ts';
import { createBanClock } from './ban.ts';
import { type Answer, readEnvelope } from './envelope.ts';
import {
  failureClassOf,
  isKeyRejected,
  isQuoteOver,
  isTimeRefused,
  isTokenRejected,
  refusedFieldOf,
  saysNoSuchOrder,
} from './failure-classes.ts';
import { type AppCredentials, signatureOf } from './sign.ts';
import { type AskForTokens, createTokenKeeper, fixedToken, MEND_CONSENT } from './tokens.ts';
import { createTurns } from './turns.ts';

export interface AliExpressRequest {
  /** Like `aliexpress.ds.product.get`; a token call is named by its path, with a leading slash. */
  readonly method: string;
  /** Objects among them are JSON text. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly kind: CallKind;
  readonly priority: CallPriority;
  /** The question for an order: what AliExpress says for one that is not ours comes out as `not_found`. */
  readonly isLookUp?: boolean;
}

export interface AliExpressClient {
  /**
   * One call, repeated when the token was rejected (see `callWithToken`); answers what stands below the name of the method.
   * @throws SupplierError. On a `write`, everything without a readable verdict is `unknown_outcome`, unless the
   * request provably never left: then it is the class of what stopped it, with evidence `sent: false`.
   */
  call<T>(request: AliExpressRequest, body: z.ZodType<T>, signal: AbortSignal): Promise<T>;
  /** The calls that need no token, because they bring one. */
  askForTokens(priority: CallPriority, signal: AbortSignal): AskForTokens;
}

export interface AliExpressClientOptions extends AppCredentials {
  readonly baseUrl: string;
  /** Used as it is and never refreshed; absent: the pair in `tokens`. */
  readonly accessToken?: string | undefined;
  readonly tokens: TokenStore;
  readonly reserve: ReserveCall;
  readonly report: ReportQuota;
  /** Of this process. Default 1. */
  readonly callsAtOnce?: number | undefined;
  /** Leave to be the only one of all copies who calls. Absent: copies call side by side. */
  readonly takeTurn?: ((signal: AbortSignal) => Promise<CallTurn>) | undefined;
  readonly send?: Send | undefined;
}

const FORM = {
  accept: 'application/json',
  'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
};

const MEND_CLOCK = 'set the clock of the machine that the service suppliers runs on';
/** Answers are dated to the second, and take a while. */
const SAME_HOUR_MS = 60_000;

type Refused = Extract<Answer, { refusal: unknown }>;

const noVerdictOn =
  ({ kind, method }: AliExpressRequest): NoVerdict =>
  (reason, evidence, cause) => {
    const failureClass = kind === 'write' ? 'unknown_outcome' : 'transient';
    return new SupplierError(failureClass, `${method}: ${reason}`, { ...evidence, method }, cause);
  };

function refused(request: AliExpressRequest, { refusal, requestId }: Refused): SupplierError {
  const { method, kind, isLookUp = false } = request;
  const { httpStatus } = refusal;
  const byCode = failureClassOf(refusal, kind);
  const failureClass = isLookUp && byCode === 'permanent' && saysNoSuchOrder(refusal) ? 'not_found' : byCode;
  const code = refusal.codes[0] ?? null;
  const field = refusedFieldOf(refusal);
  const mend = isTimeRefused(refusal)
    ? MEND_CLOCK
    : isKeyRejected(refusal)
      ? 'check ALIEXPRESS_API_KEY and ALIEXPRESS_SECRET'
      : MEND_CONSENT;
  return new SupplierError(failureClass, `${method}: ${code ?? `HTTP ${httpStatus}`}`, {
    method,
    httpStatus,
    code,
    message: withoutPersonalData(refusal.message),
    requestId,
    ...(failureClass === 'auth' ? { mend } : {}),
    ...(field === null ? {} : { field }),
    ...(kind === 'write' && isQuoteOver(refusal) ? { quoteAgain: true } : {}),
  });
}

function readAnswer(noVerdict: NoVerdict, httpStatus: number, text: string): Answer {
  const unreadable = (cause?: unknown): Answer => {
    if (httpStatus >= 400) return { refusal: { httpStatus, codes: [], message: '' }, requestId: null };
    throw noVerdict('unreadable answer', { httpStatus }, cause);
  };
  let json: unknown;
  try {
    json = parseExactJson(text);
  } catch (cause) {
    return unreadable(cause);
  }
  return readEnvelope(httpStatus, json) ?? unreadable();
}

function createExchange(options: AliExpressClientOptions) {
  const { baseUrl, appKey, appSecret, reserve, report } = options;
  const root = baseUrl.replace(/\/+$/, '');
  const { send = sendOnce, takeTurn = async () => null } = options;
  const takePlace = createTurns(options.callsAtOnce);
  /** How far the clock of AliExpress is ahead of this machine's, as far as it matters there: it bears two hours. */
  let aheadMs = 0;

  /** @returns whether the answer, by its date, tells another hour than the one that was refused. */
  const learnHour = (date: unknown): boolean => {
    const told = typeof date === 'string' ? Date.parse(date) - Date.now() : Number.NaN;
    if (!(Math.abs(told - aheadMs) > SAME_HOUR_MS)) return false;
    aheadMs = told;
    return true;
  };

  /** Not before its moment, and alone: a call that left late must not find the next at its heels, for what arrives counts. */
  const takeLeave = async (priority: CallPriority, signal: AbortSignal): Promise<CallTurn | null> => {
    await reserve({ priority }, signal);
    return takeTurn(signal);
  };

  const signed = ({ method, parameters }: AliExpressRequest, token: string | null) => {
    const path = method.startsWith('/') ? method : '';
    const all: Record<string, string> = {
      ...parameters,
      app_key: appKey,
      sign_method: 'sha256',
      timestamp: String(Date.now() + aheadMs),
      ...(path === '' ? { method, format: 'json', v: '2.0' } : {}),
      ...(token === null ? {} : { session: token }),
    };
    const body = new URLSearchParams({ ...all, sign: signatureOf(appSecret, all, path) });
    const url = new URL(path === '' ? `${root}/sync` : `${root}/rest${path}`);
    return { url, body: body.toString() };
  };

  const bannedFor = createBanClock();
  const tellBan = async (answer: Answer): Promise<void> => {
    const pauseMs = bannedFor('refusal' in answer ? answer.refusal : null, performance.now());
    if (pauseMs === 0) return;
    const pausedUntil = new Date(Date.now() + pauseMs).toISOString();
    // A verdict must not be lost for want of telling others about the limits.
    await report({ pausedUntil }).catch(() => {});
  };

  const askOnce = async (
    request: AliExpressRequest,
    token: string | null,
    signal: AbortSignal,
  ): Promise<Answer & { readonly isHourLearnt: boolean }> => {
    const noVerdict = noVerdictOn(request);
    const leavePlace = await beforeSending('turn', () => takePlace(request.priority, signal));
    let turn: CallTurn | null = null;
    let sentAt: number | null = null;
    try {
      turn = await beforeSending('reserve', () => takeLeave(request.priority, signal));
      // A form in the body whatever the call: addresses and tokens in a URL would end in somebody's logs.
      const form = { method: 'POST', headers: FORM, ...signed(request, token) } as const;
      const outgoing = { name: request.method, signal, ...form };
      await beforeSending('turn', async () => {
        signal.throwIfAborted();
        if (turn?.isLost() === true) throw new Error('its turn was over before it could be sent');
      });
      sentAt = performance.now();
      const { httpStatus, headers, text } = await exchangeText(send, outgoing, noVerdict);
      const answer = readAnswer(noVerdict, httpStatus, text);
      await tellBan(answer);
      const isHourLearnt = 'refusal' in answer && isTimeRefused(answer.refusal) && learnHour(headers.date);
      return { ...answer, isHourLearnt };
    } finally {
      // A turn that cannot be ended is over by itself, and an answer must not be lost for it.
      await turn?.end(sentAt).catch(() => {});
      leavePlace();
    }
  };

  /** Where the gateway refused only the hour, before it did anything, the same is asked once more by its own clock. */
  return async (request: AliExpressRequest, token: string | null, signal: AbortSignal): Promise<Answer> => {
    const answer = await askOnce(request, token, signal);
    return answer.isHourLearnt ? askOnce(request, token, signal) : answer;
  };
}

export function createAliExpressClient(options: AliExpressClientOptions): AliExpressClient {
  const exchange = createExchange(options);
  const { accessToken } = options;
  const keeper = accessToken === undefined ? createTokenKeeper(options.tokens) : fixedToken(accessToken);

  const askForTokens =
    (priority: CallPriority, signal: AbortSignal): AskForTokens =>
    async (path, parameters, limit) => {
      const request: AliExpressRequest = { method: path, parameters, kind: 'read', priority };
      const answer = await exchange(request, null, AbortSignal.any([signal, limit]));
      if ('refusal' in answer) throw refused(request, answer);
      return answer.body;
    };

  return {
    askForTokens,
    async call(request, schema, signal) {
      const ask = askForTokens(request.priority, signal);
      const answer = await callWithToken(
        keeper,
        ask,
        (token) => exchange(request, token, signal),
        (given) => 'refusal' in given && isTokenRejected(given.refusal),
      );
      if ('refusal' in answer) throw refused(request, answer);
      const body = schema.safeParse(answer.body);
      if (body.success) return body.data;
      const { method, kind } = request;
      const failureClass = kind === 'write' ? 'unknown_outcome' : 'permanent';
      const evidence = { method, requestId: answer.requestId, shape: 'unknown' };
      throw new SupplierError(failureClass, `${method}: answer has an unknown shape`, evidence, body.error);
    },
  };
}
