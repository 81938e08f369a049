import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Journal } from '../journal.ts';
import type { LiveSettings } from '../settings.ts';
import { beijingTime, CJ, CjRefusal } from './envelope.ts';

const DAY_MS = 86_400_000;
const REFRESH_TTL_MS = 180 * DAY_MS;
/** A million dollars: enough that money is never the surprise unless somebody asks for it. */
const START_BALANCE_MINOR = 100_000_000;

const Tokens = z.object({
  access: z.string(),
  accessExpiresAt: z.int(),
  refresh: z.string(),
  refreshExpiresAt: z.int(),
  issuedAt: z.int(),
});
type Tokens = z.infer<typeof Tokens>;

const Account = z.object({ balanceMinor: z.int(), tokens: Tokens.nullable() });
type Account = z.infer<typeof Account>;

export interface CjAccount {
  /** Data of getAccessToken. The same tokens are handed out for a day. Throws CjRefusal 1600001, 1600200 (too soon). */
  login(apiKey: string): object;
  /** Data of refreshAccessToken: both tokens change, the old ones are dead. Throws CjRefusal 1600003. */
  refresh(refreshToken: string): object;
  accepts(accessToken: string | null): boolean;
  /** The access token is dead from now on; the refresh token lives. */
  expireAccess(): void;
  balanceMinor(): number;
  setBalance(minor: number): void;
  /** When there is too little, throws CjRefusal 1604000 or what else was seen to mean it. */
  spend(minor: number): void;
}

/** The account's number. Also the key of webhook signatures, hence a secret in the real world. */
export const OPEN_ID = 987654321;

/** The one account of this world's supplier: its money and its tokens. */
export function createCjAccount(journal: Journal, settings: LiveSettings, apiKey: string): CjAccount {
  const kept = journal.collection('cj_account', Account);
  const account: Account = kept.get('only') ?? { balanceMinor: START_BALANCE_MINOR, tokens: null };
  const save = (): void => kept.put('only', account);
  let loggedInAt = 0;

  const issue = (): Tokens => {
    const issuedAt = Date.now();
    account.tokens = {
      access: `API@${randomBytes(24).toString('hex')}`,
      accessExpiresAt: issuedAt + settings.current().cjTokenTtlMs,
      refresh: `API@${randomBytes(24).toString('hex')}`,
      refreshExpiresAt: issuedAt + REFRESH_TTL_MS,
      issuedAt,
    };
    save();
    return account.tokens;
  };
  const describe = (tokens: Tokens): object => ({
    accessToken: tokens.access,
    accessTokenExpiryDate: beijingTime(tokens.accessExpiresAt),
    refreshToken: tokens.refresh,
    refreshTokenExpiryDate: beijingTime(tokens.refreshExpiresAt),
    createDate: beijingTime(tokens.issuedAt),
  });
  const isFresh = ({ issuedAt, accessExpiresAt }: Tokens): boolean =>
    Date.now() < Math.min(issuedAt + DAY_MS, accessExpiresAt);

  return {
    login(given) {
      const now = Date.now();
      if (now - loggedInAt < settings.current().cjLoginEveryMs)
        throw new CjRefusal(CJ.tooManyRequests, 'Too many requests for a token');
      loggedInAt = now;
      if (given !== apiKey) throw new CjRefusal(CJ.tokenInvalid, 'Invalid API key or access token');
      const { tokens } = account;
      return { openId: OPEN_ID, ...describe(tokens !== null && isFresh(tokens) ? tokens : issue()) };
    },
    refresh(given) {
      const { tokens } = account;
      if (tokens === null || given !== tokens.refresh || Date.now() >= tokens.refreshExpiresAt) {
        throw new CjRefusal(CJ.refreshTokenInvalid, 'Invalid refresh token');
      }
      return describe(issue());
    },
    accepts: (given) =>
      account.tokens !== null &&
      given === account.tokens.access &&
      Date.now() < account.tokens.accessExpiresAt,
    expireAccess() {
      if (account.tokens === null) return;
      account.tokens = { ...account.tokens, accessExpiresAt: 0 };
      save();
    },
    balanceMinor: () => account.balanceMinor,
    setBalance(minor) {
      account.balanceMinor = minor;
      save();
    },
    spend(minor) {
      if (account.balanceMinor < minor)
        throw new CjRefusal(settings.current().lowBalanceCode, 'Balance is insufficient');
      account.balanceMinor -= minor;
      save();
    },
  };
}
