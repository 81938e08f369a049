import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { orderIdOf } from '../../contracts/ids.ts';
import { readSettings } from '../../contracts/settings.ts';
import { SUPPLIERS } from '../../contracts/vocabulary.ts';
import { candidatesOf } from '../../deploy/local/feed.ts';
import { MAPPED_ARTICLES } from '../../deploy/sandbox/catalogue.ts';
import { type Sandbox, startSandbox } from '../../deploy/sandbox/sandbox.ts';
import { audit } from '../../services/audit.ts';
import { startNotifier } from '../../services/notifier/service.ts';
import { startOrders } from '../../services/orders/service.ts';
import { pausePurchasing, resumePurchasing } from '../../services/purchasing-switch.ts';
import { openContext, type ServiceContext } from '../../services/run-service.ts';
import { startShopify } from '../../services/shopify/service.ts';
import { startSuppliers } from '../../services/suppliers/service.ts';
import { createDatabase } from '../fixtures/database.ts';
import { type DatabaseDump, dumpDatabase, restoreDatabase } from '../fixtures/database-dump.ts';
import { eventually } from '../fixtures/eventually.ts';
import { NODE_ENVIRONMENT } from '../fixtures/node-environment.ts';
import { startOwnNats } from '../fixtures/own-nats.ts';
import { aShopOrder } from '../fixtures/shop-orders.ts';
import { CREDENTIALS, control, ledgerOf } from '../sandbox/world.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

const stops: (() => Promise<unknown>)[] = [];
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({
    credentials: CREDENTIALS,
    cjRequestsPerSecond: 10_000,
    aliexpressRequestsPerSecond: 10_000,
    timing: { processMs: 20, shipMs: 20, transitMs: 20, deliverMs: 20 },
  });
  stops.push(() => sandbox.stop());
});
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

/** A machine of its own: a database and an empty NATS, and what a service there is told. */
async function aMachine(): Promise<Record<string, string>> {
  const nats = await startOwnNats();
  stops.push(() => nats.remove());
  const database = await createDatabase();
  stops.push(() => database.drop());
  return {
    ...NODE_ENVIRONMENT,
    DB_CONNECTION_STRING: database.url,
    NATS_URL: nats.url,
    SHOPIFY_SHOP_URL: CREDENTIALS.shop,
    SHOPIFY_API_SECRET: CREDENTIALS.shopifyClientSecret,
    SHOPIFY_ACCESS_TOKEN: CREDENTIALS.shopifyAccessToken,
    SHOPIFY_ADMIN_BASE_URL: sandbox.origin,
    CJ_DROPSHIPPING_API_KEY: CREDENTIALS.cjApiKey,
    CJ_DROPSHIPPING_BASE_URL: sandbox.cjBaseUrl,
    CJ_DROPSHIPPING_MODE: 'live',
    CJ_DROPSHIPPING_REQUESTS_PER_SECOND: '1000',
    ALIEXPRESS_API_KEY: CREDENTIALS.aliexpressAppKey,
    ALIEXPRESS_SECRET: CREDENTIALS.aliexpressAppSecret,
    ALIEXPRESS_ACCESS_TOKEN: CREDENTIALS.aliexpressAccessToken,
    ALIEXPRESS_BASE_URL: sandbox.origin,
    ALIEXPRESS_MODE: 'live',
    ALIEXPRESS_AUTO_PAY: 'true',
    ALIEXPRESS_REQUESTS_PER_SECOND: '1000',
    SMTP_SERVER: '127.0.0.1',
    SMTP_PORT: String(sandbox.smtpPort),
    EMAIL_FROM: 'Sandbox Shop <orders@sandbox-shop.example>',
    ORDER_MANAGER_GRACE_SECONDS: '0.1',
    ORDER_MANAGER_POLL_SECONDS: '0.2',
    ORDER_MANAGER_RETRY_SECONDS: '1',
    ORDER_MANAGER_SWEEP_SECONDS: '0.5',
    ORDER_MANAGER_DOUBT_GRACE_SECONDS: '0.5',
    ORDER_MANAGER_DOUBT_WINDOW_SECONDS: '1',
  };
}

interface Life extends ServiceContext {
  stop(): Promise<void>;
}

async function startServices(env: Record<string, string>): Promise<Life> {
  const opened = await openContext(readSettings(env), 'restored-backup', 16);
  const context = { ...opened, log: pino({ level: 'silent' }) };
  const services = [
    await startOrders(context),
    await startSuppliers(context),
    await startShopify(context),
    await startNotifier(context),
  ];
  let isStopped = false;
  const stop = async (): Promise<void> => {
    if (isStopped) return;
    isStopped = true;
    for (const service of services) await service();
    await context.bus.close();
    await context.store.close();
  };
  stops.push(stop);
  return { ...context, stop };
}

const step = async (env: Record<string, string>, script: string, ...args: string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(PROJECT, script), ...args], { env });
  return stdout;
};

const idOf = (number: number): string => orderIdOf(CREDENTIALS.shop, aShopOrder(number, []).id);

/** The shop has the order from now on; no webhook tells of it, the sweep does. */
async function placeInShop(number: number, article: number): Promise<void> {
  const { body } = aShopOrder(number, [{ article, units: 1 }]);
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const fresh = { ...JSON.parse(body), created_at: now, processed_at: now, updated_at: now };
  const answer = await control(sandbox, 'POST', '/shop/orders', fresh);
  expect(answer.ok, await answer.text()).toBe(true);
}

const stateOf = async ({ store }: Life, number: number): Promise<string | undefined> => {
  const [row] = await store.query<{ state: string }>('select state from orders where id = $1', [
    idOf(number),
  ]);
  return row?.state;
};

