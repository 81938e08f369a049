import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import '@shopify/shopify-api/adapters/web-api';
import { ApiVersion, LogSeverity, Session, shopifyApi } from '@shopify/shopify-api';
import { setAbstractFetchFunc } from '@shopify/shopify-api/runtime';
import { handleType, isBrokenCircuitError } from 'cockatiel';
import type { z } from 'zod';
import { AppError } from '../../contracts/errors.ts';
import type { ShopifyApiVersion } from '../../contracts/settings.ts';
import type { Evidence, FailureClass } from '../../contracts/vocabulary.ts';
import { breakerStateOf, type CallOutcome, outsideCall, watchBreaker } from '../outside-call.ts';
import { isTooLateToSend } from '../sending-until.ts';
import { steadyBreaker } from '../steady-breaker.ts';
import { clientCredentialsLogin, fixedAccessToken, renewedAccessToken } from './access-token.ts';
import { leanFetch } from './lean-fetch.ts';
import { unknownFieldIn, withoutFields } from './optional-fields.ts';
import { judge, judgeLogin, type Priority, refused, type Setback, waitBeforeRepeatMs } from './setback.ts';
import { ShopError } from './shop-error.ts';
import { budgetIn, type ShopStanding, standings } from './shop-figures.ts';

export interface AdminClientOptions {
  /** The shop's own domain, like your-shop.myshopify.com. */
  readonly shop: string;
  /** The client id; needed where there is no `accessToken`. */
  readonly apiKey?: string | undefined;
  readonly apiSecret: string;
  readonly accessToken?: string | undefined;
  readonly apiVersion: ShopifyApiVersion;
  /** Origin that gets `/admin/...` in the place of `https://<shop>`. */
  readonly baseUrl?: string | undefined;
  /** Patience for one HTTP call; a request may make several. */
  readonly timeoutMs: number;
  /** Told once of each thing a person should look at, such as an API version that Shopify no longer serves. */
  readonly warn?: (fields: Readonly<Record<string, string>>, message: string) => void;
}

export interface RequestOptions {
  readonly priority: Priority;
  readonly signal?: AbortSignal | undefined;
}

export interface AdminClient {
  /**
   * Sends one GraphQL operation and returns its `data`, validated. `userErrors` are data: the caller judges them.
   * Refusals that did nothing (throttling, a stale token) are waited out and repeated for every operation, lost
   * answers for queries only. Throws ShopError and nothing else that it foresaw.
   */
  request<T>(
    operation: string,
    variables: Readonly<Record<string, unknown>>,
    schema: z.ZodType<T>,
    options: RequestOptions,
  ): Promise<T>;
  /** The API version that answered last; another one than was asked for means that Shopify serves that no more. */
  servedVersion(): string | undefined;
}

const ABANDONED: Evidence = { aborted: true };
const TOO_LATE: Evidence = { tooLateToSend: true };

const nameOf = (operation: string): string =>
  /\b(?:query|mutation)\s+(\w+)/.exec(operation)?.[1] ?? 'operation';
const outcomeOf = (error: unknown): CallOutcome =>
  error instanceof ShopError ? error.failureClass : 'unforeseen';

/** The library offers neither another origin nor a timeout for logins; both travel with the call to its one fetch hook. */
const route = new AsyncLocalStorage<{ readonly origin: string | undefined; readonly timeoutMs: number }>();

const routedFetch: typeof fetch = (input, init) => {
  const call = route.getStore();
  if (call === undefined) return fetch(input, init);
  const url = new URL(input instanceof Request ? input.url : input);
  const target = call.origin === undefined ? url : new URL(`${call.origin}${url.pathname}${url.search}`);
  return leanFetch(target, { ...init, signal: init?.signal ?? AbortSignal.timeout(call.timeoutMs) });
};

interface Call extends RequestOptions {
  readonly operation: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly isMutation: boolean;
}
type Result = { readonly data: unknown } | { readonly setback: Setback };

