import { ROOT_CONTEXT, type SpanContext, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { describeError } from './logger.ts';
import type { SpanExporter } from './tracing.ts';

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} as const;

const toTraceparent = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;

/** @param traceparent as `readTraceparent` gives it. */
function toContext(traceparent: string | undefined) {
  if (traceparent === undefined) return ROOT_CONTEXT;
  const [, traceId = '', spanId = '', flags = ''] = traceparent.split('-');
  const remote = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, remote);
}

/**
 * OTLP over HTTP in JSON, in batches behind the work; what cannot be delivered is dropped. Headers and patience are read
 * by the package from its own OTEL_EXPORTER_OTLP_* variables.
 * @param endpoint of the collector; `/v1/traces` is added, as the standard says.
 */
export function createSpanExporter(endpoint: string, service: string): SpanExporter {
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.namespace': 'order-manager', 'service.name': service }),
    spanProcessors: [
      new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: `${endpoint}/v1/traces` }) }),
    ],
  });
  const tracer = provider.getTracer('order-manager');
  return {
    start({ name, kind, attributes = {}, parent }) {
      const span = tracer.startSpan(name, { kind: KINDS[kind], attributes }, toContext(parent));
      return {
        traceparent: toTraceparent(span.spanContext()),
        end(error) {
          if (error !== undefined) {
            // The message may quote data of others.
            const { name: type, code } = describeError(error);
            span.setAttribute('error.type', String(code ?? type));
            span.setStatus({ code: SpanStatusCode.ERROR });
          }
          span.end();
        },
      };
    },
    stop: () => provider.shutdown(),
  };
}
