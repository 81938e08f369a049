import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** All names begin so. */
export const PREFIX = 'order_manager_';

/** The values that a label may have: a series that nobody listed here cannot come to be. */
export type LabelValues = Readonly<Record<string, readonly string[]>>;
type Labels<L extends LabelValues> = { readonly [Name in keyof L]: L[Name][number] };

/** What this process knows of itself. Copies and services differ by the scrape's own `job` and `instance`. */
const REGISTRY = new Registry();
const registers = [REGISTRY];

interface Family {
  readonly name: string;
  readonly help: string;
}

const optionsOf = ({ name, help }: Family, labels: LabelValues) => ({
  name: `${PREFIX}${name}`,
  help,
  labelNames: Object.keys(labels),
  registers,
});

/** A counter whose name ends in `_total`. */
export function counter<L extends LabelValues>(
  family: Family,
  labels: L,
): { count(by: Labels<L>, times?: number): void } {
  const metric = new Counter(optionsOf(family, labels));
  return { count: (by, times = 1) => metric.inc({ ...by }, times) };
}

/** Seconds from a fast statement to the patience of an outside call. */
export const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function histogram<L extends LabelValues>(
  family: Family & { readonly buckets: readonly number[] },
  labels: L,
): { observe(by: Labels<L>, value: number): void } {
  const metric = new Histogram({ ...optionsOf(family, labels), buckets: [...family.buckets] });
  return { observe: (by, value) => metric.observe({ ...by }, value) };
}

/**
 * A gauge that is read when somebody scrapes, from whatever lives then; between scrapes it costs nothing.
 * @param read tells every series; what it does not tell is gone.
 */
export function gauge<L extends LabelValues>(
  family: Family,
  labels: L,
  read: (set: (by: Labels<L>, value: number) => void) => void,
): void {
  new Gauge({
    ...optionsOf(family, labels),
    collect() {
      this.reset();
      // Without labels a reset leaves a 0 that nobody told.
      if (Object.keys(labels).length === 0) this.remove({});
      read((by, value) => this.set({ ...by }, value));
    },
  });
}

/** Says how it stands with the live parts of one kind: pools, connections, readers. */
export interface LiveParts<Part> {
  /** @returns how to take the part out again. */
  add(part: Part): () => void;
  [Symbol.iterator](): Iterator<Part>;
}

export function liveParts<Part>(): LiveParts<Part> {
  const parts = new Set<Part>();
  return {
    add(part) {
      parts.add(part);
      return () => void parts.delete(part);
    },
    [Symbol.iterator]: () => parts[Symbol.iterator](),
  };
}

/** Gauges that the library calls totals: promtool refuses the names, and the gauges by type say the same. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];
let isMeasured = false;

/** Memory, processor, event loop and garbage of the process, once somebody is going to ask. */
export function measureProcess(): void {
  if (isMeasured) return;
  isMeasured = true;
  collectDefaultMetrics({ register: REGISTRY, prefix: PREFIX });
  for (const name of MISNAMED) REGISTRY.removeSingleMetric(`${PREFIX}${name}`);
}

/** Prometheus text. */
export const processFigures = (): Promise<string> => REGISTRY.metrics();
export const FIGURES_TYPE = REGISTRY.contentType;
