import type { Shopify } from '@shopify/shopify-api';

/** The grant lives 24 hours and has no refresh token; the last fifth is the time in which asking may fail. */
const RENEW_AT_SHARE_OF_LIFE = 0.8;

/** `expiresAt` in milliseconds since the epoch; Infinity when the shop named no end. */
export interface AccessGrant {
  readonly accessToken: string;
  readonly expiresAt: number;
}

/** Where a client gets the token for its next request. */
export interface AccessTokens {
  /** Throws what the login threw. */
  current(): Promise<string>;
  /** The shop answered 401 to this token. Says whether `current` will bring another one. */
  reject(accessToken: string): boolean;
  /** Milliseconds since the epoch; undefined when it has no end, or nobody has logged in yet. */
  expiresAt(): number | undefined;
}

/** An admin-made custom app's token: it does not expire, and when it is refused only a person can help. */
export const fixedAccessToken = (accessToken: string): AccessTokens => ({
  current: () => Promise.resolve(accessToken),
  reject: () => false,
  expiresAt: () => undefined,
});

/**
 * Tokens by login, asked for at first use and again at 80 % of their life. Callers that come at the same time share
 * one login. While the old token lives, a failed login goes unnoticed and the next call tries again.
 */
export function renewedAccessToken(
  login: () => Promise<AccessGrant>,
  now: () => number = Date.now,
): AccessTokens {
  let held: (AccessGrant & { readonly renewAt: number }) | null = null;
  let asking: Promise<string> | null = null;

  const ask = async (): Promise<string> => {
    const askedAt = now();
    const grant = await login();
    held = { ...grant, renewAt: askedAt + (grant.expiresAt - askedAt) * RENEW_AT_SHARE_OF_LIFE };
    return grant.accessToken;
  };
  const askOnce = (): Promise<string> => {
    asking ??= ask().finally(() => {
      asking = null;
    });
    return asking;
  };

  return {
    current() {
      if (held === null || now() >= held.expiresAt) return askOnce();
      const { accessToken, renewAt } = held;
      return now() < renewAt ? Promise.resolve(accessToken) : askOnce().catch(() => accessToken);
    },
    reject(accessToken) {
      if (held?.accessToken === accessToken) held = null;
      return true;
    },
    expiresAt: () => held?.expiresAt,
  };
}

/**
 * Login of a Dev Dashboard app by the client credentials grant.
 * Throws the library's own errors, and a plain Error when the answer has no token.
 */
export const clientCredentialsLogin =
  (library: Pick<Shopify, 'auth'>, shop: string) => async (): Promise<AccessGrant> => {
    const { session } = await library.auth.clientCredentials({ shop });
    if (session.accessToken === undefined || session.accessToken === '') {
      throw new Error('the shop answered the login without a token');
    }
    return {
      accessToken: session.accessToken,
      expiresAt: session.expires?.getTime() ?? Number.POSITIVE_INFINITY,
    };
  };
