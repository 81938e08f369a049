import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '../../contracts/settings.ts';
import { mapArticles } from '../../deploy/local/feed.ts';
import { freePort } from '../../deploy/local/free-port.ts';
import { SANDBOX_SHOP } from '../../deploy/local/sandbox-process.ts';
import { SERVICES, type Stack, type StackOptions, startStack } from '../../deploy/local/stack.ts';
import { supervise } from '../../deploy/local/supervisor.ts';

/** What opens the doors of the bench's outside world. */
export const KEYS = {
  cj: 'CJ1@api@bench',
  shopToken: 'shpat_bench',
  shopSecret: 'secret of the bench shop',
  aliexpressApp: '500123',
  aliexpressSecret: 'secret of the bench app',
  aliexpressToken: 'token of the bench buyer',
};

export interface RoadWorld {
  readonly stack: Stack;
  readonly sandboxOrigin: string;
  readonly smtpPort: number;
  /** Changes or reads what only the world's owner can: the path below `/control`. */
  control(method: string, path: string, body?: string): Promise<unknown>;
  readonly logDir: string;
  stop(): Promise<void>;
}

const RATE = '100000';

/** No delays, no limits, and nothing kept on the disk. */
const sandboxEnvironment = (port: number, smtpPort: number) => ({
  SANDBOX_PORT: String(port),
  SANDBOX_SMTP_PORT: String(smtpPort),
  SANDBOX_CJ_API_KEY: KEYS.cj,
  SANDBOX_SHOP,
  SANDBOX_SHOPIFY_ACCESS_TOKEN: KEYS.shopToken,
  SANDBOX_SHOPIFY_CLIENT_ID: 'bench',
  SANDBOX_SHOPIFY_CLIENT_SECRET: KEYS.shopSecret,
  SANDBOX_ALIEXPRESS_APP_KEY: KEYS.aliexpressApp,
  SANDBOX_ALIEXPRESS_APP_SECRET: KEYS.aliexpressSecret,
  SANDBOX_ALIEXPRESS_ACCESS_TOKEN: KEYS.aliexpressToken,
  SANDBOX_PROCESS_MS: '0',
  SANDBOX_SHIP_MS: '0',
  SANDBOX_TRANSIT_MS: '0',
  SANDBOX_DELIVER_MS: '0',
  SANDBOX_CJ_REQUESTS_PER_SECOND: '1000000',
  SANDBOX_ALIEXPRESS_REQUESTS_PER_SECOND: '1000000',
  SANDBOX_SHOPIFY_POINTS_PER_SECOND: '100000000',
});

const serviceEnvironment = (origin: string, smtpPort: number) => ({
  ORDER_MANAGER_GRACE_SECONDS: '0',
  ORDER_MANAGER_POLL_SECONDS: '0.5',
  ORDER_MANAGER_RETRY_SECONDS: '60',
  // The orders stand in the shop before their webhooks come: nobody else may bring them in.
  ORDER_MANAGER_SWEEP_SECONDS: '86400',
  ORDER_MANAGER_MAILS: 'parcel_shipped,parcel_delivered',
  SHOPIFY_SHOP_URL: SANDBOX_SHOP,
  SHOPIFY_API_SECRET: KEYS.shopSecret,
  SHOPIFY_ACCESS_TOKEN: KEYS.shopToken,
  SHOPIFY_ADMIN_BASE_URL: origin,
  CJ_DROPSHIPPING_API_KEY: KEYS.cj,
  CJ_DROPSHIPPING_BASE_URL: origin,
  CJ_DROPSHIPPING_MODE: 'live',
  CJ_DROPSHIPPING_REQUESTS_PER_SECOND: RATE,
  ALIEXPRESS_API_KEY: KEYS.aliexpressApp,
  ALIEXPRESS_SECRET: KEYS.aliexpressSecret,
  ALIEXPRESS_ACCESS_TOKEN: KEYS.aliexpressToken,
  ALIEXPRESS_BASE_URL: origin,
  ALIEXPRESS_MODE: 'live',
  ALIEXPRESS_AUTO_PAY: 'true',
  ALIEXPRESS_REQUESTS_PER_SECOND: RATE,
  SMTP_SERVER: '127.0.0.1',
  SMTP_PORT: String(smtpPort),
  EMAIL_FROM: 'Bench Shop <orders@bench.example>',
});

/**
 * The whole stack, each service in its process, before a sandbox world that neither waits nor limits, with articles
 * mapped and money on the supplier's account. `stop` deletes all data, and a signal that ends us does so first.
 * @param inherited variables that reach every process, such as `NODE_OPTIONS`, and override ours. @param scripts as the stack takes them.
 */
export async function startRoadWorld(
  name: string,
  inherited: Readonly<Record<string, string>> = {},
  scripts: NonNullable<StackOptions['scripts']> = SERVICES,
): Promise<RoadWorld> {
  const dataDir = mkdtempSync(join(tmpdir(), `${name}-`));
  // Root's PostgreSQL runs as another user, who has to enter.
  chmodSync(dataDir, 0o755);
  const logDir = join(dataDir, 'logs');
  mkdirSync(logDir);
  const [port, smtpPort] = [await freePort(), await freePort()];
  const origin = `http://127.0.0.1:${port}`;
  const process_ = { PATH: process.env.PATH, HOME: process.env.HOME };
  const sandbox = supervise({
    name: 'sandbox',
    script: 'deploy/sandbox/main.ts',
    env: { ...process_, ...sandboxEnvironment(port, smtpPort), ...inherited },
    logDir,
    readyText: 'sandbox listening',
  });
  const control = async (method: string, path: string, body?: string): Promise<unknown> => {
    const answer = await fetch(`${origin}/control${path}`, {
      method,
      ...(body === undefined ? {} : { body }),
    });
    if (!answer.ok) throw new Error(`${path}: HTTP ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const remove = async (): Promise<void> => {
    await sandbox.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    await sandbox.ready;
    await control('PUT', '/settings', JSON.stringify({ balance: 1_000_000_000_000 }));
    const environment = {
      ...process_,
      ...serviceEnvironment(origin, smtpPort),
      ...inherited,
      ORDER_MANAGER_PORT: String(await freePort()),
    };
    const stack = await startStack({
      settings: readSettings(environment),
      environment,
      dataDir,
      log: () => {},
      scripts,
    });
    await mapArticles(stack);
    const stop = async (): Promise<void> => {
      await stack.stop();
      await remove();
    };
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => void stop().finally(() => process.exit(1)));
    return { stack, sandboxOrigin: origin, smtpPort, control, logDir, stop };
  } catch (error) {
    await remove();
    throw error;
  }
}
