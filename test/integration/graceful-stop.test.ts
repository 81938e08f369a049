import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'nats';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { BUY } from '../../contracts/commands/purchase.ts';
import { envelope } from '../../contracts/envelope.ts';
import { agentSubject } from '../../contracts/requests/agent-request.ts';
import { SEARCH_PRODUCTS } from '../../contracts/requests/search-products.ts';
import { commandSubject, requestSubject } from '../../contracts/subjects.ts';
import { freePort } from '../../deploy/local/free-port.ts';
import { openBus } from '../../services/bus/bus.ts';
import { toConnectOptions } from '../../services/bus/connection.ts';
import { PROJECT } from '../fixtures/compose-file.ts';
import { aDatabase, aStore } from '../fixtures/database.ts';
import { eventually } from '../fixtures/eventually.ts';
import { NODE_ENVIRONMENT } from '../fixtures/node-environment.ts';
import { type HostProcess, startServiceProcess } from '../fixtures/order-host.ts';
import { type OwnNats, startOwnNats } from '../fixtures/own-nats.ts';
import { boughtUnder, givenPurchase, intentOf } from '../fixtures/purchase-desk.ts';
import { emptyStreams } from '../fixtures/service-context.ts';
import { startProcess } from '../fixtures/started-process.ts';
import { CREDENTIALS, givenFaults, givenWorld, ledgerOf } from '../sandbox/world.ts';

let nats: OwnNats;
beforeAll(async () => {
  nats = await startOwnNats();
  const bus = await openBus(nats.url, 'setup');
  await bus.setUp(1);
  await bus.close();
});
afterAll(() => nats.remove());

const loggedAfterSignal = (host: HostProcess): string => host.output().split('"stopping"')[1] ?? '';

const endsWell = async (host: HostProcess): Promise<void> => {
  expect(await host.ended, host.output()).toEqual({ code: 0, signal: null });
  expect(loggedAfterSignal(host)).not.toContain('"level":"error"');
};

test.each(['services/shopify/main.ts', 'services/notifier/main.ts', 'deploy/all-in-one.ts'])(
  '%s ends with code 0 when it is told to',
  async (script) => {
    const host = startServiceProcess(script, {
      DB_CONNECTION_STRING: await aDatabase(),
      NATS_URL: nats.url,
      ORDER_MANAGER_API_KEY: 'a key of sixteen or more',
      ORDER_MANAGER_HOST: '127.0.0.1',
      ORDER_MANAGER_PORT: String(await freePort()),
      ORDER_MANAGER_DRAIN_SECONDS: '0',
    });
    await host.ready;
    host.kill('SIGTERM');
    await endsWell(host);
  },
);

test('a gateway ends in time although an agent waits for a supplier that says nothing', async () => {
  const connection = await connect(toConnectOptions(nats.url));
  onTestFinished(() => connection.close());
  const asked = connection.subscribe(requestSubject('suppliers', SEARCH_PRODUCTS.verb), { max: 1 });
  const gateway = startServiceProcess('gateway/main.ts', {
    DB_CONNECTION_STRING: await aDatabase(),
    NATS_URL: nats.url,
    ORDER_MANAGER_API_KEY: 'a key of sixteen or more',
    ORDER_MANAGER_HOST: '127.0.0.1',
    ORDER_MANAGER_PORT: String(await freePort()),
    ORDER_MANAGER_DRAIN_SECONDS: '0',
  });
  await gateway.ready;
  const search = JSON.stringify({ body: { supplier: 'cj_dropshipping', query: 'mug' } });
  // What is published before the server knows that the gateway listens is heard by nobody.
  const asking = setInterval(
    () => connection.publish(agentSubject('read', 'products.search'), search, { reply: 'nobody' }),
    500,
  );
  for await (const _ of asked) break;
  clearInterval(asking);
  gateway.kill('SIGTERM');
  await endsWell(gateway);
});

test('a Ctrl-C that reaches a service twice, by the terminal and by npm, is one', async () => {
  const host = startServiceProcess('services/notifier/main.ts', {
    DB_CONNECTION_STRING: await aDatabase(),
    NATS_URL: nats.url,
  });
  await host.ready;
  host.kill('SIGINT');
  await delay(50);
  host.kill('SIGINT');
  await endsWell(host);
});

test('a service that npm started ends when npm is told to', async () => {
  const started = startProcess('npm', ['run', '--silent', 'start:notifier'], {
    cwd: PROJECT,
    env: {
      ...NODE_ENVIRONMENT,
      HOME: process.env.HOME,
      DB_CONNECTION_STRING: await aDatabase(),
      NATS_URL: nats.url,
    },
  });
  onTestFinished(() => started.stop());
  await started.says('"msg":"ready"');
  await started.stop();
  expect([await started.exited, started.output()]).toEqual([0, expect.stringContaining('"stopping"')]);
});

