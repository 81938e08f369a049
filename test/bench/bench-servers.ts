import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../deploy/local/free-port.ts';
import { startNats } from '../../deploy/local/nats-process.ts';
import { findNatsServer } from '../../deploy/local/nats-server.ts';
import { startPostgres } from '../../deploy/local/postgres.ts';

/**
 * PostgreSQL and NATS of a benchmark's own, in a folder named after it. What ends them is added to `cleanups`, which are
 * to be run backwards.
 */
export async function startServers(
  name: string,
  cleanups: (() => unknown)[],
): Promise<{ connectionString: string; natsUrl: string }> {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  // Root's PostgreSQL runs as another user, who has to enter.
  chmodSync(folder, 0o755);
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const postgres = await startPostgres({
    dataDir: join(folder, 'postgres'),
    logFile: join(folder, 'postgres.log'),
    port: await freePort(),
    database: 'orders',
  });
  cleanups.push(() => postgres.stop());
  const cacheDir = fileURLToPath(new URL('../../.cache/nats-server', import.meta.url));
  const { path: binary } = await findNatsServer({ cacheDir, log: console.log });
  const port = await freePort();
  const nats = await startNats({
    binary,
    port,
    monitorPort: await freePort(port + 1),
    storeDir: join(folder, 'nats'),
    logFile: join(folder, 'nats.log'),
  });
  cleanups.push(() => nats.stop());
  return { connectionString: postgres.connectionString, natsUrl: nats.url };
}
