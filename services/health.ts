import { createServer } from 'node:http';
import { AppError } from '../contracts/errors.ts';
import type { Bus } from './bus/bus.ts';
import type { Sql } from './store/store.ts';
import { withPatience } from './with-patience.ts';

/** Whoever asks gives up after a few seconds, so an answer that takes longer is a no. */
const PATIENCE_MS = 2_000;

/** What this process cannot work without just now; empty when all of it is there. */
async function missing(sql: Sql, bus: Pick<Bus, 'isConnected'>): Promise<string[]> {
  const answers = await withPatience(sql.query('select 1'), PATIENCE_MS).then(
    () => true,
    () => false,
  );
  return [...(answers ? [] : ['PostgreSQL']), ...(bus.isConnected() ? [] : ['NATS'])];
}

/**
 * Answers for one process, to whatever started it: `/healthz` that it lives, `/readyz` that it can work. It knows nothing
 * of the whole: a halted partition is no reason to restart a service, or to send no webhook to a gateway.
 * @throws AppError `settings_invalid` when the port cannot be had.
 */
export async function serveHealth(
  { port, host }: { port: number; host: string },
  sql: Sql,
  bus: Pick<Bus, 'isConnected'>,
): Promise<{ stop(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const isReadiness = request.url === '/readyz';
    if (!isReadiness && request.url !== '/healthz') return void response.writeHead(404).end();
    const lacking = isReadiness ? await missing(sql, bus) : [];
    const status = lacking.length === 0 ? 200 : 503;
    const text = lacking.length === 0 ? 'ok' : `no answer from ${lacking.join(', ')}`;
    response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(`${text}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new AppError(
          'settings_invalid',
          `cannot start: ORDER_MANAGER_HEALTH_PORT ${port} cannot be listened on at ORDER_MANAGER_HOST ${host}`,
          { retryable: false, cause },
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
  return {
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
