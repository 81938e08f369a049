import { Migrator } from '@mikro-orm/migrations';
import { type EntityManager, MikroORM } from '@mikro-orm/postgresql';
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
import { STALE_PLAN } from './outage.ts';
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
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Statements of this many texts are kept prepared; ours are constants, so it is a guard, not a cache. */
const MOST_PREPARED = 1_000;
const names = new Map<string, string>();
let named = 0;

/**
 * The name under which a connection keeps a statement: parsed and planned once instead of each time, which is the
 * larger part of what our small statements cost.
 */
function nameOf(statement: string): string | undefined {
  const known = names.get(statement);
  if (known !== undefined || names.size >= MOST_PREPARED) return known;
  named += 1;
  const name = `oms_${named}`;
  names.set(statement, name);
  return name;
}

const isStalePlan = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === STALE_PLAN;

const sqlOn = (executor: Pick<Pool, 'query'>): Sql => {
  const execute = async <Row extends object>(text: string, parameters: readonly unknown[]) => {
    try {
      return await executor.query<Row>({ name: nameOf(text), text, values: [...parameters] });
    } catch (error) {
      // The next try prepares it under another name, on every connection.
      if (isStalePlan(error)) names.delete(text);
      throw error;
    }
  };
  return {
    // The statement names its columns; each is covered by a test against a real database.
    query: async <Row extends object>(statement: string, parameters: readonly unknown[] = []) =>
      (await execute<Row>(statement, parameters)).rows,
    run: async (statement, parameters = []) => (await execute(statement, parameters)).rowCount ?? 0,
  };
};

async function inTransaction<T>(pool: Pool, work: (sql: Sql) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let isUsable = true;
  try {
    await client.query('begin');
    const value = await work(sqlOn(client));
    const { command } = await client.query('commit');
    // PostgreSQL answers so when a statement failed and nobody heard of it.
    if (command !== 'COMMIT') throw new TypeError('a transaction went on after a statement of it had failed');
    return value;
  } catch (error) {
    await client.query('rollback').catch(() => {
      isUsable = false;
    });
    throw error;
  } finally {
    client.release(!isUsable);
  }
}

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
  /** For migrations and searches of whole tables: a statement may take as long as it takes. */
  isPatient?: boolean;
}): Promise<Store> {
  let forgetPool = (): void => {};
  const pool: PoolConfig & { onPoolCreated: (pool: Pool) => void } = {
    connectionTimeoutMillis: 5_000,
    application_name: `order-manager ${options.name}`,
    statement_timeout: options.isPatient ? 0 : 10_000,
    lock_timeout: 5_000,
    idle_in_transaction_session_timeout: 15_000,
    keepAlive: true,
    stream: () => breakingSocket(options.isPatient ? 0 : options.silenceMs),
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
  const unreachable = async (cause: unknown): Promise<never> => {
    await orm.close().catch(() => {});
    throw new AppError('store_unavailable', 'PostgreSQL does not answer at DB_CONNECTION_STRING', {
      retryable: true,
      cause,
    });
  };
  const connections = await orm.em.getConnection().getNativeClient().catch(unreachable);
  const plain = sqlOn(connections);
  const store: Store = {
    orm,
    em: () => orm.em.fork(),
    query: (statement, parameters) => counted(plain.query(statement, parameters)),
    run: (statement, parameters) => counted(plain.run(statement, parameters)),
    transaction: (work) => counted(inTransaction(connections, work)),
    async close() {
      while (inHand.size > 0) await Promise.all(inHand);
      forgetPool();
      await orm.close();
    },
  };
  await store.query('select 1').catch(unreachable);
  return store;
}
