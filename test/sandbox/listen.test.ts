import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { listenOn } from '../../deploy/sandbox/listen.ts';

test('a server does not get the port of one that has just gone: clients may still keep connections to that one', async () => {
  const ports: number[] = [];
  for (let servers = 0; servers < 500; servers += 1) {
    const server = createServer();
    ports.push(await listenOn(server, '127.0.0.1', 0));
    server.close();
    await once(server, 'close');
  }
  expect(new Set(ports).size).toBe(ports.length);
});
