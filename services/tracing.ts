import type { Settings } from '../contracts/settings.ts';
import { currentWork, during } from './work.ts';

export type SpanKind = 'server' | 'client' | 'consumer' | 'internal';

export interface SpanStart {
  readonly name: string;
  readonly kind: SpanKind;
  /** Ids and words of ours; never a text from outside. */
  readonly attributes?: Readonly<Record<string, string | number>>;
  /** Of what caused it; absent: it begins a trace. */
  readonly parent?: string | undefined;
}

export interface OpenSpan {
  /** What it causes names it by this. */
  readonly traceparent: string;
  /** @param error why it failed, if it did. */
  end(error?: unknown): void;
}

/** The way out of this process: there only while somebody asked for traces. */
export interface SpanExporter {
  start(span: SpanStart): OpenSpan;
  stop(): Promise<void>;
}

let exporter: SpanExporter | undefined;

/** Undefined while nobody asked for traces: then nothing is made at all. */
export const openSpan = (start: () => SpanStart): OpenSpan | undefined => exporter?.start(start());

/** Runs the work as a span; what it says and calls belongs to it. Without an exporter it is only run. */
export async function inSpan<T>(start: Omit<SpanStart, 'parent'>, work: () => Promise<T>): Promise<T> {
  if (exporter === undefined) return work();
  const span = exporter.start({ ...start, parent: currentWork()?.traceparent });
  try {
    const result = await during({ traceparent: span.traceparent }, work);
    span.end();
    return result;
  } catch (error) {
    span.end(error);
    throw error;
  }
}

/**
 * Sends spans to OTEL_EXPORTER_OTLP_ENDPOINT from now on, if it is set. Only then the packages of OpenTelemetry are read.
 * @returns how to end that, with what is still waiting.
 */
export async function startTracing(
  { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }: Pick<Settings, 'OTEL_EXPORTER_OTLP_ENDPOINT'>,
  service: string,
): Promise<() => Promise<void>> {
  if (endpoint === undefined) return async () => {};
  const { createSpanExporter } = await import('./otlp-exporter.ts');
  const started = createSpanExporter(endpoint, service);
  exporter = started;
  return async () => {
    exporter = undefined;
    await started.stop();
  };
}
