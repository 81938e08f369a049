import { randomUUID } from 'node:crypto';
import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import type { Pool } from 'pg';
import { AppError } from '../../contracts/errors.ts';
import { isOutage, STALE_PLAN, throughOutage } from './outage.ts';
import { createPool, type StoreOptions } from './pool.ts';
import { pools } from './pool-figures.ts';
import { noteRefusal } from './refusals.ts';

/** Bound parameters, plain rows. MikroORM writes values into the text of its own statements; these go beside it. */
export interface Sql {
  query<Row extends object>(statement: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /** Rows touched. */
  run(statement: string, parameters?: readonly unknown[]): Promise<number>;
}

export interface Store extends Sql {
  readonly pool: Pool;
  /** On the same pool; loaded when it is first asked for. */
  orm(): Promise<MikroORM>;
  /** A fresh unit of work; never keep one. */
  em(): Promise<EntityManager>;
  /** All statements commit together or not at all. Do not nest. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /**
   * As `transaction`, for what only this caller may do once it is committed: when the connection breaks at the commit, it
   * is looked up what became of it, for about a minute. One small statement dearer.
   */
  sureTransaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
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
      noteRefusal(error);
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
  const client = await pool.connect().catch((error: unknown) => {
    noteRefusal(error);
    throw error;
  });
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
 * Writes an id of its own among those that the inbox remembers: where that is found, all else that was written with it
 * is. Not the number of the transaction, which a server that crashed or was replaced may give once more.
 */
async function inSureTransaction<T>(pool: Pool, work: (sql: Sql) => Promise<T>): Promise<T> {
  const id = `commit:${randomUUID()}`;
  const atCommit: { readonly value: T }[] = [];
  try {
    return await inTransaction(pool, async (sql) => {
      const value = await work(sql);
      await sql.run('insert into inbox (message_id) values ($1)', [id]);
      atCommit.push({ value });
      return value;
    });
  } catch (error) {
    const [reached] = atCommit;
    if (reached === undefined || !isOutage(error)) throw error;
    const found = await throughOutage(() =>
      sqlOn(pool).query('select from inbox where message_id = $1', [id]),
    );
    if (found.length === 0) throw error;
    return reached.value;
  }
}

/** What a person has to look at: a server that refuses the login is there, and one without the database too. */
function whyNot(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code.startsWith('28')) return 'refuses the login of';
  return code === '3D000' ? 'has no database of the name in' : 'does not answer at';
}

/**
 * Opens the database.
 * @throws AppError `store_unavailable` when it cannot be had within five seconds.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const pool = createPool(options);
  const forgetPool = pools.add(pool);
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
  let loading: Promise<MikroORM> | undefined;
  const orm = (): Promise<MikroORM> => {
    loading ??= import('./orm.ts').then(({ createOrm }) => createOrm(options.connectionString, pool));
    return loading;
  };
  const closeAll = async (): Promise<void> => {
    while (inHand.size > 0) await Promise.all(inHand);
    forgetPool();
    await (await loading)?.close();
    await pool.end();
  };
  let closing: Promise<void> | undefined;
  const plain = sqlOn(pool);
  const store: Store = {
    pool,
    orm,
    em: async () => (await orm()).em.fork(),
    query: (statement, parameters) => counted(plain.query(statement, parameters)),
    run: (statement, parameters) => counted(plain.run(statement, parameters)),
    transaction: (work) => counted(inTransaction(pool, work)),
    sureTransaction: (work) => counted(inSureTransaction(pool, work)),
    close() {
      closing ??= closeAll();
      return closing;
    },
  };
  try {
    await store.query('select 1');
  } catch (cause) {
    await store.close();
    throw new AppError('store_unavailable', `PostgreSQL ${whyNot(cause)} DB_CONNECTION_STRING`, {
      retryable: true,
      cause,
    });
  }
  return store;
}
