import { createServer, type ServerResponse } from 'node:http';
import { AppError } from '../contracts/errors.ts';
import type { Settings } from '../contracts/settings.ts';
import type { Bus } from './bus/bus.ts';
import { FIGURES_TYPE, measureProcess, processFigures } from './figures.ts';
import { isRefusedLately } from './store/refusals.ts';
import type { Sql } from './store/store.ts';
import { withPatience } from './with-patience.ts';

export interface HealthPorts {
  readonly settings: Pick<Settings, 'ORDER_MANAGER_HOST' | 'ORDER_MANAGER_METRICS_PORT'>;
  readonly bus: Pick<Bus, 'isConnected' | 'isFetching'>;
  readonly store: Sql;
}

/** Whoever asks gives up after a few seconds. */
const PATIENCE_MS = 2_000;

async function missingOf({ bus, store }: HealthPorts): Promise<string[]> {
  const isThere = await withPatience(store.query('select 1'), PATIENCE_MS).then(
    () => !isRefusedLately('disk_full'),
    () => false,
  );
  const ofBus = !bus.isConnected() ? ['nats'] : bus.isFetching() ? [] : ['commands'];
  return [...(isThere ? [] : ['database']), ...ofBus];
}

/** A process has one such port: what is told there is told for all of it. */
let readFigures: () => Promise<string> = processFigures;

/**
 * From now on `/metrics` at the port of the process tells this in the place of the process's own figures, which it holds.
 * @returns what ends that.
 */
export function tellFigures(read: () => Promise<string>): () => void {
  readFigures = read;
  return () => {
    if (readFigures === read) readFigures = processFigures;
  };
}

const say = (response: ServerResponse, status: number, type: string, body: string): void => {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(body);
};
const JSON_TYPE = 'application/json';

async function answer(ports: HealthPorts, path: string, response: ServerResponse): Promise<void> {
  if (path === '/healthz') return say(response, 200, JSON_TYPE, '{"status":"ok"}');
  if (path === '/metrics') return say(response, 200, FIGURES_TYPE, await readFigures());
  if (path !== '/readyz') return say(response, 404, JSON_TYPE, '{"status":"not_found"}');
  const missing = await missingOf(ports);
  if (missing.length === 0) return say(response, 200, JSON_TYPE, '{"status":"ready"}');
  say(response, 503, JSON_TYPE, JSON.stringify({ status: 'not_ready', missing }));
}

/**
 * What a process says of itself to Prometheus and to probes, at ORDER_MANAGER_METRICS_PORT; nothing is listened on
 * without it. It answers GET, asks for no key and tells of no order.
 * @throws AppError `settings_invalid` when the port cannot be had.
 */
export async function startHealthListener(ports: HealthPorts): Promise<() => Promise<void>> {
  const { ORDER_MANAGER_HOST: host, ORDER_MANAGER_METRICS_PORT: port } = ports.settings;
  if (port === undefined) return async () => {};
  measureProcess();
  const server = createServer((request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    answer(ports, path, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `cannot start: ORDER_MANAGER_METRICS_PORT ${port} cannot be listened on at ORDER_MANAGER_HOST ${host}: another program has it, or it is not ours to take`;
      reject(new AppError('settings_invalid', message, { retryable: false, cause }));
    });
    server.listen(port, host, resolve);
  });
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
}
