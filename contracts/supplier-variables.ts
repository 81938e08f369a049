import type { Settings } from './settings.ts';
import type { SupplierName } from './vocabulary.ts';

/** The variables of each supplier and how its pushes come: what the rest of the house has to know of it. */
export const SUPPLIER_VARIABLES = {
  aliexpress: {
    label: 'AliExpress',
    needs: ['ALIEXPRESS_API_KEY', 'ALIEXPRESS_SECRET'],
    mayHave: ['ALIEXPRESS_ACCESS_TOKEN'],
    mode: 'ALIEXPRESS_MODE',
    requestsPerSecond: 'ALIEXPRESS_REQUESTS_PER_SECOND',
    pushUrl: null,
    signatureHeaders: ['authorization'],
  },
  cj_dropshipping: {
    label: 'CJ Dropshipping',
    needs: ['CJ_DROPSHIPPING_API_KEY'],
    mayHave: ['CJ_DROPSHIPPING_EMAIL'],
    mode: 'CJ_DROPSHIPPING_MODE',
    requestsPerSecond: 'CJ_DROPSHIPPING_REQUESTS_PER_SECOND',
    pushUrl: 'CJ_DROPSHIPPING_PUSH_URL',
    signatureHeaders: ['sign'],
  },
} as const satisfies Record<SupplierName, SupplierVariables>;

interface SupplierVariables {
  readonly label: string;
  /** Without these it is off. */
  readonly needs: readonly (keyof Settings)[];
  /** Credentials too, but it works without them. */
  readonly mayHave: readonly (keyof Settings)[];
  readonly mode: keyof Settings;
  readonly requestsPerSecond: keyof Settings;
  /** Our public address, where a call tells the supplier to send its pushes; null: nobody registers for them. */
  readonly pushUrl: keyof Settings | null;
  /** What its pushes are signed with, in lower case: the gateway hands no other header on. */
  readonly signatureHeaders: readonly string[];
}

/** The same, of any supplier. */
export const variablesOf = (supplier: SupplierName): SupplierVariables => SUPPLIER_VARIABLES[supplier];

/** Headers of its pushes that the supplier's adapter gets to see, in lower case. */
export const signatureHeadersOf = (supplier: SupplierName): readonly string[] =>
  variablesOf(supplier).signatureHeaders;

/** Variables without which this supplier is off. */
export const missingVariables = (settings: Settings, supplier: SupplierName): string[] =>
  variablesOf(supplier).needs.filter((name) => settings[name] === undefined);

/** `off` buys nothing, `shadow` does everything but the purchase, `live` buys. */
export const purchaseMode = (settings: Settings, supplier: SupplierName): 'off' | 'shadow' | 'live' =>
  settings[SUPPLIER_VARIABLES[supplier].mode];
