import { z } from 'zod';
import { startSandbox } from './sandbox.ts';

const milliseconds = (fallback: number) => z.coerce.number().int().nonnegative().default(fallback);
const port = z.coerce.number().int().min(0).max(65_535).default(0);

const Environment = z.object({
  SANDBOX_PORT: port,
  SANDBOX_SMTP_PORT: port,
  SANDBOX_DATA_DIR: z.string().min(1).optional(),
  SANDBOX_CJ_API_KEY: z.string().min(1),
  SANDBOX_SHOP: z.string().endsWith('.myshopify.com'),
  SANDBOX_SHOPIFY_ACCESS_TOKEN: z.string().min(1),
  SANDBOX_SHOPIFY_CLIENT_ID: z.string().min(1),
  SANDBOX_SHOPIFY_CLIENT_SECRET: z.string().min(1),
  SANDBOX_ALIEXPRESS_APP_KEY: z.string().min(1),
  SANDBOX_ALIEXPRESS_APP_SECRET: z.string().min(1),
  SANDBOX_ALIEXPRESS_ACCESS_TOKEN: z.string().min(1),
  SANDBOX_PROCESS_MS: milliseconds(1_000),
  SANDBOX_SHIP_MS: milliseconds(1_500),
  SANDBOX_TRANSIT_MS: milliseconds(1_500),
  SANDBOX_DELIVER_MS: milliseconds(2_500),
  SANDBOX_LOOKUP_BLIND_MS: milliseconds(0),
  SANDBOX_CJ_REQUESTS_PER_SECOND: z.coerce.number().int().positive().default(50),
  SANDBOX_ALIEXPRESS_REQUESTS_PER_SECOND: z.coerce.number().int().positive().default(50),
  SANDBOX_SHOPIFY_POINTS_PER_SECOND: z.coerce.number().int().positive().default(2_000),
});

const parsed = Environment.safeParse(process.env);
if (!parsed.success) {
  console.error(`sandbox cannot start:\n${z.prettifyError(parsed.error)}`);
  process.exit(1);
}
const env = parsed.data;

const sandbox = await startSandbox({
  port: env.SANDBOX_PORT,
  smtpPort: env.SANDBOX_SMTP_PORT,
  ...(env.SANDBOX_DATA_DIR === undefined ? {} : { dataDir: env.SANDBOX_DATA_DIR }),
  credentials: {
    cjApiKey: env.SANDBOX_CJ_API_KEY,
    shop: env.SANDBOX_SHOP,
    shopifyAccessToken: env.SANDBOX_SHOPIFY_ACCESS_TOKEN,
    shopifyClientId: env.SANDBOX_SHOPIFY_CLIENT_ID,
    shopifyClientSecret: env.SANDBOX_SHOPIFY_CLIENT_SECRET,
    aliexpressAppKey: env.SANDBOX_ALIEXPRESS_APP_KEY,
    aliexpressAppSecret: env.SANDBOX_ALIEXPRESS_APP_SECRET,
    aliexpressAccessToken: env.SANDBOX_ALIEXPRESS_ACCESS_TOKEN,
  },
  timing: {
    processMs: env.SANDBOX_PROCESS_MS,
    shipMs: env.SANDBOX_SHIP_MS,
    transitMs: env.SANDBOX_TRANSIT_MS,
    deliverMs: env.SANDBOX_DELIVER_MS,
    lookupBlindMs: env.SANDBOX_LOOKUP_BLIND_MS,
  },
  cjRequestsPerSecond: env.SANDBOX_CJ_REQUESTS_PER_SECOND,
  aliexpressRequestsPerSecond: env.SANDBOX_ALIEXPRESS_REQUESTS_PER_SECOND,
  shopifyPointsPerSecond: env.SANDBOX_SHOPIFY_POINTS_PER_SECOND,
});
console.log(`sandbox listening on ${sandbox.origin}, smtp ${sandbox.smtpPort}`);

const stop = (): void => {
  sandbox.stop().then(() => process.exit(0));
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
// Started by the local stack, which is gone.
process.once('disconnect', stop);
