import { needed, type SupplierRegistration } from '../registration.ts';
import { createCjDropshipping } from './cj-dropshipping.ts';

export const cjDropshipping: SupplierRegistration = {
  profile: {
    label: 'CJ Dropshipping',
    comparison: {
      productSelection: 'moderate',
      prices: 'slightly higher',
      qualityControl: 'yes',
      productPhotos: 'photo service available',
      internationalWarehouses: true,
      dedicatedDropshipping: true,
      extraFees: 'some services are paid',
    },
    deliveryDays: { min: 7, max: 15 },
  },
  accountKey: (settings) => needed(settings, 'CJ_DROPSHIPPING_API_KEY'),
  async create({ settings, log: _, ...account }) {
    return createCjDropshipping({
      baseUrl: settings.CJ_DROPSHIPPING_BASE_URL,
      apiKey: needed(settings, 'CJ_DROPSHIPPING_API_KEY'),
      isSandboxOrder: settings.CJ_DROPSHIPPING_SANDBOX_ORDERS,
      ioss: settings.CJ_DROPSHIPPING_IOSS,
      requestsPerSecond: settings.CJ_DROPSHIPPING_REQUESTS_PER_SECOND,
      ...account,
    });
  },
};
