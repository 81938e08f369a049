import { AppError } from '../../../contracts/errors.ts';
import type { SupplierToken, TokenStore } from '../adapter-parts.ts';
import { SupplierError } from '../supplier-error.ts';
import { isAhead, keepTokens, type TokenKeeper } from '../token-keeper.ts';
import { TokenData } from './responses.ts';

/** Asks an authentication endpoint and answers its data. Throws SupplierError. */
export type AskForTokens = (
  endpoint: 'getAccessToken' | 'refreshAccessToken',
  body: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => Promise<unknown>;

/**
 * How long no login is tried after one that failed. The older documents allow one in five minutes, the newer ones one a
 * second: the first is tried at once, and after one too many all copies wait as the older ones say, since the refused one
 * may count as well. A key that was just refused will be refused again, though not the one of a copy with another key.
 */
const LOGIN_PAUSE_MS = 5 * 60_000 + 1_000;

function toToken(data: unknown, accountId: string | null): SupplierToken {
  const parsed = TokenData.safeParse(data);
  if (!parsed.success)
    throw new SupplierError('permanent', 'token answer has an unknown shape', { sent: false });
  const { openId, accessToken, accessTokenExpiryDate, refreshToken, refreshTokenExpiryDate } = parsed.data;
  return {
    accessToken,
    accessExpiresAt: accessTokenExpiryDate,
    refreshToken,
    refreshExpiresAt: refreshTokenExpiryDate,
    accountId: openId ?? accountId,
  };
}

/** CJ's pair, refreshed or, where that is refused, asked for anew by the key. */
export function createTokenKeeper(store: TokenStore, apiKey: string): TokenKeeper<AskForTokens> {
  /** Until when by `performance.now()`: a clock that is set back meanwhile would prolong it. */
  let refused: { readonly error: SupplierError; readonly until: number } | null = null;

  const logIn = async (
    ask: AskForTokens,
    accountId: string | null,
    signal: AbortSignal,
  ): Promise<SupplierToken> => {
    try {
      return toToken(await ask('getAccessToken', { apiKey }, signal), accountId);
    } catch (error) {
      if (error instanceof SupplierError && error.failureClass === 'auth')
        refused = { error, until: performance.now() + LOGIN_PAUSE_MS };
      // Our own limiter says so, too, where nothing was sent.
      if (
        error instanceof SupplierError &&
        error.failureClass === 'throttled' &&
        error.evidence.sent !== false
      )
        await store.pauseLogins(LOGIN_PAUSE_MS);
      throw error;
    }
  };

  const renewPair = async (
    ask: AskForTokens,
    pair: SupplierToken | null,
    signal: AbortSignal,
  ): Promise<SupplierToken> => {
    // Whoever was refused the key had no refresh token that is taken either.
    if (refused !== null && performance.now() < refused.until) throw refused.error;
    const pausedForMs = await store.loginPauseMs();
    if (pausedForMs > 0) {
      const evidence = { pausedForMs: Math.round(pausedForMs), sent: false };
      throw new SupplierError('throttled', 'nothing sent: CJ wants no login now', evidence);
    }
    if (pair === null || !isAhead(pair.refreshExpiresAt)) return logIn(ask, pair?.accountId ?? null, signal);
    try {
      const body = { refreshToken: pair.refreshToken };
      return toToken(await ask('refreshAccessToken', body, signal), pair.accountId);
    } catch (error) {
      // A refresh whose answer was lost leaves us with a dead refresh token; the key still opens the door.
      if (error instanceof AppError && !error.retryable) return logIn(ask, pair.accountId, signal);
      throw error;
    }
  };

  return keepTokens(store, renewPair);
}