/** Thrown through the breaker, which counts nothing else. */
class CallLost extends Error {
  readonly setback: Setback;

  constructor(setback: Setback) {
    super('no verdict from the shop');
    this.setback = setback;
  }
}

/** GraphQL clients of the library hold one token for life: a new token needs a new client. */
function createLibrary(options: AdminClientOptions, warnOnce: (message: string, detail?: string) => void) {
  const apiVersion = Object.values(ApiVersion).find((version) => String(version) === options.apiVersion);
  if (apiVersion === undefined) {
    const message = `the Shopify library does not know API version ${options.apiVersion}`;
    throw new AppError('settings_invalid', message, { retryable: false });
  }
  const logger = {
    level: LogSeverity.Warning,
    log: (_severity: LogSeverity, message: string) => warnOnce('the Shopify library warns', message),
  };
  const { shop, accessToken } = options;
  const common = { apiSecretKey: options.apiSecret, apiVersion, isEmbeddedApp: false, logger } as const;
  // The host name would be our own for browser logins, which this service has none of.
  const config = { ...common, hostName: 'order-manager.invalid', userAgentPrefix: 'order-manager' };
  const library =
    accessToken === undefined
      ? shopifyApi({ ...config, isCustomStoreApp: false, apiKey: options.apiKey ?? '' })
      : shopifyApi({ ...config, isCustomStoreApp: true, adminApiAccessToken: accessToken });
  const login = clientCredentialsLogin(library, shop);
  const tokens = accessToken === undefined ? renewedAccessToken(login) : fixedAccessToken(accessToken);
  const createClient = (token: string) =>
    new library.clients.Graphql({
      session: new Session({ id: shop, shop, state: '', isOnline: false, accessToken: token }),
    });
  return { tokens, createClient };
}

/**
 * One client per process and shop: it holds the token and the circuit breaker. The breaker opens for ten seconds after
 * five calls in a row that ended without a verdict (5xx, timeout, cut connection) and knows nothing of refusals.
 * Clients with different origins live side by side, also for the same shop. Throws AppError `settings_invalid` for an
 * API version that the library lacks, and the library's own error for a missing login.
 */