const isBought = (life: Life, number: number): Promise<void> =>
  eventually(async () => expect(await stateOf(life, number)).toBe('awaiting_shipment'));

const shipAfter = (shipMs: number): Promise<Response> =>
  control(sandbox, 'PUT', '/settings', { timing: { shipMs } });

const areDelivered = ({ store }: Life, ...numbers: number[]): Promise<void> =>
  eventually(async () => {
    const rows = await store.query<{ id: string; state: string; mails: number; shown: boolean }>(
      `select id, state,
              (select count(*)::int from notifications n where n.order_id = o.id and n.state in ('pending', 'sending')) as mails,
              (select coalesce(bool_and(fulfillment_state = 'done' and shown_state is not distinct from p.state), true)
                 from parcels p where p.order_id = o.id) as shown
         from orders o where id = any($1::text[])`,
      [numbers.map(idOf)],
    );
    expect(rows.map(({ id }) => id).sort()).toEqual(numbers.map(idOf).sort());
    expect(rows.map(({ state, mails, shown }) => [state, mails, shown])).toEqual(
      rows.map(() => ['delivered', 0, true]),
    );
  });

const LAMP = 1;
const BLUE_MUG = MAPPED_ARTICLES.findIndex(({ sku }) => sku === 'MUG-BLUE') + 1;
const [DONE, WAITING, AT_ALIEXPRESS, LOST, LOST_OPEN, NEW] = [1, 2, 3, 4, 5, 6] as const;

/** Runs into the backup and beyond it. @returns what was saved when two orders waited and one was done. */
async function liveUntilTheLoss(): Promise<{ dump: DatabaseDump; at: string }> {
  const env = await aMachine();
  await step(env, 'deploy/setup.ts');
  const life = await startServices(env);
  for (const article of MAPPED_ARTICLES)
    await life.store.run(
      'insert into product_mappings (variant_id, candidates, updated_at) values ($1, $2::jsonb, now())',
      [article.shopVariantId, JSON.stringify(candidatesOf(article))],
    );
  await placeInShop(DONE, LAMP);
  await areDelivered(life, DONE);
  for (const scope of SUPPLIERS)
    await pausePurchasing(life.store, { scope, cause: 'operator', reason: 'the backup is made' });
  await placeInShop(WAITING, LAMP);
  await placeInShop(AT_ALIEXPRESS, BLUE_MUG);
  await eventually(async () => {
    const held = await life.store.query(
      "select 1 from holds where reason = 'supplier_paused' and released_at is null",
    );
    expect(held).toHaveLength(2);
  });
  const at = new Date().toISOString();
  const dump = await dumpDatabase(life.settings.DB_CONNECTION_STRING ?? '');

  await resumePurchasing(life.store, 'cj_dropshipping');
  await placeInShop(LOST, LAMP);
  await areDelivered(life, WAITING, LOST);
  await shipAfter(3_600_000);
  await resumePurchasing(life.store, 'aliexpress');
  await placeInShop(LOST_OPEN, LAMP);
  await isBought(life, AT_ALIEXPRESS);
  await isBought(life, LOST_OPEN);
  await life.stop();
  return { dump, at };
}

test('a backup that is older than what happened buys, pays, fulfils and mails nothing a second time', async () => {
  const { dump, at } = await liveUntilTheLoss();
  const before = await ledgerOf(sandbox);
  expect(before.purchases).toHaveLength(5);
  expect(before.fulfillments).toHaveLength(3);

  const env = await aMachine();
  await restoreDatabase(env.DB_CONNECTION_STRING ?? '', dump);
  expect(await step(env, 'deploy/setup.ts')).toContain('32 partitions are halted');
  // The backup is seconds old: its services look alive for so long.
  await eventually(async () =>
    expect(await step(env, 'deploy/restored.ts', '--backup-of', at)).toContain('Start the services'),
  );
  await expect(step(env, 'deploy/restored.ts')).rejects.toMatchObject({
    stdout: expect.stringContaining('empty its store'),
  });

  const life = await startServices(env);
  for (const scope of SUPPLIERS) await resumePurchasing(life.store, scope);
  await areDelivered(life, DONE, WAITING, LOST);
  await isBought(life, LOST_OPEN);
  // The shop shows the forgotten one as shipped, and it was by us: it was looked for, and is followed.
  const found = await life.store.query(
    'select state, supplier_reference is not null as "isKnown" from supplier_orders where order_id = $1',
    [idOf(WAITING)],
  );
  expect(found).toEqual([{ state: 'delivered', isKnown: true }]);
  // Its supplier cannot be asked whether it has the order: a person has to look there.
  const [hold] = await eventually(async () => {
    const rows = await life.store.query<{ reason: string; cause: string }>(
      `select reason, evidence ->> 'cause' as cause from holds where order_id = $1 and released_at is null`,
      [idOf(AT_ALIEXPRESS)],
    );
    expect(rows.map(({ reason }) => reason)).toEqual(['outcome_unknown']);
    return rows;
  });
  expect(hold?.cause).toContain('aliexpress may have had this order');

  const after = await ledgerOf(sandbox);
  const bought = ({ purchases }: typeof after) =>
    purchases.map(({ orderNumber, orders }) => [orderNumber, orders.map(({ paidCount }) => paidCount)]);
  expect(bought(after)).toEqual(bought(before));
  expect(after.fulfillments).toEqual(before.fulfillments);
  expect(after.mails).toEqual(before.mails);

  // What was never bought is.
  await shipAfter(20);
  await placeInShop(NEW, LAMP);
  await areDelivered(life, NEW);
  const lines: string[] = [];
  expect((await audit(life.store, (text) => lines.push(text))).violations, lines.join('\n')).toBe(0);
  await life.stop();
});
