import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NatsRole } from '../../contracts/nats-roles.ts';
import { assertPortFree, freePort } from './free-port.ts';
import { keptNatsKeys, publicKeys } from './nats-keys.ts';
import { claimServer } from './process-claim.ts';
import { type ServerExit, spawnServer, stopServer, waitUntilReady } from './server-process.ts';

const CONFIG_FILE = fileURLToPath(new URL('../../nats.conf', import.meta.url));
const HOST = '127.0.0.1';
const FIRST_MONITOR_PORT = 8222;
// Recovering a full store of some gigabytes takes its time.
const READY_MS = 60_000;
const STOP_STEPS = [{ signal: 'SIGTERM', waitMs: 15_000 }] as const;

export interface NatsProcess {
  /** With the login of the set-up role, which may do everything but hear the server's own events. */
  readonly url: string;
  /** `nats://<seed>@127.0.0.1:<port>`: a secret. */
  urlOf(role: NatsRole): string;
  /** `http://127.0.0.1:<port>` with /healthz, /varz and /jsz below it. */
  readonly monitorUrl: string;
  readonly pid: number;
  /** Resolves when the server has ended, whoever ended it; never rejects. */
  readonly exited: Promise<ServerExit>;
  /** Asks the server to end and waits for it; safe to call again. */
  stop(): Promise<void>;
  /** Sends the signal and returns at once; await `exited` before the next start. */
  kill(signal: NodeJS.Signals): void;
}

export interface StartNatsOptions {
  /** Path of the nats-server, as findNatsServer gives it. */
  readonly binary: string;
  readonly port: number;
  /** A free port from 8222 upwards by default. */
  readonly monitorPort?: number;
  /** Streams live here and are found again by the next start. */
  readonly storeDir: string;
  /** The server's name in logs and monitoring. */
  readonly name?: string;
  readonly logFile: string;
  /** Beside the store by default; the servers of a cluster share one. */
  readonly keysFile?: string;
  /** The project's nats.conf by default. */
  readonly configFile?: string;
  /** What that file wants to know besides. */
  readonly env?: Readonly<Record<string, string>>;
  readonly log?: (line: string) => void;
}

/** NATS reads the value of a variable as a part of its file: quoted, a path may hold spaces and backslashes. */
const quoted = (text: string): string => JSON.stringify(text);

async function isHealthy(monitorUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${monitorUrl}/healthz`, { signal: AbortSignal.timeout(1_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/**
 * Starts NATS with the project's nats.conf on 127.0.0.1 and returns when JetStream answers. A server that an earlier
 * run left behind on the same store is stopped first. Ending our process ends the server too, unless we are killed.
 * @throws Error in words for the user: port taken, store in use, or the server's last lines when it does not start.
 */
export async function startNats(options: StartNatsOptions): Promise<NatsProcess> {
  const { binary, port, name = 'order-manager-local', log = () => {} } = options;
  const storeDir = resolve(options.storeDir);
  const what = `NATS for ${storeDir}`;
  mkdirSync(storeDir, { recursive: true });
  const keys = await keptNatsKeys(options.keysFile ?? `${storeDir}.keys.json`);
  const claim = await claimServer({ file: `${storeDir}.running.json`, what, stopSignal: 'SIGTERM', log });
  try {
    await assertPortFree(port, 'NATS');
    if (options.monitorPort !== undefined)
      await assertPortFree(options.monitorPort, 'The monitoring of NATS');
    const monitorPort = options.monitorPort ?? (await freePort(FIRST_MONITOR_PORT));
    const server = await spawnServer({
      command: resolve(binary),
      args: ['-c', options.configFile ?? CONFIG_FILE],
      env: {
        // Go lets a heap grow to twice what lives in it; half as much again costs no processor time that shows.
        GOGC: '50',
        NATS_NAME: quoted(name),
        NATS_HOST: quoted(HOST),
        NATS_PORT: String(port),
        NATS_MONITOR_PORT: String(monitorPort),
        NATS_STORE_DIR: quoted(storeDir),
        ...publicKeys(keys),
        ...options.env,
      },
      logFile: resolve(options.logFile),
      exitSignal: 'SIGTERM',
    });
    claim.noteServer(server.pid);
    void server.exited.then(() => claim.release());

    const monitorUrl = `http://${HOST}:${monitorPort}`;
    const stop = async (): Promise<void> => {
      await stopServer(server, STOP_STEPS);
    };
    try {
      await waitUntilReady(server, { what, timeoutMs: READY_MS, isReady: () => isHealthy(monitorUrl) });
    } catch (error) {
      await stop();
      throw error;
    }
    const urlOf = (role: NatsRole): string => `nats://${keys[role]}@${HOST}:${port}`;
    return {
      url: urlOf('setup'),
      urlOf,
      monitorUrl,
      pid: server.pid,
      exited: server.exited,
      stop,
      kill: (signal) => server.signal(signal),
    };
  } catch (error) {
    claim.release();
    throw error;
  }
}
