import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { envelope } from '../../contracts/envelope.ts';
import { readSettings } from '../../contracts/settings.ts';
import { commandSubject } from '../../contracts/subjects.ts';
import { freePort } from '../../deploy/local/free-port.ts';
import { createMetrics } from '../../gateway/metrics.ts';
import { startGateway } from '../../gateway/service.ts';
import { startHealthListener } from '../../services/health-listener.ts';
import { startNotifier } from '../../services/notifier/service.ts';
import { startOrders } from '../../services/orders/service.ts';
import { DONE, handling, serveCommands } from '../../services/serve-commands.ts';
import { startShopify } from '../../services/shopify/service.ts';
import { startSuppliers } from '../../services/suppliers/service.ts';
import { aGateway } from '../fixtures/a-gateway.ts';
import { eventually } from '../fixtures/eventually.ts';
import { alertGuide, alertRules, dashboardQueries, metricsIn } from '../fixtures/monitoring-files.ts';
import { startOwnNats } from '../fixtures/own-nats.ts';
import { aProbe } from '../fixtures/probe-nats.ts';
import { noPrometheus, promtool } from '../fixtures/prometheus.ts';
import { anEmptyNats, aServiceContext } from '../fixtures/service-context.ts';

const nats = await anEmptyNats();

/** Every service in this process, as in the all-in-one; what its gateway tells. */
async function aScrape(): Promise<string> {
  const gateway = await aGateway(nats.url, {
    SHOPIFY_SHOP_URL: 'lamps.myshopify.com',
    SHOPIFY_API_SECRET: 's',
  });
  for (const start of [startOrders, startSuppliers, startShopify, startNotifier])
    onTestFinished(await start(gateway.context));
  // What a stranger can send: paths, methods, topics, ids and headers that nobody thought of.
  for (let n = 0; n < 20; n += 1) {
    await gateway.call(`/no-such-path/${n}`);
    await gateway.call(`/orders/ord_${String(n).padStart(13, '0')}`);
    await gateway.call(`/orders/ord_${n}`, { method: 'PATCH' });
    await gateway.call(`/webhooks/shopify/made-up/${n}`, { method: 'POST', body: '{}' });
    await gateway.call('/webhooks/shopify/orders/create', {
      method: 'POST',
      body: '{}',
      headers: { 'x-shopify-topic': `topic-${n}`, 'x-request-id': `request-${n}` },
    });
  }
  return eventually(async () => {
    const text = await (await gateway.call('/metrics')).text();
    expect(text).toContain('order_manager_database_up 1');
    expect(text).toContain('order_manager_partition_lag_events{partition="31"} 0');
    return text;
  });
}

const familiesIn = (text: string): string[] =>
  [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = '', type]) =>
    type === 'histogram' ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );

/** Words of our own. No id, nothing that grows. */
const WORD = /^[A-Za-z_/]+$/;
const SHAPES: Readonly<Record<string, RegExp>> = {
  route: /^unknown$|^(\/[a-z-]+|\/:[A-Za-z]+|\/\w+\.json|\/[a-z_]+)+$/,
  status: /^[1-5]\d\d$/,
  partition: /^\d\d?$/,
  le: /^[\d.]+$|^\+Inf$/,
  version: /^v24\./,
  major: /^24$/,
  minor: /^\d+$/,
  patch: /^\d+$/,
};
const lineValue = /([a-z_]+)="((?:[^"\\]|\\.)*)"/g;

test('metrics have few series, and no label can be filled from outside', async () => {
  const text = await aScrape();
  const values = new Map<string, Set<string>>();
  for (const line of text.split('\n').filter((each) => each !== '' && !each.startsWith('#'))) {
    for (const [, label = '', value = ''] of line.matchAll(lineValue))
      values.set(label, (values.get(label) ?? new Set()).add(value));
  }
  expect(text.split('\n').length).toBeLessThan(2_000);
  for (const [label, all] of values) {
    expect(all.size, label).toBeLessThan(60);
    for (const value of all) expect(value, label).toMatch(SHAPES[label] ?? WORD);
  }
  const named = metricsIn(
    [alertRules(), alertGuide(), ...dashboardQueries().map(({ expr }) => expr)].join('\n'),
  );
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((name) => !familiesIn(text).includes(name))).toEqual([]);
});

test.skipIf(noPrometheus !== null)(
  `promtool takes the metrics${noPrometheus === null ? '' : ` (${noPrometheus})`}`,
  async () => {
    const { ok, output } = await promtool(['check', 'metrics'], await aScrape());
    expect(ok, output).toBe(true);
  },
);

