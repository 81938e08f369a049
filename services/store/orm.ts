import { Migrator } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';
import { PostgresDialect } from 'kysely';
import type { Pool } from 'pg';
import { ApiKey } from './entities/api-key.ts';
import {
  Copy,
  DeadLetter,
  DeadLetterRequest,
  EventPartition,
  InboxMessage,
  OutboxMessage,
  OutboxPending,
  RestorationRow,
  Timer,
} from './entities/log.ts';
import {
  CustomerDetails,
  Hold,
  HoldNote,
  Order,
  OrderLine,
  TimelineEntry,
  UnitChange,
} from './entities/order.ts';
import {
  ApiRequest,
  Mapping,
  Notification,
  PurchasingPause,
  StraySupplierOrder,
  SupplierAccount,
  SupplierBreaker,
  SupplierCalls,
  Webhook,
} from './entities/outside.ts';
import {
  GapReport,
  PrivacyRequest,
  ShopHold,
  ShopLease,
  ShopStatus,
  ShopSweep,
  ShopVariant,
  SweptOrder,
} from './entities/shop.ts';
import {
  Parcel,
  PurchaseIntent,
  SupplierBill,
  SupplierOrder,
  SupplierOrderLine,
} from './entities/supplier-order.ts';
import { MIGRATIONS } from './migrations/list.ts';

const ENTITIES = [
  ApiKey,
  ApiRequest,
  Copy,
  CustomerDetails,
  DeadLetter,
  DeadLetterRequest,
  EventPartition,
  GapReport,
  Hold,
  HoldNote,
  InboxMessage,
  Mapping,
  Notification,
  Order,
  OrderLine,
  OutboxMessage,
  OutboxPending,
  Parcel,
  PrivacyRequest,
  PurchaseIntent,
  PurchasingPause,
  RestorationRow,
  ShopHold,
  ShopLease,
  ShopStatus,
  ShopSweep,
  ShopVariant,
  StraySupplierOrder,
  SupplierAccount,
  SupplierBill,
  SupplierBreaker,
  SupplierCalls,
  SupplierOrder,
  SupplierOrderLine,
  SweptOrder,
  TimelineEntry,
  Timer,
  UnitChange,
  Webhook,
];

/**
 * MikroORM on a pool that stays its maker's: who closes one has not closed the other. This file is for dynamic imports
 * only: the package and the entities take twice the memory of a Node without them, and most processes need neither.
 */
export const createOrm = (connectionString: string, pool: Pool): Promise<MikroORM> =>
  MikroORM.init({
    clientUrl: connectionString,
    entities: ENTITIES,
    extensions: [Migrator],
    driverOptions: new PostgresDialect({
      pool: { connect: () => pool.connect(), end: async () => {}, options: pool.options },
    }),
    // Each migration commits by itself: an index that is made concurrently must wait for no lock of the one before.
    migrations: { migrationsList: MIGRATIONS, tableName: 'migrations', snapshot: false, allOrNothing: false },
    timezone: 'UTC',
    logger: () => {},
  });
