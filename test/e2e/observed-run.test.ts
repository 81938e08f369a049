import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../deploy/local/free-port.ts';
import { readOrders } from '../../deploy/local/show-orders.ts';
import { eventually } from '../fixtures/eventually.ts';
import { issuedTokens } from '../fixtures/issued-tokens.ts';
import { dashboardQueries } from '../fixtures/monitoring-files.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../fixtures/otlp-receiver.ts';
import { noPrometheus, type Prometheus, startPrometheus } from '../fixtures/prometheus.ts';
import { aRunningStack, type RunningStack } from '../fixtures/running-stack.ts';
import { aShopOrder, placeInShop } from '../fixtures/shop-orders.ts';

/** In the order of the stack's own list. */
const SERVICES = ['orders', 'suppliers', 'shopify', 'notifier', 'gateway'];
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';

/** The first of as many free ports in a row as there are services. */
async function freePorts(): Promise<number> {
  for (;;) {
    const first = await freePort();
    const others = await Promise.all(SERVICES.slice(1).map((_, index) => freePort(first + 1 + index)));
    if (others.every((port, index) => port === first + 1 + index)) return first;
  }
}

let receiver: OtlpReceiver;
let stack: RunningStack;
let prometheus: Prometheus | undefined;
let firstPort: number;
beforeAll(async () => {
  receiver = await startOtlpReceiver(await freePort());
  firstPort = await freePorts();
  stack = await aRunningStack({
    ORDER_MANAGER_LOG_LEVEL: 'DEBUG',
    ORDER_MANAGER_METRICS_PORT: String(firstPort),
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
  });
  if (noPrometheus !== null) return;
  const own = SERVICES.map((job, index) => [job, `127.0.0.1:${firstPort + index}`]);
  prometheus = await startPrometheus({ ...Object.fromEntries(own), gateway: new URL(stack.url).host });
});
afterAll(async () => {
  await prometheus?.stop();
  await stack.stop();
  await receiver.stop();
});

test('where processors are short the gateway goes first: the other services have asked for less', async () => {
  const own = getPriority();
  const less = Math.min(own + 5, 19);
  const pids = SERVICES.map((name) => stack.services[name]?.pid() ?? 0);
  expect(pids.map((pid) => getPriority(pid))).toEqual([less, less, less, less, own]);
  const AUTOGROUP = '/proc/sys/kernel/sched_autogroup_enabled';
  if (!existsSync(AUTOGROUP) || readFileSync(AUTOGROUP, 'utf8').trim() !== '1') return;
  // Each in a session of its own, which Linux weighs first.
  const sessionOf = (pid: number): string =>
    readFileSync(`/proc/${pid}/autogroup`, 'utf8').trim().replace(/^.* /, '');
  await eventually(async () => expect(pids.map(sessionOf)).toEqual(['5', '5', '5', '5', '0']));
});

test('one trace leads from the webhook of the shop to the calls of the supplier and the mail server', async () => {
  // The enamel mug is bought at one supplier, the lamp at the other.
  const headers = { traceparent: `00-${TRACE}-${CALLER}-01` };
  const order = aShopOrder(801, [
    { article: 1, units: 1 },
    { article: 3, units: 1 },
  ]);
  expect((await placeInShop(stack, order, headers)).status).toBe(200);
  await eventually(async () => {
    const [placed] = await readOrders(stack);
    expect(placed?.status).toBe('delivered');
  });

  const ours = await eventually(() => {
    const found = receiver.spans.filter(({ traceId }) => traceId === TRACE);
    for (const name of ['cj_dropshipping place', 'aliexpress place', 'smtp send'])
      expect(found.map((span) => span.name)).toContain(name);
    return found;
  });
  const byId = new Map(ours.map((span) => [span.spanId, span]));
  const road = (span: ReceivedSpan | undefined): string[] =>
    span === undefined ? [] : [...road(byId.get(span.parentSpanId ?? '')), `${span.service}: ${span.name}`];
  const [bought] = ours.filter(({ name }) => name === 'cj_dropshipping place');
  const way = road(bought);
  expect(way[0]).toBe('gateway: POST /webhooks/shopify/orders/create');
  expect(way[1]).toBe('orders: step order.received');
  expect(way).toContain('orders: step timer.elapsed');
  expect(way.slice(-2)).toEqual(['suppliers: cj_dropshipping.buy', 'suppliers: cj_dropshipping place']);
  expect(ours.find(({ name }) => name.startsWith('POST /webhooks'))?.parentSpanId).toBe(CALLER);
  expect(ours.filter(({ name }) => name === 'cj_dropshipping place')).toHaveLength(1);
});

