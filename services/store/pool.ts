import { Socket } from 'node:net';
import type { Pool, PoolClient } from 'pg';

/** The server ends a statement after ten seconds: whoever says nothing for three times as long is gone. */
const SILENCE_MS = 30_000;

/**
 * A socket that breaks when nothing comes or goes any more. A peer that vanished without a word would otherwise keep a
 * query waiting for ever, and with it a partition whose lease other connections prolong. @param silenceMs 0: never.
 */
export const breakingSocket = (silenceMs = SILENCE_MS): Socket => {
  const socket = new Socket();
  return socket.setTimeout(silenceMs, () =>
    socket.destroy(new Error('the connection to PostgreSQL has fallen silent')),
  );
};

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
