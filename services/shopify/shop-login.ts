import { hasShopifyLogin } from '../../contracts/configured-parts.ts';
import { type Settings, shopifyVersionOf } from '../../contracts/settings.ts';
import type { Logger } from '../logger.ts';
import { type AdminClient, createAdminClient } from './admin-client.ts';

/** The client that the settings describe; undefined while they name no shop or no login. */
export function adminOf(settings: Settings, log: Logger): AdminClient | undefined {
  const { SHOPIFY_SHOP_URL: shop, SHOPIFY_API_SECRET: apiSecret } = settings;
  if (!hasShopifyLogin(settings) || shop === undefined || apiSecret === undefined) return undefined;
  return createAdminClient({
    shop,
    apiSecret,
    apiKey: settings.SHOPIFY_API_KEY,
    accessToken: settings.SHOPIFY_ACCESS_TOKEN,
    apiVersion: shopifyVersionOf(settings),
    baseUrl: settings.SHOPIFY_ADMIN_BASE_URL,
    timeoutMs: settings.ORDER_MANAGER_CALL_TIMEOUT_SECONDS * 1_000,
    warn: (fields, message) => log.warn(fields, message),
  });
}
