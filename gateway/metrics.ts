import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { DEAD_LETTER_KINDS, DEAD_LETTER_REASONS } from '../contracts/dead-letters.ts';
import type { Settings } from '../contracts/settings.ts';
import {
  HOLD_REASONS,
  NOTIFICATION_KINDS,
  ORDER_STATES,
  SUPPLIER_ORDER_STATES,
  SUPPLIERS,
} from '../contracts/vocabulary.ts';
import { TOLERANCE_SECONDS, WAITING_KINDS } from '../contracts/waits.ts';
import { type LabelValues, measureProcess, PREFIX, processFigures, SECONDS } from '../services/figures.ts';
import type { Sql } from '../services/store/store.ts';
import { countStuck } from '../services/store/stuck.ts';
import { withPatience } from '../services/with-patience.ts';
import { countedBehind } from './counted-behind.ts';
import { countEnded, GAUGE_NAMES, type GaugeName, type GaugeValue, readStoreGauges } from './store-gauges.ts';
import { createSupplierGauges } from './supplier-gauges.ts';

export interface Metrics {
  observeRequest(request: {
    readonly method: string;
    readonly route: string;
    readonly status: number;
    readonly durationMs: number;
  }): void;
  /** @param verdict `accepted`, `repeated`, or the code of the problem. */
  countWebhook(topic: string, verdict: string): void;
  /** Prometheus text. Without the database it says so and leaves out what only the database knows. */
  scrape(): Promise<string>;
  readonly contentType: string;
  close(): void;
}

const DATABASE_GAUGES: Readonly<Record<GaugeName, { readonly help: string; readonly labels?: LabelValues }>> =
  {
    orders: {
      help: 'Orders by state, without those put away; ended ones as counted a moment ago',
      labels: { state: ORDER_STATES },
    },
    supplier_orders: {
      help: 'Supplier orders by state; ended ones as counted a moment ago',
      labels: { state: SUPPLIER_ORDER_STATES },
    },
    purchases_in_doubt: {
      help: 'Purchases of which nobody knows whether they were made',
      labels: { supplier: SUPPLIERS },
    },
    purchase_doubt_oldest_age_seconds: {
      help: 'Age of the oldest purchase in doubt',
      labels: { supplier: SUPPLIERS },
    },
    mails_waiting: {
      help: 'Mails that are due, or that were not taken and wait for their next try',
      labels: { kind: NOTIFICATION_KINDS },
    },
    open_holds: { help: 'Open holds by reason', labels: { reason: HOLD_REASONS } },
    dead_letters: {
      help: 'Open dead letters by kind and reason',
      labels: { kind: DEAD_LETTER_KINDS, reason: DEAD_LETTER_REASONS },
    },
    dead_letters_parked: {
      help: 'Events that wait behind an open dead letter of their order',
    },
    stuck: {
      help: 'What is over its deadline, or has nothing that wakes it, by kind',
      labels: { kind: WAITING_KINDS },
    },
    outbox_oldest_unpublished_age_seconds: {
      help: 'Age of the oldest outbox row that is not published yet',
    },
    timers_overdue: { help: 'Timers that are due and not handled yet' },
    timer_oldest_overdue_seconds: { help: 'How long the oldest due timer waits' },
    shop_gap_orders: {
      help: 'Orders of the last day reported: seen in the shop, of those told by webhook, only by sweep, not here',
      labels: { kind: ['seen', 'by_webhook', 'only_by_sweep', 'missing'] },
    },
    shop_webhook_delay_mean_seconds: {
      help: 'Mean time from the shop’s deed to the committed webhook, on the last day reported',
    },
    partitions_unowned: {
      help: 'Partitions of the event log that may be read and that no copy reads',
    },
    partitions_halted: { help: 'Partitions of the event log that nobody may read' },
  };

/** Every series that the labels can make. */
const seriesOf = (labels: LabelValues): Record<string, string>[] =>
  Object.entries(labels).reduce<Record<string, string>[]>(
    (series, [name, values]) => series.flatMap((one) => values.map((value) => ({ ...one, [name]: value }))),
    [{}],
  );

/** A state that has no orders is told as 0, so that it is not mistaken for silence. */
function setGauges(gauges: ReadonlyMap<GaugeName, Gauge>, values: readonly GaugeValue[]): void {
  for (const [name, gauge] of gauges) {
    gauge.reset();
    for (const series of seriesOf(DATABASE_GAUGES[name].labels ?? {})) gauge.set(series, 0);
  }
  for (const { name, label, by, value } of values) {
    const names = Object.keys(DATABASE_GAUGES[name].labels ?? {});
    const series = Object.fromEntries(names.map((text, place) => [text, place === 0 ? label : by]));
    gauges.get(name)?.set(series, value);
  }
}

/** Prometheus itself waits ten seconds, and would hear nothing at all where one part says nothing. */
const PATIENCE_MS = 7_000;

/** A registry of its own: several gateways in one process do not meet. */
export function createMetrics(sql: Sql, settings: Settings): Metrics {
  const registry = new Registry();
  measureProcess();
  const databaseRegistry = new Registry();
  const registers = [registry];
  const requests = new Histogram({
    name: `${PREFIX}http_request_duration_seconds`,
    help: 'Duration of HTTP requests by route pattern and status',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers,
  });
  const webhooks = new Counter({
    name: `${PREFIX}webhooks_total`,
    help: 'Webhook deliveries by topic and verdict',
    labelNames: ['topic', 'verdict'],
    registers,
  });
  const isUp = new Gauge({
    name: `${PREFIX}database_up`,
    help: 'Whether the database answered this scrape',
    registers,
  });
  const gauges = new Map<GaugeName, Gauge>();
  for (const name of GAUGE_NAMES) {
    const { help, labels = {} } = DATABASE_GAUGES[name];
    const labelNames = Object.keys(labels);
    gauges.set(
      name,
      new Gauge({ name: `${PREFIX}${name}`, help, labelNames, registers: [databaseRegistry] }),
    );
  }

  const readSupplierGauges = createSupplierGauges(databaseRegistry);
  const readEnded = countedBehind(() => countEnded(sql));
  const readStuck = countedBehind(async () =>
    (await countStuck(sql, settings, TOLERANCE_SECONDS)).map(({ kind, stuck }) => ({
      name: 'stuck',
      label: kind,
      by: '',
      value: stuck,
    })),
  );
  const readDatabase = async (): Promise<string> => {
    setGauges(gauges, [...(await readStoreGauges(sql)), ...(await readEnded()), ...(await readStuck())]);
    await readSupplierGauges(sql);
    isUp.set(1);
    return databaseRegistry.metrics();
  };
  // Scrapes at the same time share one reading.
  let running: Promise<string> | undefined;
  const database = (): Promise<string> => {
    running ??= readDatabase().finally(() => {
      running = undefined;
    });
    return withPatience(running, PATIENCE_MS).catch(() => {
      isUp.set(0);
      return '';
    });
  };

  return {
    observeRequest: ({ method, route, status, durationMs }) =>
      requests.observe({ method, route, status }, durationMs / 1_000),
    countWebhook: (topic, verdict) => webhooks.inc({ topic, verdict }),
    async scrape() {
      const counts = await database();
      return `${await processFigures()}\n${await registry.metrics()}\n${counts}`;
    },
    contentType: registry.contentType,
    close() {
      registry.clear();
      databaseRegistry.clear();
    },
  };
}
