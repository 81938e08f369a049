import { connect, createServer, type Socket } from 'node:net';
import { freePort } from '../../deploy/local/free-port.ts';

/** A TCP road to one of several servers, which can go dead without a word. */
export interface Wire {
  readonly port: number;
  /** From now on the connections that stand swallow everything and close never; new ones work. */
  goSilent(): number;
  close(): Promise<void>;
}

/** @param ports on this machine, taken in turn; one that refuses is passed over. */
export async function openWire(ports: readonly number[]): Promise<Wire> {
  const pairs = new Set<{ readonly sockets: readonly Socket[]; isSilent: boolean }>();
  let turn = 0;
  const server = createServer((client) => {
    turn += 1;
    const order = ports.map((_, index) => ports[(turn + index) % ports.length] ?? 0);
    const tryNext = (): void => {
      const port = order.shift();
      if (port === undefined) return void client.destroy();
      const upstream = connect({ host: '127.0.0.1', port });
      upstream.once('error', tryNext);
      upstream.once('connect', () => {
        upstream.off('error', tryNext);
        const pair = { sockets: [client, upstream], isSilent: false };
        pairs.add(pair);
        const forward = (from: Socket, to: Socket): void => {
          from.on('data', (bytes) => {
            if (!pair.isSilent) to.write(bytes);
          });
          // A cut is passed on, unless nothing is passed on any more.
          from.on('error', () => {});
          from.on('close', () => {
            if (pair.isSilent) return;
            pairs.delete(pair);
            to.destroy();
          });
        };
        forward(client, upstream);
        forward(upstream, client);
      });
    };
    client.on('error', () => {});
    tryNext();
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port,
    goSilent() {
      for (const pair of pairs) pair.isSilent = true;
      return pairs.size;
    },
    async close() {
      for (const { sockets } of pairs) for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
