import type { SupplierToken, TokenStore } from './adapter-parts.ts';
import { beforeSending } from './exchange.ts';

/** Hands out the access token of a pair that all copies share. `ask` speaks to the supplier's token endpoints. */
export interface TokenKeeper<Ask> {
  /** The token to call with. Asks the supplier only when there is none or it has expired. */
  current(ask: Ask): Promise<string>;
  /** Another token than the one that the supplier just rejected; `isFresh`: asked of the supplier for that. */
  replaced(rejected: string, ask: Ask): Promise<{ readonly token: string; readonly isFresh: boolean }>;
  /** Whether no copy has another one by now, and it has not expired. */
  stands(token: string): Promise<boolean>;
}

/** Tokens for one call. */
const MOST_TOKENS = 4;

/**
 * One call, repeated with another token where its own was rejected: until one that was asked of the supplier for it is
 * rejected too. The rejection of any other says nothing about the account, nor that of one which was replaced or ended while
 * the call waited for its turn.
 * @param isRejected whether the supplier refused at its door for the token, so that repeating cannot buy twice.
 */
export async function callWithToken<Ask, Answer>(
  keeper: TokenKeeper<Ask>,
  ask: Ask,
  call: (token: string) => Promise<Answer>,
  isRejected: (answer: Answer, token: string) => boolean,
): Promise<Answer> {
  let used = { token: await beforeSending('token', () => keeper.current(ask)), isFresh: false };
  let answer = await call(used.token);
  for (let tokens = 1; tokens < MOST_TOKENS && isRejected(answer, used.token); tokens += 1) {
    const { token: rejected, isFresh } = used;
    if (isFresh && (await beforeSending('token', () => keeper.stands(rejected)))) break;
    used = await beforeSending('token', () => keeper.replaced(rejected, ask));
    answer = await call(used.token);
  }
  return answer;
}

export const isAhead = (instant: string): boolean => Date.parse(instant) > Date.now();

/**
 * A copy remembers the pair it has read until it expires or is rejected: a pair that another copy has put in its place
 * meanwhile is noticed by the rejection of ours, and then taken from the store.
 * @param renewPair brings a new pair in place of that one, under the lock that all copies share, before its signal.
 */
export function keepTokens<Ask>(
  store: TokenStore,
  renewPair: (ask: Ask, pair: SupplierToken | null, signal: AbortSignal) => Promise<SupplierToken>,
): TokenKeeper<Ask> {
  let known: SupplierToken | null = null;

  const renew = async (ask: Ask, rejected: string | null) => {
    let isFresh = false;
    known = await store.renew(async (pair, signal) => {
      const isUsable = pair !== null && pair.accessToken !== rejected && isAhead(pair.accessExpiresAt);
      if (isUsable) return pair;
      isFresh = true;
      return renewPair(ask, pair, signal);
    });
    return { token: known.accessToken, isFresh };
  };

  return {
    async current(ask) {
      if (known === null || !isAhead(known.accessExpiresAt)) known = await store.read();
      if (known !== null && isAhead(known.accessExpiresAt)) return known.accessToken;
      return (await renew(ask, null)).token;
    },
    async replaced(rejected, ask) {
      if (known !== null && known.accessToken !== rejected && isAhead(known.accessExpiresAt)) {
        return { token: known.accessToken, isFresh: false };
      }
      return renew(ask, rejected);
    },
    async stands(token) {
      const pair = await store.read();
      return pair === null || (pair.accessToken === token && isAhead(pair.accessExpiresAt));
    },
  };
}
