import type { SupplierComparison } from '../../contracts/resources/supplier.ts';
import type { SupplierName } from '../../contracts/vocabulary.ts';

export interface SupplierProfile {
  readonly label: string;
  /** What no call can tell; the figures stand until there are measured ones. */
  readonly comparison: Omit<SupplierComparison, 'deliveryDays'>;
  readonly deliveryDays: { readonly min: number; readonly max: number };
}

/** The comparison of the user's guide. */
export const PROFILES: Readonly<Record<SupplierName, SupplierProfile>> = {
  aliexpress: {
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
  cj_dropshipping: {
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
};
