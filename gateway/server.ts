import type { RequestListener, Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { type H3, toNodeHandler } from 'h3';
import { listen } from 'listhen';
import { AppError } from '../contracts/errors.ts';

/** Longer than the idle time of common proxies: who reuses a connection must not find it closed under a request. */
const KEEP_ALIVE_MS = 75_000;
const REQUEST_MS = 30_000;
/** A client that does not finish its request by then is cut off, so that a stop stays within the service's time. */
export const STOP_MS = 4_000;

export interface GatewayServer {
  readonly port: number;
  /**
   * Serves on for the time, telling each client to come back on a new connection: whoever spreads the requests has then
   * turned to another copy, and none finds its connection closed. Then takes no more and finishes the requests in hand.
   */
  close(drainMs: number): Promise<void>;
}

const refused = (host: string, port: number, cause?: unknown): AppError =>
  new AppError(
    'settings_invalid',
    `cannot start: ORDER_MANAGER_PORT ${port} cannot be listened on at ORDER_MANAGER_HOST ${host}: another program has it, or it is not ours to take`,
    { retryable: false, cause },
  );

/**
 * Ends a server that has stopped listening: idle connections at once, the others after their request, all of them
 * after `STOP_MS`.
 */
function drain(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const idle = setInterval(() => server.closeIdleConnections(), 50);
    const cut = setTimeout(() => server.closeAllConnections(), STOP_MS);
    server.close(() => {
      clearInterval(idle);
      clearTimeout(cut);
      resolve();
    });
  });
}

/** @throws AppError `settings_invalid` when this very port cannot be had: another one would not be found by anybody. */
export async function serve(app: H3, host: string, port: number): Promise<GatewayServer> {
  const answer = toNodeHandler(app);
  let isLeaving = false;
  const handler: RequestListener = (request, response) => {
    if (isLeaving) response.setHeader('connection', 'close');
    answer(request, response);
  };
  const { server, address } = await listen(handler, {
    hostname: host,
    port: { port, host, random: false, verbose: false },
    public: host === '0.0.0.0' || host === '::',
    showURL: false,
    qr: false,
    open: false,
    clipboard: false,
    tunnel: false,
    autoClose: false,
  }).catch((cause: unknown) => {
    throw refused(host, port, cause);
  });
  // listhen's own book of idle connections (http-shutdown 1.2.2) throws out of an event handler, and with it ends the
  // process, when a request was cut off in its body: any stranger could do that. Node keeps that book itself.
  server.removeAllListeners('request');
  server.on('request', handler);
  if (address.port !== port) {
    await drain(server);
    throw refused(host, port);
  }
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.requestTimeout = REQUEST_MS;
  return {
    port,
    async close(drainMs) {
      isLeaving = true;
      await delay(drainMs);
      await drain(server);
    },
  };
}
