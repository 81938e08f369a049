import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

// The system hands out ports from 32768 upwards to outgoing connections; a server there can find its port taken.
const FIRST_EPHEMERAL_PORT = 32_768;
/** Below those that the sandbox listens on. */
const LOWEST_RANDOM_PORT = 12_000;
const RANDOM_PORTS = 8_000;
const HOST = '127.0.0.1';

/** Says whether a server could listen on this port of 127.0.0.1 now. */
export const isPortFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host: HOST, port, exclusive: true }, () => probe.close(() => resolve(true)));
  });

/**
 * False when somebody else who asked here was given this port. UDP counts its ports apart from TCP, so that holding the
 * same number there bars no server, is seen by every process, and ends with this one however it ends. Where a machine
 * lets nobody do that, the port is given all the same.
 */
async function reserve(port: number): Promise<boolean> {
  const sign = createSocket('udp4');
  try {
    sign.bind({ address: HOST, port, exclusive: true });
    await once(sign, 'listening');
  } catch (error) {
    sign.close();
    return !(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE');
  }
  sign.unref();
  return true;
}

/**
 * The first free TCP port on 127.0.0.1 at or above `from` and below 32768. Without `from` the search begins
 * somewhere at random. The port is free at this moment, and is given to nobody else who asks here while this process
 * lives: for a second port ask again.
 * @throws Error when every port from `from` to 32767 is taken.
 */
export async function freePort(from?: number): Promise<number> {
  const first = from ?? LOWEST_RANDOM_PORT + Math.floor(Math.random() * RANDOM_PORTS);
  for (let port = first; port < FIRST_EPHEMERAL_PORT; port += 1) {
    if ((await isPortFree(port)) && (await reserve(port))) return port;
  }
  throw new Error(`No free port on ${HOST} from ${first} to ${FIRST_EPHEMERAL_PORT - 1}.`);
}

/** @throws Error in words for the user, naming who wanted the port, when the port is taken. */
export async function assertPortFree(port: number, wantedBy: string): Promise<void> {
  if (await isPortFree(port)) return;
  throw new Error(
    `${wantedBy} cannot start: port ${port} on ${HOST} is taken by another program. Stop that program or choose another port.`,
  );
}