export function createAdminClient(options: AdminClientOptions): AdminClient {
  const { apiVersion, timeoutMs } = options;
  const warned = new Set<string>();
  const warnOnce = (message: string, detail = ''): void => {
    if (warned.has(message + detail)) return;
    warned.add(message + detail);
    options.warn?.({ shop: options.shop, detail }, message);
  };
  const { tokens, createClient } = createLibrary(options, warnOnce);
  const breaker = steadyBreaker(handleType(CallLost), 5, 10_000);
  watchBreaker('shopify', () => breakerStateOf(breaker.state));
  const standing: ShopStanding = { budget: undefined, tokenExpiresAt: () => tokens.expiresAt() };
  standings.add(standing);
  // An adapter that somebody imported after ours would have put its own fetch here.
  setAbstractFetchFunc(routedFetch);
  let current: { readonly token: string; readonly client: ReturnType<typeof createClient> } | null = null;

  const unknownFields = new Set<string>();
  let served: string | undefined;
  /** The library spells their names so, whatever the shop sent. */
  const checkHeaders = (headers: Readonly<Record<string, unknown>>): void => {
    const version = headers['X-Shopify-Api-Version'];
    if (version !== undefined) {
      served = String(version);
      if (served !== apiVersion)
        warnOnce(`Shopify answers with another API version than ${apiVersion}`, served);
    }
    const deprecated = headers['X-Shopify-Api-Deprecated-Reason'];
    if (deprecated !== undefined) warnOnce('Shopify calls a request deprecated', String(deprecated));
  };

  const call = async (request: Call): Promise<Result> => {
    const login = await tokens.current().then(
      (token) => ({ token }),
      (error: unknown) => ({ setback: judgeLogin(error) }),
    );
    if ('setback' in login) return login;
    // Left during the login: to send now would only make a doubt out of nothing.
    if (request.signal?.aborted) return { setback: refused('transient', ABANDONED, request.signal.reason) };
    if (isTooLateToSend()) return { setback: refused('transient', TOO_LATE, undefined) };
    const { token } = login;
    if (current?.token !== token) current = { token, client: createClient(token) };
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal = request.signal === undefined ? deadline : AbortSignal.any([request.signal, deadline]);
    try {
      const { variables } = request;
      const answer = await current.client.request(request.operation, { variables, retries: 0, signal });
      checkHeaders(answer.headers ?? {});
      standing.budget = budgetIn(answer.extensions) ?? standing.budget;
      return { data: answer.data };
    } catch (error) {
      const setback = judge(error, request);
      if (setback.kind !== 'unauthorized') return { setback };
      return { setback: tokens.reject(token) ? { ...setback, waitMs: 0 } : setback };
    }
  };

  /** A caller who goes away says nothing about the shop's health. */
  const throughBreaker = (request: Call): Promise<Result> =>
    breaker
      .execute(async () => {
        const result = await route.run({ origin: options.baseUrl, timeoutMs }, call, request);
        const isLost = 'setback' in result && result.setback.kind === 'lost';
        if (isLost && request.signal?.aborted !== true) throw new CallLost(result.setback);
        return result;
      })
      .catch((error: unknown) => {
        if (error instanceof CallLost) return { setback: error.setback };
        if (!isBrokenCircuitError(error)) throw error;
        return { setback: refused('transient', { circuit: 'open' }, error) };
      });

  const request: AdminClient['request'] = async (operation, variables, schema, { priority, signal }) => {
    const name = nameOf(operation);
    // What does not plainly begin as a query is never repeated on doubt.
    const isMutation = !/^\s*(?:query\b|\{)/.test(operation);
    const fail = (failureClass: FailureClass, details: Evidence, cause?: unknown): ShopError => {
      const evidence = { operation: name, ...details };
      return new ShopError(failureClass, `Shopify ${name}: ${failureClass}`, evidence, cause);
    };
    const met = { lost: 0, throttled: 0, unauthorized: 0, refused: 0 };
    for (;;) {
      if (signal?.aborted) throw fail('transient', ABANDONED, signal.reason);
      const asked = withoutFields(operation, unknownFields);
      const result = await throughBreaker({ operation: asked, variables, isMutation, priority, signal });
      if ('data' in result) {
        const parsed = schema.safeParse(result.data);
        if (parsed.success) return parsed.data;
        const unexpected = parsed.error.issues
          .map(({ path }) => path.join('.'))
          .join(' ')
          .slice(0, 300);
        throw fail(isMutation ? 'unknown_outcome' : 'permanent', { unexpected }, parsed.error);
      }
      const { setback } = result;
      // The version that answers may have dropped a field: orders must not stand still for what is only good to have.
      const unknown =
        setback.kind === 'refused' ? unknownFieldIn(String(setback.evidence.message)) : undefined;
      if (unknown !== undefined) unknownFields.add(unknown);
      if (unknown !== undefined && withoutFields(operation, unknownFields) !== asked) {
        warnOnce('the shop does not know a field, and is asked without it', unknown);
        continue;
      }
      met[setback.kind] += 1;
      const waitMs = waitBeforeRepeatMs(setback, met[setback.kind]);
      if (waitMs === null || (setback.kind === 'lost' && signal?.aborted)) {
        throw fail(setback.failureClass, setback.evidence, setback.cause);
      }
      await sleep(waitMs, undefined, signal === undefined ? {} : { signal }).catch(() => {});
    }
  };

  return {
    servedVersion: () => served,
    request: (operation, ...rest) =>
      outsideCall('shopify', nameOf(operation), () => request(operation, ...rest), { error: outcomeOf }),
  };
}
