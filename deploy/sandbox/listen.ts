import { once } from 'node:events';
import type { Server } from 'node:net';

/** The system hands out ports from 32768 upwards to outgoing connections; below it nobody takes ours away. */
const LOWEST = 20_000;
const HIGHEST = 32_767;
const ATTEMPTS = 50;

let latest = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1));

/**
 * From a random one on, one after another: a port is not soon given again, so that no connection that a client has kept to
 * the server before leads to the next one.
 */
function nextPort(): number {
  latest = latest < HIGHEST ? latest + 1 : LOWEST;
  return latest;
}

const isTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';

/**
 * Listens and answers with the port. Port 0 means any free one below 32768. Throws the system's error
 * (EADDRINUSE when the wanted port is taken).
 */
export async function listenOn(server: Server, host: string, port: number): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const candidate = port === 0 ? nextPort() : port;
    try {
      server.listen(candidate, host);
      await once(server, 'listening');
      return candidate;
    } catch (error) {
      if (port !== 0 || attempt === ATTEMPTS || !isTaken(error)) throw error;
    }
  }
}
