import { AppError } from '../../contracts/errors.ts';
import type { SupplierComparison } from '../../contracts/resources/supplier.ts';
import type { Settings } from '../../contracts/settings.ts';
import type { SupplierAdapter } from './adapter.ts';
import type { AdapterParts } from './adapter-parts.ts';

/** What no call can tell; the figures stand until there are measured ones. */
export interface SupplierProfile {
  readonly label: string;
  readonly comparison: Omit<SupplierComparison, 'deliveryDays'>;
  readonly deliveryDays: { readonly min: number; readonly max: number };
}

/** One supplier's place in the registry. */
export interface SupplierRegistration {
  readonly profile: SupplierProfile;
  /** What decides whose account it is; absent: tokens, pauses and quotas outlive a change of the credentials. */
  accountKey?(settings: Settings): string;
  /** Asked for when none of the variables that it needs is missing. */
  create(parts: AdapterParts): Promise<SupplierAdapter>;
}

/** A variable that is needed, as a text. */
export function needed(settings: Settings, name: keyof Settings): string {
  const value = settings[name];
  if (typeof value === 'string') return value;
  throw new AppError('settings_invalid', `${name} is not set`, { retryable: false });
}
