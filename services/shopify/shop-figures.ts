import { gauge, liveParts } from '../figures.ts';
import { Cost } from './refused-answer.ts';

/** What one client knows of its standing with the shop. */
export interface ShopStanding {
  /** Points of the query budget, as last answered; undefined before the first answer. */
  budget: Cost['throttleStatus'] | undefined;
  /** Milliseconds since the epoch; undefined for a token without an end, or before the first login. */
  readonly tokenExpiresAt: () => number | undefined;
}

/** Clients whose standing is told to whoever scrapes. */
export const standings = liveParts<ShopStanding>();

/** Reads the cost that Shopify puts beside every answer of its GraphQL API; undefined when it did not. */
export const budgetIn = (extensions: unknown): ShopStanding['budget'] => {
  const cost =
    typeof extensions === 'object' && extensions !== null && 'cost' in extensions && extensions.cost;
  return Cost.safeParse(cost).data?.throttleStatus;
};

const tell =
  (read: (standing: ShopStanding) => number | undefined) =>
  (set: (by: Record<never, never>, value: number) => void): void => {
    for (const standing of standings) {
      const value = read(standing);
      if (value !== undefined && Number.isFinite(value)) set({}, value);
    }
  };

gauge(
  { name: 'shop_query_budget_remaining', help: 'Points of the shop’s query budget that were left last' },
  {},
  tell(({ budget }) => budget?.currentlyAvailable),
);
gauge(
  { name: 'shop_query_budget_limit', help: 'The shop’s whole query budget in points' },
  {},
  tell(({ budget }) => budget?.maximumAvailable),
);
gauge(
  { name: 'shop_token_expiry_timestamp_seconds', help: 'When the token for the shop ends' },
  {},
  tell(({ tokenExpiresAt }) => {
    const at = tokenExpiresAt();
    return at === undefined ? undefined : at / 1_000;
  }),
);
