import { AppError } from '../../../contracts/errors.ts';
import { SupplierError, type SupplierToken, type TokenStore } from '../adapter.ts';
import { TokenData } from './responses.ts';

/** Asks an authentication endpoint and answers its data. Throws SupplierError. */
export type AskForTokens = (
  endpoint: 'getAccessToken' | 'refreshAccessToken',
  body: Readonly<Record<string, string>>,
) => Promise<unknown>;

export interface TokenKeeper {
  /** The token to call with. Asks the supplier only when there is none or it has expired. */
  current(ask: AskForTokens): Promise<string>;
  /** Another token than the one that the supplier just rejected. */
  replaced(rejected: string, ask: AskForTokens): Promise<string>;
}

/** The older documents allow one login in five minutes; a key that was just refused will be refused again. */
const REFUSED_LOGIN_PAUSE_MS = 5 * 60_000;

const isAhead = (instant: string): boolean => Date.parse(instant) > Date.now();

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

/**
 * The token pair that all copies share. A copy remembers the pair it has read until it expires or is rejected: a
 * pair that another copy has renewed meanwhile is noticed by the rejection of ours, and then taken from the store.
 */
export function createTokenKeeper(store: TokenStore, apiKey: string): TokenKeeper {
  let known: SupplierToken | null = null;
  let refused: { readonly error: SupplierError; readonly until: number } | null = null;

  const logIn = async (ask: AskForTokens, accountId: string | null): Promise<SupplierToken> => {
    if (refused !== null && Date.now() < refused.until) throw refused.error;
    try {
      return toToken(await ask('getAccessToken', { apiKey }), accountId);
    } catch (error) {
      if (error instanceof SupplierError && error.failureClass === 'auth') {
        refused = { error, until: Date.now() + REFUSED_LOGIN_PAUSE_MS };
      }
      throw error;
    }
  };

  const renewPair = async (ask: AskForTokens, pair: SupplierToken | null): Promise<SupplierToken> => {
    if (pair === null || !isAhead(pair.refreshExpiresAt)) return logIn(ask, pair?.accountId ?? null);
    try {
      return toToken(await ask('refreshAccessToken', { refreshToken: pair.refreshToken }), pair.accountId);
    } catch (error) {
      // A refresh whose answer was lost leaves us with a dead refresh token; the key still opens the door.
      if (error instanceof AppError && !error.retryable) return logIn(ask, pair.accountId);
      throw error;
    }
  };

  const renew = async (ask: AskForTokens, rejected: string | null): Promise<string> => {
    known = await store.renew(async (pair) => {
      const isUsable = pair !== null && pair.accessToken !== rejected && isAhead(pair.accessExpiresAt);
      return isUsable ? pair : renewPair(ask, pair);
    });
    return known.accessToken;
  };

  return {
    async current(ask) {
      if (known === null || !isAhead(known.accessExpiresAt)) known = await store.read();
      if (known !== null && isAhead(known.accessExpiresAt)) return known.accessToken;
      return renew(ask, null);
    },
    async replaced(rejected, ask) {
      if (known !== null && known.accessToken !== rejected && isAhead(known.accessExpiresAt)) {
        return known.accessToken;
      }
      return renew(ask, rejected);
    },
  };
}