test('a service is ready while it reaches database and NATS, and lives on without them', async () => {
  const own = await startOwnNats();
  const context = await aServiceContext(own.url, {
    ORDER_MANAGER_HOST: '127.0.0.1',
    ORDER_MANAGER_METRICS_PORT: String(await freePort()),
  });
  onTestFinished(await startHealthListener(context));
  const origin = `http://127.0.0.1:${context.settings.ORDER_MANAGER_METRICS_PORT}`;
  expect(await (await fetch(`${origin}/readyz`)).json()).toEqual({ status: 'ready' });
  await own.remove();
  await eventually(async () => {
    const answer = await fetch(`${origin}/readyz`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ status: 'not_ready', missing: ['nats'] });
  });
  expect((await fetch(`${origin}/healthz`)).status).toBe(200);
  expect(await (await fetch(`${origin}/metrics`)).text()).toContain('order_manager_nats_connected 0');
  await expect(startHealthListener(context)).rejects.toThrow('ORDER_MANAGER_METRICS_PORT');
});

test('a service whose queue of commands was lost is not ready until the set-up step has made it anew', async () => {
  const context = await aServiceContext(nats.url, {
    ORDER_MANAGER_HOST: '127.0.0.1',
    ORDER_MANAGER_METRICS_PORT: String(await freePort()),
  });
  onTestFinished(await startHealthListener(context));
  const consumer = await serveCommands(context, 'notifier', 1, {});
  onTestFinished(() => consumer.stop());
  const { manager } = await aProbe(nats.url);
  const isReady = async () =>
    (await fetch(`http://127.0.0.1:${context.settings.ORDER_MANAGER_METRICS_PORT}/readyz`)).json();
  await manager.consumers.delete('CMD', 'oms-notifier');
  await expect.poll(isReady).toEqual({ status: 'not_ready', missing: ['commands'] });
  await context.bus.setUp(1);
  await expect.poll(isReady).toEqual({ status: 'ready' });
});

test('a database that does not answer takes no scrape beyond the patience of Prometheus', async () => {
  const silent = (): Promise<never> => new Promise(() => {});
  const metrics = createMetrics({ query: silent, run: silent }, readSettings({}));
  onTestFinished(() => metrics.close());
  const begun = performance.now();
  for (const text of await Promise.all([metrics.scrape(), metrics.scrape()]))
    expect(text).toContain('order_manager_database_up 0');
  expect(performance.now() - begun).toBeLessThan(9_000);
});

test('the port of a gateway’s process tells all that its API tells, until the gateway ends', async () => {
  const port = await freePort();
  const context = await aServiceContext(nats.url, {
    ORDER_MANAGER_API_KEY: 'a key of sixteen or more',
    ORDER_MANAGER_HOST: '127.0.0.1',
    ORDER_MANAGER_PORT: String(await freePort()),
    ORDER_MANAGER_METRICS_PORT: String(port),
  });
  onTestFinished(await startHealthListener(context));
  const told = async () => familiesIn(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
  const ofProcess = await told();
  const stop = await startGateway(context);
  const all = await told();
  expect(all.filter((name) => !ofProcess.includes(name))).toEqual(
    expect.arrayContaining([
      'order_manager_database_up',
      'order_manager_mails_waiting',
      'order_manager_webhooks_total',
      'order_manager_http_request_duration_seconds_bucket',
      'order_manager_supplier_purchasing_stopped',
    ]),
  );
  const ofApi = await fetch(`http://127.0.0.1:${context.settings.ORDER_MANAGER_PORT}/metrics`);
  expect(all).toEqual(familiesIn(await ofApi.text()));
  await stop();
  expect(await told()).toEqual(ofProcess);
});

test('each line about a command names its order, its message and its trace', async () => {
  const context = await aServiceContext(nats.url);
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const consumer = await serveCommands(context, 'notifier', 1, {
    look: handling(z.object({}), async () => {
      await context.store.query('select 1');
      context.log.info('looked');
      return DONE;
    }),
  });
  onTestFinished(() => consumer.stop());
  const message = envelope({
    id: 'cause:1',
    source: '/test',
    type: 'notifier.look',
    subject: 'ord_1',
    time: '2026-11-22T10:00:00Z',
    data: {},
    traceparent: `00-${trace}-00f067aa0ba902b7-01`,
  });
  const subject = commandSubject('notifier', 'look', 'ord_1');
  await context.bus.publish([{ messageId: message.id, subject, payload: JSON.stringify(message) }]);
  const about = { orderId: 'ord_1', messageId: 'cause:1', traceId: trace };
  await expect.poll(() => context.lines).toContainEqual(expect.objectContaining({ msg: 'looked', ...about }));
});
