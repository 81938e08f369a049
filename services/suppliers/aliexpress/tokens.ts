import { z } from 'zod';
import type { SupplierToken, TokenStore } from '../adapter-parts.ts';
import { MaybeAmount, MaybeText } from '../loose-json.ts';
import { SupplierError } from '../supplier-error.ts';
import { keepTokens, type TokenKeeper } from '../token-keeper.ts';

/** Asks a token call and answers its body. Throws SupplierError. */
export type AskForTokens = (
  path: '/auth/token/create' | '/auth/token/refresh',
  parameters: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => Promise<unknown>;

/** What mends a token that no refresh can bring: the consent of the account's owner, given again. */
export const MEND_CONSENT = 'run npm run aliexpress:connect';

const TokenAnswer = z.object({
  access_token: z.string().min(1),
  refresh_token: MaybeText,
  /** Instants in milliseconds, or in seconds. */
  expire_time: MaybeAmount,
  refresh_token_valid_time: MaybeAmount,
  /** Lives in seconds, from now on. */
  expires_in: MaybeAmount,
  refresh_expires_in: MaybeAmount,
});

/** Before this, a number of milliseconds since 1970 is meant in seconds. */
const FIRST_MILLISECONDS = 100_000_000_000;

/** The instant counts, unless it is over: a token that is just handed out cannot have ended, and each call would renew it. */
function instantOf(epoch: number | null, livesSeconds: number | null): string | null {
  const named = epoch !== null && epoch < FIRST_MILLISECONDS ? epoch * 1_000 : epoch;
  const counted = livesSeconds === null ? null : Date.now() + livesSeconds * 1_000;
  const end = named === null || named < Date.now() ? (counted ?? named) : named;
  return end === null ? null : new Date(end).toISOString();
}

/** @param before whose refresh token goes on where the answer repeats none. */
function toToken(answer: unknown, before: SupplierToken | null): SupplierToken {
  const parsed = TokenAnswer.safeParse(answer);
  if (!parsed.success)
    throw new SupplierError('permanent', 'token answer has an unknown shape', { sent: false });
  const { access_token, refresh_token, ...lives } = parsed.data;
  const accessExpiresAt = instantOf(lives.expire_time, lives.expires_in);
  if (accessExpiresAt === null)
    throw new SupplierError('permanent', 'token answer names no end of the token', { sent: false });
  const refreshExpiresAt = instantOf(lives.refresh_token_valid_time, lives.refresh_expires_in);
  return {
    accessToken: access_token,
    accessExpiresAt,
    refreshToken: refresh_token ?? before?.refreshToken ?? '',
    refreshExpiresAt: refreshExpiresAt ?? before?.refreshExpiresAt ?? accessExpiresAt,
    accountId: before?.accountId ?? null,
  };
}

const needsConsent = (problem: string, cause?: unknown): SupplierError =>
  new SupplierError(
    'auth',
    `${problem}: ${MEND_CONSENT}`,
    { problem, mend: MEND_CONSENT, sent: false },
    cause,
  );

/** Exchanges the code that the consent page gave, once and within minutes, and keeps the pair. Throws SupplierError. */
export const exchangeCode = (store: TokenStore, code: string, ask: AskForTokens): Promise<SupplierToken> =>
  store.renew(async (_, signal) => toToken(await ask('/auth/token/create', { code }, signal), null));

/** The pair that a person's consent brought, refreshed for as long as that holds. */
export function createTokenKeeper(store: TokenStore): TokenKeeper<AskForTokens> {
  /** A refresh token that was refused stays refused: only a person's consent brings another one. */
  let dead: { readonly refreshToken: string; readonly error: SupplierError } | null = null;

  const refresh = async (
    ask: AskForTokens,
    pair: SupplierToken | null,
    signal: AbortSignal,
  ): Promise<SupplierToken> => {
    if (pair === null) throw needsConsent('the shop’s owner has not connected AliExpress yet');
    const { refreshToken } = pair;
    if (refreshToken === '') throw needsConsent('the token has expired and cannot be refreshed');
    if (dead?.refreshToken === refreshToken) throw dead.error;
    try {
      return toToken(await ask('/auth/token/refresh', { refresh_token: refreshToken }, signal), pair);
    } catch (cause) {
      // A key that does not fit is refused here as well, and says so.
      if (!(cause instanceof SupplierError) || cause.evidence.mend !== MEND_CONSENT) throw cause;
      const error = needsConsent('the consent has ended', cause);
      dead = { refreshToken, error };
      throw error;
    }
  };

  return keepTokens(store, refresh);
}

/** A token that was given by hand and that nothing but another one replaces. */
export const fixedToken = (accessToken: string): TokenKeeper<AskForTokens> => ({
  current: async () => accessToken,
  replaced: () =>
    Promise.reject(
      new SupplierError('auth', 'ALIEXPRESS_ACCESS_TOKEN was rejected', {
        problem: 'ALIEXPRESS_ACCESS_TOKEN was rejected',
        mend: `set another one, or none and ${MEND_CONSENT}`,
        sent: false,
      }),
    ),
  stands: async () => true,
});
