import { Migrator } from '@mikro-orm/migrations';
import { type EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { CompiledQuery } from 'kysely';
import type { Pool, PoolConfig } from 'pg';
import { AppError } from '../../contracts/errors.ts';
import { ApiKey } from './entities/api-key.ts';
import {
  Copy,
  DeadLetter,
  DeadLetterRequest,
  EventPartition,
  InboxMessage,
  OutboxMessage,
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
import { Parcel, PurchaseIntent, SupplierOrder, SupplierOrderLine } from './entities/supplier-order.ts';
import { MIGRATIONS } from './migrations/list.ts';
import { breakingSocket, returnDeadClients } from './pool.ts';
import { pools } from './pool-figures.ts';

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

/** Bound parameters, plain rows. MikroORM writes values into the text of its own statements; these go beside it. */
export interface Sql {
  query<Row extends object>(statement: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /** Rows touched. */
  run(statement: string, parameters?: readonly unknown[]): Promise<number>;
}

export interface Store extends Sql {
  readonly orm: MikroORM;
  /** A fresh unit of work; never keep one. */
  em(): EntityManager;
  /** All statements commit together or not at all. Do not nest. */
  transaction<T>(work: (sql: Sql, em: EntityManager) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

type Executor = {
  executeQuery(query: CompiledQuery): Promise<{ rows: unknown[]; numAffectedRows?: bigint }>;
};

const sqlOn = (executor: () => Executor): Sql => ({
  async query<Row extends object>(statement: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    const { rows } = await executor().executeQuery(CompiledQuery.raw(statement, [...parameters]));
    // The statement names its columns; each is covered by a test against a real database.
    return rows as Row[];
  },
  async run(statement, parameters = []) {
    const { numAffectedRows } = await executor().executeQuery(CompiledQuery.raw(statement, [...parameters]));
    return Number(numAffectedRows ?? 0n);
  },
});

/**
 * Opens the database; fails when it cannot be reached within five seconds.
 * @param maxConnections 6-10 for the order host, 4-8 elsewhere: more than 16 lose on two cores (facts, section 4).
 */
export async function openStore(options: {
  connectionString: string;
  maxConnections: number;
  name: string;
  /** Of a connection that is taken for dead. */
  silenceMs?: number;
}): Promise<Store> {
  let forgetPool = (): void => {};
  const pool: PoolConfig & { onPoolCreated: (pool: Pool) => void } = {
    connectionTimeoutMillis: 5_000,
    application_name: `order-manager ${options.name}`,
    statement_timeout: 10_000,
    lock_timeout: 5_000,
    idle_in_transaction_session_timeout: 15_000,
    keepAlive: true,
    stream: () => breakingSocket(options.silenceMs),
    onPoolCreated: (created) => {
      returnDeadClients(created);
      forgetPool = pools.add(created);
    },
  };
  const orm = await MikroORM.init({
    clientUrl: options.connectionString,
    entities: ENTITIES,
    extensions: [Migrator],
    driverOptions: pool,
    pool: { min: 0, max: options.maxConnections },
    // Each migration commits by itself: an index that is made concurrently must wait for no lock of the one before.
    migrations: { migrationsList: MIGRATIONS, tableName: 'migrations', snapshot: false, allOrNothing: false },
    timezone: 'UTC',
    logger: () => {},
  });
  // Closing the pool while a connection is being opened would leave that one open, and the close would never end.
  const inHand = new Set<Promise<unknown>>();
  const counted = <T>(work: Promise<T>): Promise<T> => {
    const settled: Promise<unknown> = work
      .then(
        () => {},
        () => {},
      )
      .then(() => inHand.delete(settled));
    inHand.add(settled);
    return work;
  };
  const plain = sqlOn(() => orm.em.fork().getKysely() as unknown as Executor);
  const store: Store = {
    orm,
    em: () => orm.em.fork(),
    query: (statement, parameters) => counted(plain.query(statement, parameters)),
    run: (statement, parameters) => counted(plain.run(statement, parameters)),
    transaction: (work) =>
      counted(
        orm.em.fork().transactional(async (em) => {
          const context = em.getTransactionContext() as unknown as Executor | undefined;
          if (context === undefined) throw new TypeError('a transaction without its context');
          return work(
            sqlOn(() => context),
            em,
          );
        }),
      ),
    async close() {
      while (inHand.size > 0) await Promise.all(inHand);
      forgetPool();
      await orm.close();
    },
  };
  try {
    await store.query('select 1');
  } catch (cause) {
    await orm.close().catch(() => {});
    throw new AppError('store_unavailable', 'PostgreSQL does not answer at DB_CONNECTION_STRING', {
      retryable: true,
      cause,
    });
  }
  return store;
}
