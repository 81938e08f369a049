import { createServer } from 'node:net';

// The system hands out ports from 32768 upwards to outgoing connections; a server there can find its port taken.
const FIRST_EPHEMERAL_PORT = 32_768;
const LOWEST_RANDOM_PORT = 12_000;
const RANDOM_PORTS = 20_000;

/** Says whether a server could listen on this port of 127.0.0.1 now. */
export const isPortFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host: '127.0.0.1', port, exclusive: true }, () => probe.close(() => resolve(true)));
  });

/**
 * The first free TCP port on 127.0.0.1 at or above `from` and below 32768. Without `from` the search begins
 * somewhere at random, so that processes that search at the same time rarely meet. The port is free at this moment
 * and nothing is reserved: for a second port ask again from the first one plus one.
 * @throws Error when every port from `from` to 32767 is taken.
 */
export async function freePort(from?: number): Promise<number> {
  const first = from ?? LOWEST_RANDOM_PORT + Math.floor(Math.random() * RANDOM_PORTS);
  for (let port = first; port < FIRST_EPHEMERAL_PORT; port += 1) {
    if (await isPortFree(port)) return port;
  }
  throw new Error(`No free port on 127.0.0.1 from ${first} to ${FIRST_EPHEMERAL_PORT - 1}.`);
}

/** @throws Error in words for the user, naming who wanted the port, when the port is taken. */
export async function assertPortFree(port: number, wantedBy: string): Promise<void> {
  if (await isPortFree(port)) return;
  throw new Error(
    `${wantedBy} cannot start: port ${port} on 127.0.0.1 is taken by another program. Stop that program or choose another port.`,
  );
}
