import { H3, toNodeHandler } from 'h3';
import { addAliExpressControl } from './aliexpress/control.ts';
import { USUAL_SWITCHES } from './aliexpress/switches.ts';
import { aliExpressDialects, createAliExpress } from './aliexpress/world.ts';
import { createCjAccount } from './cj/account.ts';
import { createCjGoods } from './cj/goods.ts';
import { startOrderPushes } from './cj/order-pushes.ts';
import { createCjOrders } from './cj/orders.ts';
import { createCjPushes } from './cj/pushes.ts';
import { CJ_BASE_PATH, createCjApi } from './cj/routes.ts';
import { addControl } from './control.ts';
import { createFaults } from './faults.ts';
import { openJournal } from './journal.ts';
import { listenOn } from './listen.ts';
import { addMailPage } from './mail-page.ts';
import { createMailbox } from './mailbox.ts';
import { serveDialects } from './serve-dialects.ts';
import { createSettings, type Settings, type Timing } from './settings.ts';
import { createShelf } from './shelf.ts';
import { SCOPES } from './shopify/access-scopes.ts';
import { createAdminApi } from './shopify/admin-api.ts';
import { createAppTokens } from './shopify/app-tokens.ts';
import { ADMIN_BASE_PATH, createShopifyApi } from './shopify/routes.ts';
import { createShop } from './shopify/shop.ts';
import { createWebhooks } from './shopify/webhooks.ts';
import { startSmtp } from './smtp.ts';

/** What the outside world will let in. */
export interface SandboxCredentials {
  readonly cjApiKey: string;
  /** Like `sandbox-shop.myshopify.com`. */
  readonly shop: string;
  readonly shopifyAccessToken: string;
  readonly shopifyClientId: string;
  readonly shopifyClientSecret: string;
  readonly aliexpressAppKey: string;
  readonly aliexpressAppSecret: string;
  /** An access token that needs no consent. */
  readonly aliexpressAccessToken: string;
}

export interface SandboxOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0 or absent: a free one below 32768. The same holds for `smtpPort`. */
  readonly port?: number;
  readonly smtpPort?: number;
  /** Where the journal lives. Absent: the world ends with `stop`. */
  readonly dataDir?: string;
  readonly credentials: SandboxCredentials;
  readonly timing?: Partial<Timing>;
  /** Default 50. */
  readonly cjRequestsPerSecond?: number;
  /** Default 50. */
  readonly aliexpressRequestsPerSecond?: number;
  /** Default 2000, with a bucket of twenty seconds of it: the largest plan. */
  readonly shopifyPointsPerSecond?: number;
}

export interface Sandbox {
  /** For `/api2.0/v1` (CJ), `/sync`, `/rest`, `/oauth` (AliExpress), `/admin` (Shopify), `/control` and `/mails`. */
  readonly origin: string;
  readonly cjBaseUrl: string;
  readonly smtpPort: number;
  /** Closes every connection, also those that are in the middle of something. */
  stop(): Promise<void>;
}

const DAY_MS = 86_400_000;

const startSettings = (options: SandboxOptions): Settings => ({
  dupMode: 'A',
  detailKeys: 'any',
  createNulls: true,
  intercept: false,
  cjLoginEveryMs: 0,
  lowBalanceCode: 1604000,
  split: 'off',
  cjPointsPerDay: 0,
  cjPointsRefusal: 'http',
  cjPushUrls: 'public',
  cjPushDelayMs: 0,
  cjPushRetryMs: 300_000,
  cjPushDoubled: false,
  cjPushOutOfOrder: false,
  cjPushDropped: false,
  cjRequestsPerSecond: options.cjRequestsPerSecond ?? 50,
  cjTokenTtlMs: 15 * DAY_MS,
  shopifyPointsPerSecond: options.shopifyPointsPerSecond ?? 2_000,
  shopifyScopes: SCOPES,
  shopifySearchRows: 25_000,
  webhookCopies: 1,
  webhookDropShare: 0,
  webhookMaxDelayMs: 0,
  timing: {
    processMs: 1_000,
    shipMs: 1_500,
    transitMs: 1_500,
    deliverMs: 2_500,
    lookupBlindMs: 0,
    ...options.timing,
  },
  aliexpress: {
    ...USUAL_SWITCHES,
    requestsPerSecond: options.aliexpressRequestsPerSecond ?? USUAL_SWITCHES.requestsPerSecond,
  },
});

/** Idle connections stay longer than clients keep them, so that none dies under a request. */
const KEEP_ALIVE_MS = 75_000;

/**
 * Starts the outside world: supplier, shop and mail server on loopback, written from the fact sheets of
 * the real ones. Throws the system's error when a wanted port is taken, ZodError when the journal is not ours.
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { host = '127.0.0.1', credentials } = options;
  const journal = openJournal(options.dataDir);
  const settings = createSettings(journal, startSettings(options));
  const faults = createFaults(journal);
  const account = createCjAccount(journal, settings, credentials.cjApiKey);
  const shelf = createShelf(journal);
  const goods = createCjGoods(shelf);
  const orders = createCjOrders(journal, settings, { account, goods });
  const pushes = createCjPushes(journal, settings);
  const stopOrderPushes = startOrderPushes(orders, pushes);
  const aliexpress = createAliExpress(journal, {
    settings,
    faults,
    shelf,
    credentials: { appKey: credentials.aliexpressAppKey, appSecret: credentials.aliexpressAppSecret },
    accessToken: credentials.aliexpressAccessToken,
  });
  const shop = createShop(journal, credentials.shop);
  const mailbox = createMailbox(journal);
  const tokens = createAppTokens(journal, {
    accessToken: credentials.shopifyAccessToken,
    clientId: credentials.shopifyClientId,
    clientSecret: credentials.shopifyClientSecret,
  });

  const app = new H3({
    silent: true,
    onError(error) {
      if (error.status >= 500) console.error('sandbox:', error.cause ?? error);
    },
  });
  const webhooks = createWebhooks(
    journal,
    settings,
    { shop: shop.domain, secret: credentials.shopifyClientSecret },
    shop.nextId,
  );
  shop.listen(webhooks.tell);
  const admin = createAdminApi(shop, webhooks, settings);
  addAliExpressControl(app, aliexpress);
  addControl(app, {
    shop,
    orders,
    aliexpress: aliexpress.orders,
    account,
    goods,
    pushes,
    mailbox,
    faults,
    settings,
    shelf,
  });
  addMailPage(app, mailbox);

  const dialects = {
    [CJ_BASE_PATH]: createCjApi({ account, goods, orders, pushes, settings, faults }),
    [ADMIN_BASE_PATH]: createShopifyApi({ admin, tokens, faults, settings }),
    ...aliExpressDialects(aliexpress),
  };
  const server = serveDialects(dialects, toNodeHandler(app));
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const smtp = await startSmtp({ host, port: options.smtpPort ?? 0, mailbox, faults });
  const port = await listenOn(server, host, options.port ?? 0).catch(async (error: unknown) => {
    await smtp.stop();
    throw error;
  });
  const origin = `http://${host}:${port}`;

  return {
    origin,
    cjBaseUrl: origin + CJ_BASE_PATH,
    smtpPort: smtp.port,
    async stop() {
      webhooks.stop();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      aliexpress.pushes.stop();
      stopOrderPushes();
      pushes.stop();
      await Promise.all([closed, smtp.stop()]);
      journal.close();
    },
  };
}