test('the order host gives its partitions back, and another copy has them all without waiting for a lease', async () => {
  const connectionString = await aDatabase();
  const store = await aStore(connectionString);
  const env = { DB_CONNECTION_STRING: connectionString, NATS_URL: nats.url };
  const owned = async (): Promise<number> =>
    (await store.query('select 1 from event_partitions where owner is not null')).length;
  const host = startServiceProcess('services/orders/main.ts', env);
  await host.ready;
  await eventually(async () => expect(await owned()).toBe(32));
  host.kill('SIGTERM');
  await endsWell(host);
  expect(await owned()).toBe(0);
  expect(await store.query('select 1 from event_partitions where lease_until > now()')).toEqual([]);
  expect(await store.query('select 1 from copies')).toEqual([]);
});

/** A suppliers service that is told to buy so many lamps, at a supplier that keeps its answer back. */
async function aBuyer(purchases: number, answerMs: number) {
  await emptyStreams(nats.url);
  const world = await givenWorld();
  await givenFaults(world, { operation: 'cj.createOrderV2', kind: 'slow', delayMs: answerMs });
  const connectionString = await aDatabase();
  const store = await aStore(connectionString);
  const lamps = [];
  for (let number = 1; number <= purchases; number += 1) lamps.push(await givenPurchase(store, { number }));
  const bus = await openBus(nats.url, 'test');
  onTestFinished(() => bus.close());
  await bus.publish(
    lamps.map((data) => ({
      messageId: `buy:${data.orderId}`,
      subject: commandSubject('cj_dropshipping', BUY, data.supplierOrderId),
      payload: JSON.stringify(
        envelope({
          id: `buy:${data.orderId}`,
          source: '/orders',
          type: `suppliers.${BUY}`,
          subject: data.orderId,
          time: new Date().toISOString(),
          data,
        }),
      ),
    })),
  );
  const start = (requestsPerSecond = '1'): HostProcess =>
    startServiceProcess('services/suppliers/main.ts', {
      DB_CONNECTION_STRING: connectionString,
      NATS_URL: nats.url,
      CJ_DROPSHIPPING_API_KEY: CREDENTIALS.cjApiKey,
      CJ_DROPSHIPPING_BASE_URL: world.cjBaseUrl,
      CJ_DROPSHIPPING_MODE: 'live',
      // At one a second it is two commands at once, and two more that wait in the process.
      CJ_DROPSHIPPING_REQUESTS_PER_SECOND: requestsPerSecond,
    });
  return { world, store, lamps, start };
}

test('a purchase in hand is finished, and what was not begun is another copy’s', async () => {
  const { world, store, lamps, start } = await aBuyer(6, 1_500);
  const first = start();
  await eventually(async () => expect((await ledgerOf(world)).purchases.length).toBeGreaterThan(0));
  first.kill('SIGTERM');
  await endsWell(first);
  expect(await store.query('select first_id from outbox_pending')).toEqual([]);
  const intents = await store.query<{ state: string }>('select state from purchase_intents');
  expect(intents.map(({ state }) => state)).toEqual(intents.map(() => 'done'));
  expect(intents.length).toBeLessThan(lamps.length);
  await givenFaults(world);
  start('1000');
  await eventually(async () => {
    for (const lamp of lamps)
      expect(await intentOf(store, lamp)).toMatchObject({ state: 'done', attempt: 1 });
  });
  for (const lamp of lamps) expect(await boughtUnder(world, lamp)).toHaveLength(1);
});

test('a second signal ends a service at once, whatever it has in hand', async () => {
  const { world, store, lamps, start } = await aBuyer(1, 60_000);
  const host = start();
  await eventually(async () => expect((await ledgerOf(world)).purchases).toHaveLength(1));
  host.kill('SIGTERM');
  await eventually(() => expect(host.output()).toContain('"stopping"'));
  await delay(600);
  host.kill('SIGTERM');
  expect(await host.ended).toEqual({ code: 1, signal: null });
  for (const lamp of lamps) expect(await intentOf(store, lamp)).toMatchObject({ state: 'calling' });
});

test('a gateway says that it leaves, serves on, and breaks off no connection', async () => {
  const port = await freePort();
  const host = startServiceProcess('gateway/main.ts', {
    DB_CONNECTION_STRING: await aDatabase(),
    NATS_URL: nats.url,
    ORDER_MANAGER_API_KEY: 'a key of sixteen or more',
    ORDER_MANAGER_HOST: '127.0.0.1',
    ORDER_MANAGER_PORT: String(port),
    ORDER_MANAGER_DRAIN_SECONDS: '4',
  });
  await host.ready;
  const ask = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
  expect((await ask('/readyz')).status).toBe(200);
  host.kill('SIGTERM');
  await eventually(() => expect(host.output()).toContain('"stopping"'));
  const leaving = await eventually(async () => {
    const answer = await ask('/readyz');
    expect(answer.status).toBe(503);
    return answer;
  });
  expect(await leaving.text()).toContain('send requests to another copy');
  expect(leaving.headers.get('connection')).toBe('close');
  expect((await ask('/healthz')).status).toBe(200);
  await endsWell(host);
});
