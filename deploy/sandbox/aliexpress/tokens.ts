import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Journal } from '../journal.ts';
import type { LiveSettings } from '../settings.ts';
import { AliExpressRefusal, requestId } from './refusal.ts';

const CODE_TTL_MS = 3 * 60_000;
/** The one buyer account of this world. */
export const ACCOUNT_ID = '6000000001';

const Token = z.object({ secret: z.string(), endsAt: z.int() });

export interface AliExpressTokens {
  /** A code for one exchange within three minutes, as the consent page hands out. */
  consent(): string;
  /** Answer of token create. Throws AliExpressRefusal InvalidCode. */
  exchange(code: string): object;
  /** Answer of token refresh: a new access token; the end of the refresh token stays where it was. Throws IllegalRefreshToken. */
  refresh(refreshToken: string): object;
  /** The ready token of the environment has no end until `expireAccess`. */
  accepts(accessToken: string): boolean;
  /** Ends every access token that was handed out, the ready one too. */
  expireAccess(): void;
}

/** Who may call for the account. */
export function createAliExpressTokens(
  journal: Journal,
  settings: LiveSettings,
  readyToken: string,
): AliExpressTokens {
  const codes = journal.collection('aliexpress_code', Token);
  const access = journal.collection('aliexpress_access_token', Token);
  const refreshes = journal.collection('aliexpress_refresh_token', Token);
  /** Hands out a new secret, good until then. */
  const add = (tokens: typeof access, start: string, endsAt: number): string => {
    const secret = `${start}${randomBytes(24).toString('hex')}`;
    tokens.put(secret, { secret, endsAt });
    return secret;
  };
  const isAlive = (token: z.infer<typeof Token> | undefined): boolean => Date.now() < (token?.endsAt ?? 0);

  const issue = (refreshToken: string, refreshEndsAt: number, repeatsRefresh: boolean): object => {
    const now = Date.now();
    const { accessTokenTtlMs } = settings.current().aliexpress;
    const endsAt = now + accessTokenTtlMs;
    const accessToken = add(access, '50000', endsAt);
    return {
      code: '0',
      request_id: requestId(),
      access_token: accessToken,
      ...(repeatsRefresh ? { refresh_token: refreshToken } : {}),
      expires_in: Math.floor(accessTokenTtlMs / 1_000),
      refresh_expires_in: Math.round((refreshEndsAt - now) / 1_000),
      expire_time: endsAt,
      refresh_token_valid_time: refreshEndsAt,
      account_id: ACCOUNT_ID,
      user_id: ACCOUNT_ID,
      seller_id: ACCOUNT_ID,
      havana_id: '9000000001',
      user_nick: 'sg0000',
      account: 'buyer@shop.example',
      account_platform: 'buyerApp',
      sp: 'ae',
      locale: 'zh_CN',
    };
  };

  return {
    consent: () => add(codes, '3_', Date.now() + CODE_TTL_MS),
    exchange(code) {
      if (!isAlive(codes.get(code))) throw new AliExpressRefusal('InvalidCode', 'the code is not valid');
      codes.put(code, { secret: code, endsAt: 0 });
      const endsAt = Date.now() + settings.current().aliexpress.refreshTokenTtlMs;
      return issue(add(refreshes, '50001', endsAt), endsAt, true);
    },
    refresh(refreshToken) {
      const known = refreshes.get(refreshToken);
      if (known === undefined || !isAlive(known))
        throw new AliExpressRefusal('IllegalRefreshToken', 'the refresh token is not valid');
      return issue(refreshToken, known.endsAt, settings.current().aliexpress.isRefreshTokenRepeated);
    },
    accepts(accessToken) {
      const known = access.get(accessToken);
      return known === undefined ? accessToken === readyToken : isAlive(known);
    },
    expireAccess() {
      const secrets = access.all().map(({ secret }) => secret);
      for (const secret of [readyToken, ...secrets]) access.put(secret, { secret, endsAt: 0 });
    },
  };
}
