import { z } from 'zod';
import { SupplierError, type SupplierToken, type TokenStore } from '../adapter.ts';
import { MaybeAmount, MaybeText } from '../loose-json.ts';

/** Asks a token call and answers its body. Throws SupplierError. */
export type AskForTokens = (
  path: '/auth/token/create' | '/auth/token/refresh',
  parameters: Readonly<Record<string, string>>,
) => Promise<unknown>;

export interface TokenKeeper {
  /** The token to call with. Asks AliExpress only when the stored one has expired. */
  current(ask: AskForTokens): Promise<string>;
  /** Another token than the one that was just rejected. */
  replaced(rejected: string, ask: AskForTokens): Promise<string>;
}

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

const instantOf = (epoch: number | null, livesSeconds: number | null): string | null => {
  if (epoch !== null) return new Date(epoch < FIRST_MILLISECONDS ? epoch * 1_000 : epoch).toISOString();
  return livesSeconds === null ? null : new Date(Date.now() + livesSeconds * 1_000).toISOString();
};

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

const isAhead = (instant: string): boolean => Date.parse(instant) > Date.now();

/** Exchanges the code that the consent page gave, once and within minutes, and keeps the pair. Throws SupplierError. */
export const exchangeCode = (store: TokenStore, code: string, ask: AskForTokens): Promise<SupplierToken> =>
  store.renew(async () => toToken(await ask('/auth/token/create', { code }), null));

/**
 * The token pair that all copies share. A copy remembers the pair it has read until it expires or is rejected: a pair
 * that another copy, or a new consent, has put in its place is noticed then.
 */
export function createTokenKeeper(store: TokenStore): TokenKeeper {
  let known: SupplierToken | null = null;
  /** A refresh token that was refused stays refused: only a person's consent brings another one. */
  let dead: { readonly refreshToken: string; readonly error: SupplierError } | null = null;

  const refresh = async (ask: AskForTokens, pair: SupplierToken): Promise<SupplierToken> => {
    const { refreshToken } = pair;
    if (refreshToken === '') throw needsConsent('the token has expired and cannot be refreshed');
    if (dead?.refreshToken === refreshToken) throw dead.error;
    try {
      return toToken(await ask('/auth/token/refresh', { refresh_token: refreshToken }), pair);
    } catch (cause) {
      // A key that does not fit is refused here as well, and says so.
      if (!(cause instanceof SupplierError) || cause.evidence.mend !== MEND_CONSENT) throw cause;
      const error = needsConsent('the consent has ended', cause);
      dead = { refreshToken, error };
      throw error;
    }
  };

  const renew = async (ask: AskForTokens, rejected: string | null): Promise<string> => {
    known = await store.renew(async (pair) => {
      if (pair === null) throw needsConsent('the shop’s owner has not connected AliExpress yet');
      const isUsable = pair.accessToken !== rejected && isAhead(pair.accessExpiresAt);
      return isUsable ? pair : refresh(ask, pair);
    });
    return known.accessToken;
  };

  return {
    async current(ask) {
      if (known === null || !isAhead(known.accessExpiresAt)) known = await store.read();
      if (known !== null && isAhead(known.accessExpiresAt)) return known.accessToken;
      return renew(ask, null);
    },
    replaced: (rejected, ask) => renew(ask, rejected),
  };
}

/** A token that was given by hand and that nothing but another one replaces. */
export const fixedToken = (accessToken: string): TokenKeeper => ({
  current: async () => accessToken,
  replaced: () =>
    Promise.reject(
      new SupplierError('auth', 'ALIEXPRESS_ACCESS_TOKEN was rejected', {
        problem: 'ALIEXPRESS_ACCESS_TOKEN was rejected',
        mend: `set another one, or none and ${MEND_CONSENT}`,
        sent: false,
      }),
    ),
});
