import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { mapArticles } from '../../deploy/local/feed.ts';
import { freePort } from '../../deploy/local/free-port.ts';
import { readOrders } from '../../deploy/local/show-orders.ts';
import { startSandbox } from '../../deploy/sandbox/sandbox.ts';
import { PROJECT } from '../fixtures/compose-file.ts';
import { aDatabase, aStore } from '../fixtures/database.ts';
import { eventually } from '../fixtures/eventually.ts';
import { NODE_ENVIRONMENT } from '../fixtures/node-environment.ts';
import { startOwnNats } from '../fixtures/own-nats.ts';
import { layOutRelease, previousRelease } from '../fixtures/previous-release.ts';
import { aShopOrder, placeInShop } from '../fixtures/shop-orders.ts';
import { type StartedProcess, startProcess } from '../fixtures/started-process.ts';
import { CREDENTIALS } from '../sandbox/world.ts';

const API_KEY = 'a key of both releases';
const previous = previousRelease();
const name = 'orders go through while the release before and this one run side by side on the new schema';

test.skipIf(previous === undefined)(
  previous === undefined ? `${name} (skipped: this clone has no history to take it from)` : name,
  async () => {
    const old = mkdtempSync(join(tmpdir(), 'order-manager-previous-'));
    onTestFinished(() => rmSync(old, { recursive: true }));
    layOutRelease(previous!, old);
    const database = await aDatabase({ isMigrated: false });
    const nats = await startOwnNats();
    onTestFinished(nats.remove);
    const world = await startSandbox({
      credentials: CREDENTIALS,
      timing: { processMs: 200, shipMs: 200, transitMs: 200, deliverMs: 500 },
    });
    onTestFinished(world.stop);
    const environment = {
      ...NODE_ENVIRONMENT,
      TMPDIR: process.env.TMPDIR,
      DB_CONNECTION_STRING: database,
      ORDER_MANAGER_API_KEY: API_KEY,
      ORDER_MANAGER_HOST: '127.0.0.1',
      ORDER_MANAGER_GRACE_SECONDS: '0.3',
      ORDER_MANAGER_POLL_SECONDS: '0.2',
      ORDER_MANAGER_RETRY_SECONDS: '2',
      SHOPIFY_SHOP_URL: CREDENTIALS.shop,
      SHOPIFY_API_KEY: CREDENTIALS.shopifyClientId,
      SHOPIFY_API_SECRET: CREDENTIALS.shopifyClientSecret,
      SHOPIFY_ADMIN_BASE_URL: world.origin,
      CJ_DROPSHIPPING_API_KEY: CREDENTIALS.cjApiKey,
      CJ_DROPSHIPPING_BASE_URL: world.origin,
      CJ_DROPSHIPPING_MODE: 'live',
      CJ_DROPSHIPPING_REQUESTS_PER_SECOND: '40',
      SMTP_SERVER: '127.0.0.1',
      SMTP_PORT: String(world.smtpPort),
      EMAIL_FROM: 'orders@sandbox-shop.example',
    };
    const runSetup = async (folder: string): Promise<void> => {
      const env = { ...environment, NATS_URL: nats.url };
      const setup = startProcess(process.execPath, ['deploy/setup.ts'], { cwd: folder, env });
      expect([await setup.exited, setup.output()]).toEqual([0, expect.stringContaining('streams ready')]);
    };
    const start = async (folder: string): Promise<{ release: StartedProcess; url: string }> => {
      const port = await freePort();
      const env = { ...environment, NATS_URL: nats.urlOf('all-in-one'), ORDER_MANAGER_PORT: String(port) };
      const release = startProcess(process.execPath, ['deploy/all-in-one.ts'], { cwd: folder, env });
      onTestFinished(release.stop);
      await release.says('"msg":"ready"');
      return { release, url: `http://127.0.0.1:${port}` };
    };

    // As in an upgrade: what runs was set up by its own step, then comes the new one's, then the new services.
    await runSetup(old);
    const before = await start(old);
    await runSetup(PROJECT);
    const after = await start(PROJECT);
    await mapArticles({ url: before.url, apiKey: API_KEY });
    const placed = [1, 2, 3, 4, 5, 6].map((number) => ({
      number,
      url: number % 2 === 0 ? before.url : after.url,
    }));
    for (const { number, url } of placed) {
      const stack = {
        url,
        sandboxOrigin: world.origin,
        sandbox: { origin: world.origin, apiSecret: CREDENTIALS.shopifyClientSecret, secrets: [] },
      };
      expect((await placeInShop(stack, aShopOrder(number, [{ article: 3, units: 1 }]))).status).toBe(200);
    }
    const store = await aStore(database, 2);
    // Both have a share of the log, so that each hands orders on that the other began.
    await eventually(async () => {
      const owners = await store.query('select distinct owner from event_partitions where owner is not null');
      expect(owners).toHaveLength(2);
    }, 60_000);
    await eventually(async () => {
      const orders = await readOrders({ url: after.url, apiKey: API_KEY });
      expect(orders.map(({ status }) => status)).toEqual(placed.map(() => 'delivered'));
    }, 120_000);
    expect(await store.query('select * from dead_letters')).toEqual([]);
    // Whichever of the two an order was in the hands of.
    const verify = startProcess(process.execPath, ['deploy/verify.ts'], { cwd: PROJECT, env: environment });
    expect([await verify.exited, verify.output()]).toEqual([0, expect.stringContaining('no violation')]);
    // The way back: the set-up step of the release before finds nothing to do and spoils nothing.
    await runSetup(old);
    expect((await readOrders({ url: before.url, apiKey: API_KEY })).length).toBe(placed.length);
  },
  240_000,
);
