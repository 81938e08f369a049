import { join } from 'node:path';
import { keptSecret } from './kept-secret.ts';
import { supervise } from './supervisor.ts';

export const SANDBOX_SHOP = 'sandbox-shop.myshopify.com';
export const SANDBOX_CLIENT = 'sandbox-client';
const ALIEXPRESS_APP_KEY = '500123';

type Environment = Readonly<Record<string, string | undefined>>;

/** A trial should not wait for an hour; whoever sets these variables keeps their own values. */
const QUICK = {
  ORDER_MANAGER_GRACE_SECONDS: '1',
  ORDER_MANAGER_POLL_SECONDS: '0.5',
  ORDER_MANAGER_RETRY_SECONDS: '3',
  ORDER_MANAGER_CALL_TIMEOUT_SECONDS: '5',
  ORDER_MANAGER_DOUBT_GRACE_SECONDS: '3',
  ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '6',
  ORDER_MANAGER_OPERATOR_SECONDS: '5',
  ORDER_MANAGER_DRAIN_SECONDS: '0',
};

interface SandboxOptions {
  /** What it inherits, and what of its settings the user chose. */
  readonly environment: Environment;
  readonly dataDir: string;
  readonly logDir: string;
  readonly port: number;
  readonly smtpPort: number;
}

/**
 * The sandbox world in a process of its own, with its secrets, and what the services have to be told to work with it.
 * Does not wait until it is ready.
 */
export async function startSandboxProcess({ environment, dataDir, logDir, port, smtpPort }: SandboxOptions) {
  const secretOf = (name: string): Promise<string> => keptSecret(join(dataDir, 'sandbox', name));
  const cjApiKey = `CJ1@api@${await secretOf('cj-api-key')}`;
  const accessToken = await secretOf('shopify-access-token');
  const apiSecret = await secretOf('shopify-api-secret');
  const aliexpressSecret = await secretOf('aliexpress-app-secret');
  const aliexpressToken = await secretOf('aliexpress-access-token');
  const origin = `http://127.0.0.1:${port}`;
  const process = supervise({
    name: 'sandbox',
    script: 'deploy/sandbox/main.ts',
    env: {
      ...environment,
      SANDBOX_PORT: String(port),
      SANDBOX_SMTP_PORT: String(smtpPort),
      SANDBOX_DATA_DIR: join(dataDir, 'sandbox'),
      SANDBOX_CJ_API_KEY: cjApiKey,
      SANDBOX_SHOP,
      SANDBOX_SHOPIFY_ACCESS_TOKEN: accessToken,
      SANDBOX_SHOPIFY_CLIENT_ID: SANDBOX_CLIENT,
      SANDBOX_SHOPIFY_CLIENT_SECRET: apiSecret,
      SANDBOX_ALIEXPRESS_APP_KEY: ALIEXPRESS_APP_KEY,
      SANDBOX_ALIEXPRESS_APP_SECRET: aliexpressSecret,
      SANDBOX_ALIEXPRESS_ACCESS_TOKEN: aliexpressToken,
    },
    logDir,
    readyText: 'sandbox listening',
  });
  return {
    process,
    origin,
    secrets: [cjApiKey, accessToken, apiSecret, aliexpressSecret, aliexpressToken],
    env: {
      ...QUICK,
      ...Object.fromEntries(Object.entries(environment).filter(([name, value]) => value && name in QUICK)),
      SHOPIFY_SHOP_URL: SANDBOX_SHOP,
      SHOPIFY_API_KEY: SANDBOX_CLIENT,
      SHOPIFY_API_SECRET: apiSecret,
      SHOPIFY_ACCESS_TOKEN: accessToken,
      SHOPIFY_ADMIN_BASE_URL: origin,
      CJ_DROPSHIPPING_API_KEY: cjApiKey,
      // The adapter adds the usual path to a bare origin.
      CJ_DROPSHIPPING_BASE_URL: origin,
      CJ_DROPSHIPPING_MODE: 'live',
      CJ_DROPSHIPPING_REQUESTS_PER_SECOND: '40',
      ALIEXPRESS_API_KEY: ALIEXPRESS_APP_KEY,
      ALIEXPRESS_SECRET: aliexpressSecret,
      ALIEXPRESS_ACCESS_TOKEN: aliexpressToken,
      ALIEXPRESS_BASE_URL: origin,
      ALIEXPRESS_MODE: 'live',
      ALIEXPRESS_AUTO_PAY: 'true',
      ALIEXPRESS_REQUESTS_PER_SECOND: '40',
      SMTP_SERVER: '127.0.0.1',
      SMTP_PORT: String(smtpPort),
      SMTP_USERNAME: '',
      SMTP_PASSWORD: '',
      ORDER_MANAGER_OPERATOR_EMAIL:
        environment.ORDER_MANAGER_OPERATOR_EMAIL ?? 'operator@sandbox-shop.example',
      EMAIL_FROM: environment.EMAIL_FROM || 'Sandbox Shop <orders@sandbox-shop.example>',
    },
  };
}
