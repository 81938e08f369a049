import type { ServiceContext } from '../run-service.ts';
import type { AdminClient } from './admin-client.ts';

export interface ShopPorts extends ServiceContext {
  /** Undefined while the shop's login is not configured. */
  readonly admin: AdminClient | undefined;
  /** Unique per process: owner of its leases. */
  readonly copyId: string;
}
