import type { SupplierName } from '../../contracts/vocabulary.ts';
import type { ServiceContext } from '../run-service.ts';
import { createCallLimiter, createQuotaReporter, createTokenStore } from './account.ts';
import { createAliExpress } from './aliexpress/aliexpress.ts';
import { MEND_CONSENT } from './aliexpress/tokens.ts';
import { createCjDropshipping } from './cj-dropshipping/cj-dropshipping.ts';
import { type PatientAdapter, withPolicy } from './policy.ts';

const HALF_OPEN_AFTER_MS = 10_000;

/** The adapters whose credentials are there, each behind its own timeout and breaker. */
export async function createAdapters({
  settings,
  store,
  log,
}: Pick<ServiceContext, 'settings' | 'store' | 'log'>): Promise<ReadonlyMap<SupplierName, PatientAdapter>> {
  const adapters = new Map<SupplierName, PatientAdapter>();
  const patience = {
    callTimeoutMs: settings.ORDER_MANAGER_CALL_TIMEOUT_SECONDS * 1_000,
    halfOpenAfterMs: HALF_OPEN_AFTER_MS,
  };
  const cjApiKey = settings.CJ_DROPSHIPPING_API_KEY;
  if (cjApiKey !== undefined) {
    const adapter = createCjDropshipping({
      baseUrl: settings.CJ_DROPSHIPPING_BASE_URL,
      apiKey: cjApiKey,
      isSandboxOrder: settings.CJ_DROPSHIPPING_SANDBOX_ORDERS,
      ioss: settings.CJ_DROPSHIPPING_IOSS,
      tokens: createTokenStore(store, 'cj_dropshipping'),
      reserve: await createCallLimiter(
        store,
        'cj_dropshipping',
        settings.CJ_DROPSHIPPING_REQUESTS_PER_SECOND,
      ),
      report: async () => {},
    });
    adapters.set('cj_dropshipping', withPolicy(adapter, patience));
  }
  const { ALIEXPRESS_API_KEY: appKey, ALIEXPRESS_SECRET: appSecret } = settings;
  if (appKey !== undefined && appSecret !== undefined) {
    const tokens = createTokenStore(store, 'aliexpress');
    const accessToken = settings.ALIEXPRESS_ACCESS_TOKEN;
    const adapter = createAliExpress({
      baseUrl: settings.ALIEXPRESS_BASE_URL,
      appKey,
      appSecret,
      accessToken,
      autoPay: settings.ALIEXPRESS_AUTO_PAY,
      tokens,
      reserve: await createCallLimiter(store, 'aliexpress', settings.ALIEXPRESS_REQUESTS_PER_SECOND),
      report: createQuotaReporter(store, 'aliexpress'),
    });
    adapters.set('aliexpress', withPolicy(adapter, patience));
    if (accessToken === undefined && (await tokens.read()) === null)
      log.warn(`AliExpress is not connected, nothing is asked or bought there: ${MEND_CONSENT}`);
  }
  return adapters;
}
