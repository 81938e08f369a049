import { pushPathOf } from '../../contracts/push-path.ts';
import type { Settings } from '../../contracts/settings.ts';
import { SUPPLIER_VARIABLES } from '../../contracts/supplier-variables.ts';
import type { SupplierName } from '../../contracts/vocabulary.ts';

/** Where the supplier shall send its pushes, for `registerPush`; null when nobody has said how we are reached. */
export function pushUrlOf(settings: Settings, supplier: SupplierName): string | null {
  const { pushUrl } = SUPPLIER_VARIABLES[supplier];
  const base = pushUrl === null ? undefined : settings[pushUrl];
  return base === undefined ? null : `${base}/webhooks/${pushPathOf(supplier)}`;
}
