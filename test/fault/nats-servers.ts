import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NatsRole } from '../../contracts/nats-roles.ts';
import { freePort } from '../../deploy/local/free-port.ts';
import { keptNatsKeys, type NatsKeys } from '../../deploy/local/nats-keys.ts';
import { type NatsProcess, startNats } from '../../deploy/local/nats-process.ts';
import { findNatsServer } from '../../deploy/local/nats-server.ts';

const CACHE = fileURLToPath(new URL('../../.cache/nats-server', import.meta.url));
const CLUSTER = fileURLToPath(new URL('cluster.conf', import.meta.url));

interface Place {
  readonly name: string;
  readonly port: number;
  readonly monitorPort: number;
  readonly clusterPort: number;
}

/** One NATS server, or a cluster of three, at fixed addresses. */
export interface NatsServers {
  readonly ports: readonly number[];
  readonly logFiles: readonly string[];
  /** With the login of that role, over other ports where they are given. */
  urlOf(role: NatsRole, ports?: readonly number[]): string;
  /** SIGKILL of one server: of a cluster's leader of the stream of events, if there is one. */
  killOne(): Promise<string>;
  /** Starts whatever does not run. */
  startAgain(): Promise<void>;
  /** Kills all and deletes their stores; `startAgain` then starts empty ones. */
  loseStores(): Promise<void>;
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/** Where JetStream says who leads a stream. */
async function leaderOf(monitorPort: number, stream: string): Promise<string | undefined> {
  const response = await fetch(`http://127.0.0.1:${monitorPort}/jsz?streams=1&accounts=1`);
  const text = await response.text();
  const found = new RegExp(`"name": ?"${stream}"[\\s\\S]*?"leader": ?"([^"]+)"`).exec(text);
  return found?.[1];
}

/** @param count 1 or 3. */
export async function startNatsServers(folder: string, count: number): Promise<NatsServers> {
  const { path: binary } = await findNatsServer({ cacheDir: CACHE, log: () => {} });
  const keysFile = join(folder, 'nats-keys.json');
  const keys: NatsKeys = await keptNatsKeys(keysFile);
  const places: Place[] = [];
  for (let number = 1; number <= count; number += 1)
    places.push({
      name: `nats-${number}`,
      port: await freePort(),
      monitorPort: await freePort(),
      clusterPort: await freePort(),
    });
  const running = new Map<string, NatsProcess>();
  const logFileOf = ({ name }: Place): string => join(folder, 'logs', `${name}.log`);
  const storeOf = ({ name }: Place): string => join(folder, name);

  const start = async (place: Place): Promise<void> => {
    const others = places.filter((other) => other !== place);
    const routes = others.map(({ clusterPort }) => `"nats://127.0.0.1:${clusterPort}"`);
    const server = await startNats({
      binary,
      port: place.port,
      monitorPort: place.monitorPort,
      storeDir: storeOf(place),
      name: place.name,
      logFile: logFileOf(place),
      keysFile,
      ...(count === 1
        ? {}
        : {
            configFile: CLUSTER,
            env: { NATS_CLUSTER_PORT: String(place.clusterPort), NATS_ROUTES: `[${routes.join(', ')}]` },
          }),
    });
    running.set(place.name, server);
    void server.exited.then(() => running.delete(place.name));
  };
  // All at once: none of a cluster is healthy before most of them are there.
  const startAgain = async (): Promise<void> => {
    await Promise.all(places.filter(({ name }) => !running.has(name)).map(start));
  };
  const kill = async (name: string | undefined): Promise<void> => {
    const server = name === undefined ? undefined : running.get(name);
    server?.kill('SIGKILL');
    await server?.exited;
  };
  await startAgain();
  return {
    ports: places.map(({ port }) => port),
    logFiles: places.map(logFileOf),
    urlOf: (role, ports = places.map(({ port }) => port)) =>
      ports.map((port) => `nats://${keys[role]}@127.0.0.1:${port}`).join(','),
    async killOne() {
      const [first] = places;
      const leader =
        count === 1 || first === undefined ? first?.name : await leaderOf(first.monitorPort, 'EVT');
      await kill(leader ?? first?.name);
      return leader ?? first?.name ?? '';
    },
    startAgain,
    async loseStores() {
      await Promise.all(places.map(({ name }) => kill(name)));
      for (const place of places) rmSync(storeOf(place), { recursive: true, force: true });
    },
    freeze: () => {
      for (const server of running.values()) server.kill('SIGSTOP');
    },
    thaw: () => {
      for (const server of running.values()) server.kill('SIGCONT');
    },
    async stop() {
      await Promise.all([...running.values()].map((server) => server.stop()));
    },
  };
}
