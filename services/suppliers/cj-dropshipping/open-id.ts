import { z } from 'zod';
import type { TokenStore } from '../adapter-parts.ts';
import { MaybeText } from '../loose-json.ts';
import { SupplierError } from '../supplier-error.ts';
import type { CjClient } from './client.ts';

const Channel = z.object({
  type: MaybeText,
  urls: z.array(z.string()).nullish(),
  callbackUrls: z.array(z.string()).nullish(),
});
export type Channel = z.infer<typeof Channel>;

/** setting/get, as far as pushes go: the account's number and where each topic is sent. */
const SettingData = z.object({
  openId: MaybeText,
  callback: z.record(z.string(), Channel.nullish().catch(null)).nullish().catch(null),
});
export type SettingData = z.infer<typeof SettingData>;

/** Throws SupplierError. The account's number is remembered on the way: CJ signs its pushes with it. */
export async function readSetting(
  client: CjClient,
  tokens: TokenStore,
  signal: AbortSignal,
): Promise<SettingData> {
  const request = { method: 'GET', path: '/setting/get', kind: 'read', priority: 'query' } as const;
  const setting = await client.call(request, SettingData, signal);
  const { openId } = setting;
  const known = await tokens.read();
  if (openId === null || known === null || known.accountId === openId) return setting;
  await tokens.renew(async (current) => ({ ...(current ?? known), accountId: openId }));
  return setting;
}

const FETCH_TIMEOUT_MS = 10_000;

/**
 * The account's number out of the store. When there is none yet, a login or the account's settings tell it; that is
 * asked for once, however many messages wait. A secret. Throws SupplierError.
 */
export function createOpenId(client: CjClient, tokens: TokenStore): () => Promise<string> {
  let asking: Promise<string> | null = null;
  const ask = async (): Promise<string> => {
    const { openId } = await readSetting(client, tokens, AbortSignal.timeout(FETCH_TIMEOUT_MS));
    const accountId = openId ?? (await tokens.read())?.accountId;
    if (accountId != null) return accountId;
    throw new SupplierError('permanent', 'CJ does not tell the number of our account', {
      path: '/setting/get',
    });
  };
  return async () => {
    const stored = (await tokens.read())?.accountId;
    if (stored != null) return stored;
    asking ??= ask().finally(() => {
      asking = null;
    });
    return asking;
  };
}
