import type { SupplierToken, TokenStore } from './adapter-parts.ts';

/** Hands out the access token of a pair that all copies share. `ask` speaks to the supplier's token endpoints. */
export interface TokenKeeper<Ask> {
  /** The token to call with. Asks the supplier only when there is none or it has expired. */
  current(ask: Ask): Promise<string>;
  /** Another token than the one that the supplier just rejected. */
  replaced(rejected: string, ask: Ask): Promise<string>;
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

  const renew = async (ask: Ask, rejected: string | null): Promise<string> => {
    known = await store.renew(async (pair, signal) => {
      const isUsable = pair !== null && pair.accessToken !== rejected && isAhead(pair.accessExpiresAt);
      return isUsable ? pair : renewPair(ask, pair, signal);
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
