import type { Pool, PoolClient } from 'pg';

/**
 * Gives back pooled clients whose connection died inside a transaction: kysely keeps them for ever (its issue 1990),
 * and after `max` of those every query would hang.
 */
export function returnDeadClients(pool: Pool): void {
  const out = new Set<PoolClient>();
  pool.on('acquire', (client) => out.add(client));
  pool.on('release', (_error, client) => out.delete(client));
  pool.on('connect', (client) =>
    client.once('error', (error) => {
      if (!out.has(client)) return;
      client.release(error);
      client.release = () => {}; // whoever still holds it may let go without harm
    }),
  );
}