test('no span and no log line names a person or a secret, and each line of a service is JSON', async () => {
  const forbidden = [
    ...['Robin', 'Probe', 'Test Lane', 'Testville', '97201', '5035550100', 'probe.example'],
    ...[stack.apiKey, ...(stack.sandbox?.secrets ?? [])],
    ...[new URL(stack.connectionString).password, new URL(stack.natsUrl).username],
    ...(await issuedTokens(stack.connectionString)),
  ];
  const texts = new Map(receiver.bodies.map((body, index) => [`export ${index}`, body]));
  for (const service of SERVICES) {
    const log = readFileSync(join(stack.logDir, `${service}.log`), 'utf8');
    for (const line of log.split('\n').filter((each) => each.startsWith('{')))
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), service, msg: expect.any(String) });
    texts.set(service, log);
  }
  expect(readdirSync(stack.logDir).length).toBeGreaterThan(SERVICES.length);
  expect(forbidden.filter((each) => each.length < 5)).toEqual([]);
  // The postal code as a word: five digits in a row stand in some id or time of so many sooner or later.
  const isNamed = (each: string, text: string): boolean =>
    /^\d{5}$/.test(each) ? new RegExp(`\\b${each}\\b`).test(text) : text.includes(each);
  for (const [name, text] of texts)
    expect([name, forbidden.filter((each) => isNamed(each, text))]).toEqual([name, []]);
});

test('every service answers probes and scrapes at a port of its own', async () => {
  for (const [index] of SERVICES.entries()) {
    const origin = `http://127.0.0.1:${firstPort + index}`;
    expect(await (await fetch(`${origin}/healthz`)).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(`${origin}/readyz`)).json()).toEqual({ status: 'ready' });
    expect(await (await fetch(`${origin}/metrics`)).text()).toContain('order_manager_nats_connected 1');
    expect((await fetch(`${origin}/orders`)).status).toBe(404);
  }
});

/** What a short run without troubles has nothing to say about. */
const SILENT: readonly RegExp[] = [
  // No hold is open, no mail waits, no event lags.
  / > 0$/,
  // The sandbox's suppliers name no quota.
  /quota_total/,
  // The sandbox's suppliers and shop give tokens that do not end, or name no end.
  /token_expiry|consent_expiry/,
  /outcome!="ok"/,
  // The daily comparison is made at the end of a day.
  /shop_gap_orders|shop_webhook_delay/,
];

test.skipIf(noPrometheus !== null)(
  `every query of the dashboard has an answer from a Prometheus that scraped this run${noPrometheus === null ? '' : ` (${noPrometheus})`}`,
  async () => {
    const scraped = prometheus;
    if (scraped === undefined) throw new Error('no Prometheus');
    await eventually(async () => expect(await scraped.seriesOf('up == 1')).toBe(SERVICES.length));
    await eventually(async () => {
      const found: string[] = [];
      for (const { panel, expr } of dashboardQueries()) {
        const series = await scraped.seriesOf(expr.replaceAll('$__rate_interval', '1m'));
        if (series === 0 && !SILENT.some((pattern) => pattern.test(expr))) found.push(`${panel}: ${expr}`);
      }
      expect(found).toEqual([]);
    });
    // No alert is even about to fire.
    await eventually(async () => expect(await scraped.seriesOf('ALERTS')).toBe(0));
    await eventually(async () => {
      const rules = await scraped.rules();
      expect(rules.length).toBeGreaterThan(20);
      expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    });
  },
);
