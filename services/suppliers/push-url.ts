import type { Settings } from '../../contracts/settings.ts';
import type { SupplierName } from '../../contracts/vocabulary.ts';

/** Where the supplier shall send its pushes, for `registerPush`; null when nobody has said how we are reached. */
export function pushUrlOf(settings: Settings, supplier: SupplierName): string | null {
  const base = supplier === 'cj_dropshipping' ? settings.CJ_DROPSHIPPING_PUSH_URL : undefined;
  return base === undefined ? null : `${base}/webhooks/cj`;
}
