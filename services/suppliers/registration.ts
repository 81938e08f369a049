import { AppError } from '../../contracts/errors.ts';
import type { SupplierComparison } from '../../contracts/resources/supplier.ts';
import type { Settings } from '../../contracts/settings.ts';
import type { Logger } from '../logger.ts';
import type { ReportQuota, ReserveCall, SupplierAdapter, TokenStore } from './adapter.ts';

/** What no call can tell; the figures stand until there are measured ones. */
export interface SupplierProfile {
  readonly label: string;
  readonly comparison: Omit<SupplierComparison, 'deliveryDays'>;
  readonly deliveryDays: { readonly min: number; readonly max: number };
}

/** What an adapter is made of: everything of its account that all copies of the service share. */
export interface AdapterParts {
  readonly settings: Settings;
  readonly log: Logger;
  readonly tokens: TokenStore;
  readonly reserve: ReserveCall;
  readonly report: ReportQuota;
}

/** One supplier's place in the registry. */
export interface SupplierRegistration {
  readonly profile: SupplierProfile;
  /** What decides whose account it is; absent: tokens outlive a change of the credentials. */
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
