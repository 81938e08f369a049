import { needed, type SupplierRegistration } from '../registration.ts';
import { createAliExpress } from './aliexpress.ts';
import { MEND_CONSENT } from './tokens.ts';
import { aloneAt, turnsFor } from './turns.ts';

export const aliExpress: SupplierRegistration = {
  profile: {
    label: 'AliExpress',
    comparison: {
      productSelection: 'very large',
      prices: 'usually lower',
      qualityControl: 'minimal',
      productPhotos: 'none',
      internationalWarehouses: false,
      dedicatedDropshipping: false,
      extraFees: 'none',
    },
    deliveryDays: { min: 15, max: 45 },
  },
  async create({ settings, log, takeTurn, ...account }) {
    const accessToken = settings.ALIEXPRESS_ACCESS_TOKEN;
    if (accessToken === undefined && (await account.tokens.read()) === null)
      log.warn(`AliExpress is not connected, nothing is asked or bought there: ${MEND_CONSENT}`);
    return createAliExpress({
      baseUrl: settings.ALIEXPRESS_BASE_URL,
      appKey: needed(settings, 'ALIEXPRESS_API_KEY'),
      appSecret: needed(settings, 'ALIEXPRESS_SECRET'),
      accessToken,
      callsAtOnce: turnsFor(settings.ALIEXPRESS_REQUESTS_PER_SECOND),
      takeTurn: aloneAt(settings.ALIEXPRESS_REQUESTS_PER_SECOND, takeTurn),
      autoPay: settings.ALIEXPRESS_AUTO_PAY,
      ...account,
    });
  },
};
